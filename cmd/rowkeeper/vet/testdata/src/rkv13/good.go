package rkv13

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

func goodBounded(ctx context.Context, pool *pgxpool.Pool) error {
	for range 5 {
		_, err := pool.Exec(ctx, "update a set x = 1")
		if !isConflict(err) {
			return err
		}
	}
	return errors.New("conflicts")
}

func goodWaits(ctx context.Context, pool *pgxpool.Pool) error {
	for {
		_, err := pool.Exec(ctx, "update a set x = 1")
		if !isConflict(err) {
			return err
		}
		time.Sleep(time.Second)
	}
}

func goodContext(ctx context.Context, db *sql.DB) error {
	for ctx.Err() == nil {
		if err := transfer(db); !isConflict(err) {
			return err
		}
	}
	return ctx.Err()
}

func goodSavepoint(ctx context.Context, tx pgx.Tx) error {
	for range 5 {
		if _, err := tx.Exec(ctx, "savepoint s"); err != nil {
			return err
		}
		_, err := tx.Exec(ctx, "update a set x = 1")
		if !isConflict(err) {
			return err
		}
		if _, err := tx.Exec(ctx, "rollback to savepoint s"); err != nil {
			return err
		}
	}
	return errors.New("conflicts")
}

func goodPolling(ctx context.Context, pool *pgxpool.Pool, tick <-chan time.Time) error {
	for range tick {
		if _, err := pool.Exec(ctx, "update a set x = 1"); err != nil && !isConflict(err) {
			return err
		}
	}
	return nil
}

func goodNoSQLState(db *sql.DB, items []int) error {
	for range items {
		if err := transfer(db); err != nil {
			return err
		}
	}
	return nil
}

func goodGivesUp(ctx context.Context, tx pgx.Tx, items []string) error {
	for _, item := range items {
		if _, err := tx.Exec(ctx, "update a set x = $1", item); err != nil {
			if isConflict(err) {
				return errors.New("conflict")
			}
			return err
		}
	}
	return nil
}
