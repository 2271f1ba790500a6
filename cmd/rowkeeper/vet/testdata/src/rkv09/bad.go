package rkv09

import (
	"context"
	"database/sql"

	"github.com/jackc/pgx/v5/pgxpool"
)

func badSelect(ctx context.Context, pool *pgxpool.Pool, id int) error {
	var name string
	return pool.QueryRow(ctx, "select name from accounts where id = $1", id).Scan(&name) // want `RKV09 unscoped: the SELECT picks rows of accounts without a condition on user_id`
}

func badUpdate(db *sql.DB, id int) error {
	_, err := db.Exec("UPDATE accounts SET name = $1 WHERE id = $2", "x", id) // want `RKV09 unscoped: the UPDATE`
	return err
}

func badDelete(db *sql.DB, id int) error {
	_, err := db.Exec(`delete from public.notes where id = $1`, id) // want `RKV09 unscoped: the DELETE`
	return err
}

func badInsert(db *sql.DB) error {
	_, err := db.Exec("insert into notes (id, text) values ($1, $2)", 1, "x") // want `RKV09 unscoped: the INSERT into notes does not set user_id`
	return err
}

func badOr(db *sql.DB, id, user int) error {
	_, err := db.Exec("delete from notes where id = $1 and user_id <> $2", id, user) // want `RKV09`
	return err
}

func badJoin(db *sql.DB, id int) error {
	_, err := db.Query("select t.id from transfers t join accounts a on a.id = t.account_id where t.id = $1", id) // want `RKV09`
	return err
}

func badSelfCompared(db *sql.DB, id int) error {
	_, err := db.Query("select a.id from accounts a where a.id = $1 and a.user_id = a.user_id", id) // want `RKV09`
	return err
}
