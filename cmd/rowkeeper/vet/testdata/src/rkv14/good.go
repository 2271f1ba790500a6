package rkv14

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log"

	"github.com/cockroachdb/cockroach-go/v2/crdb"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

func goodWrapped(ctx context.Context, db *sql.DB) error {
	return crdb.ExecuteTx(ctx, db, nil, func(tx *sql.Tx) error {
		if _, err := tx.Exec("update a set x = 1"); err != nil {
			return fmt.Errorf("update %v: %w", 5, err)
		}
		return nil
	})
}

func goodNotRetried(ctx context.Context, pool *pgxpool.Pool) error {
	return pgx.BeginFunc(ctx, pool, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, "update a set x = 1"); err != nil {
			return fmt.Errorf("update: %v", err)
		}
		return nil
	})
}

func goodOutside(ctx context.Context, db *sql.DB) error {
	err := crdb.ExecuteTx(ctx, db, nil, func(tx *sql.Tx) error {
		_, err := tx.Exec("update a set x = 1")
		return err
	})
	if err != nil {
		return fmt.Errorf("run: %v", err)
	}
	return nil
}

func goodLogged(ctx context.Context, db *sql.DB) error {
	return crdb.ExecuteTx(ctx, db, nil, func(tx *sql.Tx) error {
		_, err := tx.Exec("update a set x = 1")
		if err != nil {
			log.Print(fmt.Errorf("update: %v", err))
		}
		return err
	})
}

func goodOtherError(ctx context.Context, db *sql.DB, check func() error) error {
	return crdb.ExecuteTx(ctx, db, nil, func(tx *sql.Tx) error {
		if err := check(); err != nil {
			return fmt.Errorf("check: %v", err)
		}
		return errors.New("nothing to do")
	})
}

func each(ctx context.Context, pool *pgxpool.Pool, names []string, fn func(pgx.Tx, string) error) error {
	for _, name := range names {
		tx, err := pool.Begin(ctx)
		if err != nil {
			return err
		}
		if err := fn(tx, name); err != nil {
			tx.Rollback(ctx)
			return err
		}
		if err := tx.Commit(ctx); err != nil {
			return err
		}
	}
	return nil
}

func goodEach(ctx context.Context, pool *pgxpool.Pool, names []string) error {
	return each(ctx, pool, names, func(tx pgx.Tx, name string) error {
		if _, err := tx.Exec(ctx, "update a set x = 1"); err != nil {
			return fmt.Errorf("%s: %v", name, err)
		}
		return nil
	})
}
