package rkv01

import (
	"context"
	"database/sql"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/rowkeeper/rowkeeper/txn"
)

type store struct{ db *pgxpool.Pool }

func (s *store) badBetween(ctx context.Context) error {
	tx, err := s.db.Begin(ctx)
	if err != nil {
		return err
	}
	defer tx.Rollback(ctx)
	if _, err := s.db.Exec(ctx, "update a set x = 1"); err != nil { // want `RKV01 pool-in-tx: the statement goes to the pool while tx is open`
		return err
	}
	return tx.Commit(ctx)
}

func (s *store) name(ctx context.Context, id int) (name string, err error) {
	err = s.db.QueryRow(ctx, "select name from a where id = $1", id).Scan(&name)
	return name, err
}

func (s *store) badHelper(ctx context.Context, id int) error {
	tx, err := s.db.Begin(ctx)
	if err != nil {
		return err
	}
	defer tx.Rollback(ctx)
	name, err := s.name(ctx, id) // want `RKV01 pool-in-tx: name sends a statement to the pool`
	if err != nil {
		return err
	}
	if _, err := tx.Exec(ctx, "update a set name = $1", name); err != nil {
		return err
	}
	return tx.Commit(ctx)
}

func badRunner(ctx context.Context, pool *pgxpool.Pool) error {
	return txn.Run(ctx, pool, func(ctx context.Context, tx *txn.Tx) error {
		_, err := pool.Exec(ctx, "update a set x = 1") // want `RKV01`
		return err
	})
}

func badBeginFunc(ctx context.Context, pool *pgxpool.Pool) error {
	return pgx.BeginFunc(ctx, pool, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, "update a set x = 1"); err != nil {
			return err
		}
		var n int
		return pool.QueryRow(ctx, "select count(*) from a").Scan(&n) // want `RKV01`
	})
}

func (s *store) inTx(ctx context.Context, fn func(pgx.Tx) error) error {
	tx, err := s.db.Begin(ctx)
	if err != nil {
		return err
	}
	defer tx.Rollback(ctx)
	if err := fn(tx); err != nil {
		return err
	}
	return tx.Commit(ctx)
}

func (s *store) badInferred(ctx context.Context) error {
	return s.inTx(ctx, func(tx pgx.Tx) error {
		_, err := s.db.Exec(ctx, "update a set x = 1") // want `RKV01`
		return err
	})
}

func (s *store) badBeside(ctx context.Context, tx pgx.Tx) error {
	_, err := s.db.Exec(ctx, "update a set x = 1") // want `RKV01`
	return err
}

var db *sql.DB

func badGlobal() error {
	tx, err := db.Begin()
	if err != nil {
		return err
	}
	defer tx.Rollback()
	if _, err := db.Exec("update a set x = 1"); err != nil { // want `RKV01`
		return err
	}
	return tx.Commit()
}
