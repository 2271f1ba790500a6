package rkv05

import (
	"context"
	"database/sql"
	"errors"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/jmoiron/sqlx"
)

func badEarlyReturn(db *sql.DB) error {
	tx, err := db.Begin() // want `RKV05 tx-leak: the return on line \d+ leaves the transaction open`
	if err != nil {
		return err
	}
	if _, err := tx.Exec("update a set x = 1"); err != nil {
		return err
	}
	return tx.Commit()
}

func badValidation(ctx context.Context, pool *pgxpool.Pool, n int) error {
	tx, err := pool.Begin(ctx) // want `RKV05`
	if err != nil {
		return err
	}
	if n < 0 {
		return errors.New("negative")
	}
	defer tx.Rollback(ctx)
	return tx.Commit(ctx)
}

func badNeverEnded(db *sqlx.DB) error {
	tx, err := db.Beginx() // want `RKV05`
	if err != nil {
		return err
	}
	_, err = tx.Exec("update a set x = 1")
	return err
}

func write(ctx context.Context, tx pgx.Tx) error {
	_, err := tx.Exec(ctx, "update a set x = 1")
	return err
}

func badHelper(ctx context.Context, pool *pgxpool.Pool) error {
	tx, err := pool.Begin(ctx) // want `RKV05`
	if err != nil {
		return err
	}
	if err := write(ctx, tx); err != nil {
		return err
	}
	return tx.Commit(ctx)
}

type store struct{ db *sql.DB }

func (s *store) begin(ctx context.Context) (*sql.Tx, error) {
	return s.db.BeginTx(ctx, &sql.TxOptions{Isolation: sql.LevelSerializable})
}

func (s *store) badBegunByHelper(ctx context.Context) error {
	tx, err := s.begin(ctx) // want `RKV05`
	if err != nil {
		return err
	}
	if _, err := tx.Exec("update a set x = 1"); err != nil {
		return err
	}
	return tx.Commit()
}

func badOneBranch(db *sql.DB, yes bool) error {
	tx, err := db.Begin() // want `RKV05`
	if err != nil {
		return err
	}
	if yes {
		return tx.Commit()
	}
	return nil
}
