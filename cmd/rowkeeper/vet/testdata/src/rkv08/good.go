package rkv08

import (
	"context"
	"database/sql"
	"fmt"
	"net/http"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

func goodArgument(db *sql.DB, name string) error {
	_, err := db.Exec("delete from users where name = $1", name)
	return err
}

func goodNumber(db *sql.DB, limit int) error {
	_, err := db.Query(fmt.Sprintf("select * from users limit %d", limit))
	return err
}

func goodPlaceholders(db *sql.DB, ids []any) error {
	_, err := db.Query("select * from users where id in ("+strings.TrimSuffix(strings.Repeat("?,", len(ids)), ",")+")", ids...)
	return err
}

func goodIdentifier(ctx context.Context, pool *pgxpool.Pool, table string) error {
	_, err := pool.Exec(ctx, "truncate "+pgx.Identifier{table}.Sanitize())
	return err
}

func goodTableName(db *sql.DB, table string) error {
	_, err := db.Exec(fmt.Sprintf("select count(*) from %s where id = $1", table), 1)
	return err
}

func goodConstants(db *sql.DB, desc bool) error {
	order := "asc"
	if desc {
		order = "desc"
	}
	for _, table := range []string{"users", "accounts"} {
		if _, err := db.Exec("select '" + table + "', id from users order by id " + order); err != nil {
			return err
		}
	}
	return nil
}

var columns = map[string]string{"name": "name", "date": "created_at"}

func goodAllowed(db *sql.DB, w http.ResponseWriter, r *http.Request) {
	sort := r.FormValue("sort")
	if columns[sort] == "" {
		return
	}
	db.Query("select * from users order by " + sort)
}
