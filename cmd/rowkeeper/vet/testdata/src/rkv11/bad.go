package rkv11

import (
	"context"
	"database/sql"

	"github.com/jackc/pgx/v5"
)

func badBound(ctx context.Context, tx pgx.Tx, id, n int) error {
	_, err := tx.Exec(ctx, "update accounts set balance = balance - $2 where id = $1 and balance >= $2", id, n) // want `RKV11 affected-ignored: the UPDATE of accounts depends on the bound of balance`
	return err
}

func badVersion(db *sql.DB, id, version int) error {
	if _, err := db.Exec("update docs set text = $1, version = version + 1 where id = $2 and version = $3", "x", id, version); err != nil { // want `RKV11 affected-ignored: the UPDATE of docs depends on the version`
		return err
	}
	return nil
}

func badState(ctx context.Context, tx pgx.Tx, id int) error {
	_, err := tx.Exec(ctx, "update orders set status = 'paid' where id = $1 and status = 'open'", id) // want `RKV11 affected-ignored: the UPDATE of orders depends on the state`
	return err
}

func badDelete(db *sql.DB, id int) error {
	_, err := db.Exec("delete from jobs where id = $1 and state = 'done'", id) // want `RKV11`
	return err
}

func badOwner(db *sql.DB, id, user int) error {
	_, err := db.Exec("update notes set text = 'x' where id = $1 and user_id = $2", id, user) // want `RKV11 affected-ignored: the UPDATE of notes depends on the owner`
	return err
}
