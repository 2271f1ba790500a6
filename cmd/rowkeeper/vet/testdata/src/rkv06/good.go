package rkv06

import (
	"context"
	"database/sql"
	"net/http"
	"time"

	"github.com/cockroachdb/cockroach-go/v2/crdb"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/rowkeeper/rowkeeper/txn"
)

func goodOnCommit(ctx context.Context, pool *pgxpool.Pool) error {
	return txn.Run(ctx, pool, func(ctx context.Context, tx *txn.Tx) error {
		tx.OnCommit(func(ctx context.Context) { http.Get("https://example.com") })
		return nil
	})
}

func goodReset(ctx context.Context, db *sql.DB) (names []string, err error) {
	err = crdb.ExecuteTx(ctx, db, nil, func(tx *sql.Tx) error {
		names = nil
		names = append(names, "x")
		return nil
	})
	return names, err
}

func goodAssigned(ctx context.Context, db *sql.DB) (name string, err error) {
	err = crdb.ExecuteTx(ctx, db, nil, func(tx *sql.Tx) error {
		return tx.QueryRow("select name from a").Scan(&name)
	})
	return name, err
}

func goodLocal(ctx context.Context, db *sql.DB) error {
	return crdb.ExecuteTx(ctx, db, nil, func(tx *sql.Tx) error {
		var names []string
		n := 0
		for range 3 {
			names = append(names, "x")
			n++
		}
		_, err := tx.Exec("update a set x = $1, y = $2", n, names)
		return err
	})
}

func goodNotRetried(ctx context.Context, pool *pgxpool.Pool) (names []string, err error) {
	err = pgx.BeginFunc(ctx, pool, func(tx pgx.Tx) error {
		names = append(names, "x")
		time.Sleep(time.Millisecond)
		return nil
	})
	return names, err
}

func goodAttempts(ctx context.Context, db *sql.DB) (attempts int, err error) {
	err = crdb.ExecuteTx(ctx, db, nil, func(tx *sql.Tx) error {
		attempts++
		return nil
	})
	return attempts, err
}

type outbox struct{}

func (outbox) Publish(tx pgx.Tx, topic string) error { return nil }

func (s *service) goodOutbox(ctx context.Context, o outbox) error {
	return s.retry(ctx, func(tx pgx.Tx) error { return o.Publish(tx, "changed") })
}
