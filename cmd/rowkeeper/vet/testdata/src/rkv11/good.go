package rkv11

import (
	"context"
	"database/sql"
	"errors"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

func goodChecked(ctx context.Context, tx pgx.Tx, id, n int) error {
	tag, err := tx.Exec(ctx, "update accounts set balance = balance - $2 where id = $1 and balance >= $2", id, n)
	if err == nil && tag.RowsAffected() != 1 {
		return errors.New("insufficient funds")
	}
	return err
}

func goodReturning(ctx context.Context, tx pgx.Tx, id, n int) (balance int, err error) {
	err = tx.QueryRow(ctx, "update accounts set balance = balance - $2 where id = $1 and balance >= $2 returning balance", id, n).Scan(&balance)
	return balance, err
}

func goodKeyOnly(db *sql.DB, id int) error {
	_, err := db.Exec("update orders set status = 'paid' where id = $1", id)
	return err
}

func goodCleanUp(db *sql.DB) error {
	_, err := db.Exec("delete from sessions where expires_at < now()")
	return err
}

func goodHandedOn(ctx context.Context, tx pgx.Tx, id int) (pgconn.CommandTag, error) {
	return tx.Exec(ctx, "update orders set status = 'paid' where id = $1 and status = 'open'", id)
}

func goodAllOfAState(db *sql.DB) error {
	_, err := db.Exec("update jobs set state = 'queued' where state = 'running'")
	return err
}

func goodOtherColumn(db *sql.DB, id int) error {
	_, err := db.Exec("update orders set note = 'x' where id = $1 and kind = 'gift'", id)
	return err
}
