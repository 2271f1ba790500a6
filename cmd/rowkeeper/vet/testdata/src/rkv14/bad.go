package rkv14

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/cockroachdb/cockroach-go/v2/crdb"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/rowkeeper/rowkeeper/txn"
)

func badVerb(ctx context.Context, db *sql.DB) error {
	return crdb.ExecuteTx(ctx, db, nil, func(tx *sql.Tx) error {
		if _, err := tx.Exec("update a set x = 1"); err != nil {
			return fmt.Errorf("update: %v", err) // want `RKV14 hidden-sqlstate: %v hides the SQLSTATE`
		}
		return nil
	})
}

func badString(ctx context.Context, db *sql.DB, id int) error {
	return crdb.ExecuteTx(ctx, db, nil, func(tx *sql.Tx) error {
		var n int
		if err := tx.QueryRow("select x from a").Scan(&n); err != nil {
			return fmt.Errorf("100%% of %d: %s", id, err) // want `RKV14 hidden-sqlstate: %s hides`
		}
		return nil
	})
}

func badText(ctx context.Context, db *sql.DB) error {
	return crdb.ExecuteTx(ctx, db, nil, func(tx *sql.Tx) error {
		if _, err := tx.Exec("update a set x = 1"); err != nil {
			return errors.New("update: " + err.Error()) // want `RKV14`
		}
		return nil
	})
}

func badRowkeeper(ctx context.Context, pool *pgxpool.Pool) error {
	return txn.Run(ctx, pool, func(ctx context.Context, tx *txn.Tx) error {
		if _, err := tx.Exec(ctx, "update a set x = 1"); err != nil {
			return fmt.Errorf("update: %v", err) // want `RKV14`
		}
		return nil
	})
}

func isConflict(err error) bool { return err != nil }

// withRetry is found to be a runner that retries.
func withRetry(ctx context.Context, pool *pgxpool.Pool, fn func(pgx.Tx) error) error {
	for range 5 {
		tx, err := pool.Begin(ctx)
		if err != nil {
			return err
		}
		err = fn(tx)
		if err == nil {
			err = tx.Commit(ctx)
		} else {
			tx.Rollback(ctx)
		}
		if !isConflict(err) {
			return err
		}
	}
	return errors.New("too many conflicts")
}

func badInferred(ctx context.Context, pool *pgxpool.Pool) error {
	return withRetry(ctx, pool, func(tx pgx.Tx) error {
		if err := step(ctx, tx); err != nil {
			return fmt.Errorf("step: %v", err) // want `RKV14`
		}
		return nil
	})
}

func step(ctx context.Context, tx pgx.Tx) error {
	if _, err := tx.Exec(ctx, "update a set x = 1"); err != nil {
		return fmt.Errorf("step: %q", err) // want `RKV14 hidden-sqlstate: %q hides`
	}
	return nil
}
