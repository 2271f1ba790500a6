package rkv13

import (
	"context"
	"database/sql"
	"errors"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
)

func isConflict(err error) bool {
	var e *pgconn.PgError
	return errors.As(err, &e) && e.Code == "40001"
}

func badForever(ctx context.Context, pool *pgxpool.Pool) error {
	for {
		_, err := pool.Exec(ctx, "update a set x = 1") // want `RKV13 naive-retry: the loop retries after a conflict without a bound`
		if !isConflict(err) {
			return err
		}
	}
}

func badBeginFunc(ctx context.Context, pool *pgxpool.Pool, fn func(pgx.Tx) error) error {
	for {
		err := pgx.BeginFunc(ctx, pool, fn) // want `RKV13`
		if err == nil || !isConflict(err) {
			return err
		}
	}
}

func badInsideTx(ctx context.Context, tx pgx.Tx) error {
	for range 5 {
		_, err := tx.Exec(ctx, "update a set x = 1") // want `RKV13 naive-retry: the statement is retried inside the transaction`
		if !isConflict(err) {
			return err
		}
	}
	return errors.New("conflicts")
}

func transfer(db *sql.DB) error {
	_, err := db.Exec("update a set x = 1")
	return err
}

func badHelper(db *sql.DB) error {
	err := transfer(db)
	for isConflict(err) {
		err = transfer(db) // want `RKV13`
	}
	return err
}

func badCode(db *sql.DB) error {
	for {
		err := transfer(db) // want `RKV13`
		var e *pgconn.PgError
		if errors.As(err, &e) && e.Code == "40P01" {
			continue
		}
		return err
	}
}

func badInsideOwnTx(db *sql.DB) error {
	tx, err := db.Begin()
	if err != nil {
		return err
	}
	defer tx.Rollback()
	for range 3 {
		if _, err = tx.Exec("update a set x = 1"); !isConflict(err) { // want `RKV13`
			break
		}
	}
	if err != nil {
		return err
	}
	return tx.Commit()
}
