package rkv12

import (
	"context"
	"database/sql"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

func badInLoop(ctx context.Context, tx pgx.Tx) error {
	rows, err := tx.Query(ctx, "select id from a")
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var id int
		if err := rows.Scan(&id); err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, "update a set x = 1 where id = $1", id); err != nil { // want `RKV12 busy-rows`
			return err
		}
	}
	return rows.Err()
}

func badBeforeLoop(tx *sql.Tx) error {
	rows, err := tx.Query("select id from a")
	if err != nil {
		return err
	}
	defer rows.Close()
	if _, err := tx.Exec("update a set x = 1"); err != nil { // want `RKV12`
		return err
	}
	for rows.Next() {
	}
	return rows.Err()
}

func update(ctx context.Context, tx pgx.Tx, id int) error {
	_, err := tx.Exec(ctx, "update a set x = 1 where id = $1", id)
	return err
}

func badHelper(ctx context.Context, pool *pgxpool.Pool) error {
	return pgx.BeginFunc(ctx, pool, func(tx pgx.Tx) error {
		rows, err := tx.Query(ctx, "select id from a")
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			if err := update(ctx, tx, 1); err != nil { // want `RKV12`
				return err
			}
		}
		return rows.Err()
	})
}

func badAfterBreak(ctx context.Context, tx pgx.Tx) error {
	rows, err := tx.Query(ctx, "select id from a")
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		break
	}
	_, err = tx.Exec(ctx, "update a set x = 1") // want `RKV12`
	return err
}

func badNested(ctx context.Context, conn *pgx.Conn) error {
	rows, err := conn.Query(ctx, "select id from a")
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var n int
		if err := conn.QueryRow(ctx, "select count(*) from b").Scan(&n); err != nil { // want `RKV12`
			return err
		}
	}
	return rows.Err()
}
