package rkv17

import (
	"context"
	"database/sql"
	"net/http"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

func goodPassed(ctx context.Context, pool *pgxpool.Pool) error {
	_, err := pool.Exec(ctx, "update a set x = 1")
	return err
}

func goodNoContext(pool *pgxpool.Pool) error {
	_, err := pool.Exec(context.Background(), "update a set x = 1")
	return err
}

func goodRollback(ctx context.Context, tx pgx.Tx) {
	defer tx.Rollback(context.Background())
	tx.Exec(ctx, "update a set x = 1")
}

func goodWithoutCancel(ctx context.Context, pool *pgxpool.Pool) error {
	_, err := pool.Exec(context.WithoutCancel(ctx), "update a set x = 1")
	return err
}

func goodGoroutine(db *sql.DB, w http.ResponseWriter, r *http.Request) {
	go func() { db.ExecContext(context.Background(), "update a set x = 1") }()
}

func goodAfterCommit(ctx context.Context, pool *pgxpool.Pool) error {
	tx, err := pool.Begin(ctx)
	if err != nil {
		return err
	}
	defer tx.Rollback(ctx)
	if err := tx.Commit(ctx); err != nil {
		return err
	}
	_, err = pool.Exec(context.Background(), "notify done")
	return err
}

func goodDeferred(ctx context.Context, pool *pgxpool.Pool) {
	defer func() { pool.Exec(context.Background(), "select pg_advisory_unlock(1)") }()
	pool.Exec(ctx, "select pg_advisory_lock(1)")
}
