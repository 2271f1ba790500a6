package rkv01

import (
	"context"
	"database/sql"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/rowkeeper/rowkeeper/txn"
)

func (s *store) goodThroughTx(ctx context.Context) error {
	tx, err := s.db.Begin(ctx)
	if err != nil {
		return err
	}
	defer tx.Rollback(ctx)
	if _, err := tx.Exec(ctx, "update a set x = 1"); err != nil {
		return err
	}
	return tx.Commit(ctx)
}

func (s *store) goodAfterCommit(ctx context.Context) error {
	tx, err := s.db.Begin(ctx)
	if err != nil {
		return err
	}
	if err := tx.Commit(ctx); err != nil {
		return err
	}
	_, err = s.db.Exec(ctx, "notify done")
	return err
}

type two struct{ primary, archive *pgxpool.Pool }

func (s *two) goodOtherPool(ctx context.Context) error {
	return pgx.BeginFunc(ctx, s.primary, func(tx pgx.Tx) error {
		_, err := s.archive.Exec(ctx, "insert into log values (1)")
		return err
	})
}

func (s *two) goodOtherBeside(ctx context.Context, tx pgx.Tx) error {
	_, err := s.archive.Exec(ctx, "insert into log values (1)")
	return err
}

func goodOnCommit(ctx context.Context, pool *pgxpool.Pool) error {
	return txn.Run(ctx, pool, func(ctx context.Context, tx *txn.Tx) error {
		tx.OnCommit(func(ctx context.Context) { pool.Exec(ctx, "notify done") })
		_, err := tx.Exec(ctx, "update a set x = 1")
		return err
	})
}

func (s *store) goodOptional(ctx context.Context, tx pgx.Tx) error {
	if tx == nil {
		_, err := s.db.Exec(ctx, "update a set x = 1")
		return err
	}
	_, err := tx.Exec(ctx, "update a set x = 1")
	return err
}

func goodConn(ctx context.Context, conn *pgx.Conn) error {
	tx, err := conn.Begin(ctx)
	if err != nil {
		return err
	}
	defer tx.Rollback(ctx)
	if _, err := conn.Exec(ctx, "update a set x = 1"); err != nil {
		return err
	}
	return tx.Commit(ctx)
}

func goodFailed(db *sql.DB) error {
	tx, err := db.Begin()
	if err != nil {
		db.Exec("insert into failures values (1)")
		return err
	}
	return tx.Commit()
}
