package rkv02

import (
	"context"
	"database/sql"

	"github.com/jackc/pgx/v5/pgxpool"
)

func goodAdd(ctx context.Context, pool *pgxpool.Pool, id, n int) error {
	var balance int
	if err := pool.QueryRow(ctx, "select balance from accounts where id = $1", id).Scan(&balance); err != nil {
		return err
	}
	_, err := pool.Exec(ctx, "update accounts set balance = balance + $2 where id = $1", id, n)
	return err
}

func goodCompared(ctx context.Context, pool *pgxpool.Pool, id, n int) error {
	var balance int
	if err := pool.QueryRow(ctx, "select balance from accounts where id = $1", id).Scan(&balance); err != nil {
		return err
	}
	tag, err := pool.Exec(ctx, "update accounts set balance = $2 where id = $1 and balance = $3", id, balance+n, balance)
	_ = tag.RowsAffected()
	return err
}

func goodVersion(db *sql.DB, id int) error {
	var name string
	var version int
	if err := db.QueryRow("select name, version from notes where id = $1", id).Scan(&name, &version); err != nil {
		return err
	}
	_, err := db.Exec("update notes set name = $1, version = version + 1 where id = $2 and version = $3", name+"!", id, version)
	return err
}

func goodOtherTable(db *sql.DB, id int) error {
	var n int
	if err := db.QueryRow("select count from a where id = $1", id).Scan(&n); err != nil {
		return err
	}
	_, err := db.Exec("update b set count = $1 where id = $2", n+1, id)
	return err
}

func goodKeyOnly(db *sql.DB, email, name string) error {
	var id int
	if err := db.QueryRow("select id from users where email = $1", email).Scan(&id); err != nil {
		return err
	}
	_, err := db.Exec("update users set name = $1 where id = $2", name, id)
	return err
}

func goodUnknownHandle(ctx context.Context, q DBTX, id, n int) error {
	var balance int
	if err := q.QueryRowContext(ctx, "select balance from accounts where id = $1", id).Scan(&balance); err != nil {
		return err
	}
	_, err := q.ExecContext(ctx, "update accounts set balance = $2 where id = $1", id, balance+n)
	return err
}
