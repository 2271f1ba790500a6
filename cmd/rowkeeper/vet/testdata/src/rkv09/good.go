package rkv09

import (
	"context"
	"database/sql"

	"github.com/jackc/pgx/v5/pgxpool"
)

func goodSelect(ctx context.Context, pool *pgxpool.Pool, id, user int) error {
	var name string
	return pool.QueryRow(ctx, "select name from accounts where id = $1 and user_id = $2", id, user).Scan(&name)
}

func goodAlias(db *sql.DB, id, user int) error {
	_, err := db.Query("select a.name from accounts as a where (a.id = $1) and (a.user_id = $2) order by a.id", id, user)
	return err
}

func goodJoin(db *sql.DB, id, user int) error {
	_, err := db.Query("select t.id from transfers t join accounts a on a.id = t.account_id where t.id = $1 and a.user_id = $2", id, user)
	return err
}

func goodSubselect(db *sql.DB, id, user int) error {
	_, err := db.Exec("delete from transfers where id = $1 and account_id in (select id from accounts where user_id = $2)", id, user)
	return err
}

func goodOtherTable(db *sql.DB, id int) error {
	_, err := db.Query("select name from countries where id = $1", id)
	return err
}

func goodReason(db *sql.DB, id int) error {
	_, err := db.Query("select name from accounts where id = $1 -- rowkeeper:all-owners support staff", id)
	return err
}

func goodInsert(db *sql.DB, user int) error {
	_, err := db.Exec("insert into notes (user_id, text) values ($1, $2)", user, "x")
	return err
}

func goodUnknown(db *sql.DB, id int) error {
	_, err := db.Query("with mine as (select 1) select name from accounts, mine where id = $1", id)
	return err
}

func goodCredential(db *sql.DB, token string) error {
	_, err := db.Query("select id from accounts where token = $1", token)
	return err
}
