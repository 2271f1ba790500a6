package rkv12

import (
	"context"
	"database/sql"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

func goodAfterLoop(ctx context.Context, tx pgx.Tx) error {
	rows, err := tx.Query(ctx, "select id from a")
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
	}
	_, err = tx.Exec(ctx, "update a set x = 1")
	return err
}

func goodClosed(tx *sql.Tx) error {
	rows, err := tx.Query("select id from a")
	if err != nil {
		return err
	}
	if rows.Next() {
		rows.Close()
		_, err = tx.Exec("update a set x = 1")
		return err
	}
	rows.Close()
	return nil
}

func goodCollected(ctx context.Context, tx pgx.Tx) error {
	rows, err := tx.Query(ctx, "select id from a")
	if err != nil {
		return err
	}
	ids, err := pgx.CollectRows(rows, pgx.RowTo[int])
	if err != nil {
		return err
	}
	for _, id := range ids {
		if err := update(ctx, tx, id); err != nil {
			return err
		}
	}
	return nil
}

func goodPool(ctx context.Context, pool *pgxpool.Pool) error {
	rows, err := pool.Query(ctx, "select id from a")
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		if _, err := pool.Exec(ctx, "update a set x = 1"); err != nil {
			return err
		}
	}
	return rows.Err()
}

func goodOtherTx(ctx context.Context, a, b pgx.Tx) error {
	rows, err := a.Query(ctx, "select id from a")
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		if _, err := b.Exec(ctx, "update a set x = 1"); err != nil {
			return err
		}
	}
	return rows.Err()
}

func goodFailed(tx *sql.Tx) error {
	rows, err := tx.Query("select id from a")
	if err != nil {
		tx.Exec("rollback to savepoint s")
		return err
	}
	return rows.Close()
}
