package rkv07

import (
	"context"
	"database/sql"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"golang.org/x/sync/errgroup"
)

func goodOwn(db *sql.DB, ids []int) error {
	var g errgroup.Group
	for _, id := range ids {
		g.Go(func() error {
			tx, err := db.Begin()
			if err != nil {
				return err
			}
			defer tx.Rollback()
			if _, err := tx.Exec("update a set x = 1 where id = $1", id); err != nil {
				return err
			}
			return tx.Commit()
		})
	}
	return g.Wait()
}

func goodWaited(ctx context.Context, tx pgx.Tx) error {
	done := make(chan error)
	go func() {
		_, err := tx.Exec(ctx, "update a set x = 1")
		done <- err
	}()
	return <-done
}

func goodOneInGroup(ctx context.Context, tx pgx.Tx, load func() error) error {
	var g errgroup.Group
	g.Go(load)
	g.Go(func() error {
		_, err := tx.Exec(ctx, "update a set x = 1")
		return err
	})
	return g.Wait()
}

type repo struct{ tx pgx.Tx }

func goodLocal(ctx context.Context, pool *pgxpool.Pool) error {
	return pgx.BeginFunc(ctx, pool, func(tx pgx.Tx) error {
		r := &repo{tx: tx}
		_, err := r.tx.Exec(ctx, "update a set x = 1")
		return err
	})
}

func goodPool(ctx context.Context, pool *pgxpool.Pool) {
	go pool.Exec(ctx, "update a set x = 1")
	pool.Exec(ctx, "update a set x = 2")
}

func goodHandedOver(ctx context.Context, pool *pgxpool.Pool) error {
	tx, err := pool.Begin(ctx)
	if err != nil {
		return err
	}
	go func() {
		defer tx.Rollback(ctx)
		audit(ctx, tx)
	}()
	return nil
}
