package rkv07

import (
	"context"
	"database/sql"
	"sync"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"golang.org/x/sync/errgroup"
)

func badGroup(ctx context.Context, tx pgx.Tx) error {
	var g errgroup.Group
	g.Go(func() error {
		_, err := tx.Exec(ctx, "update a set x = 1")
		return err
	})
	g.Go(func() error { // want `RKV07 tx-concurrent: a second goroutine`
		_, err := tx.Exec(ctx, "update b set x = 1")
		return err
	})
	return g.Wait()
}

func badLoop(db *sql.DB, ids []int) error {
	tx, err := db.Begin()
	if err != nil {
		return err
	}
	defer tx.Rollback()
	var wg sync.WaitGroup
	for _, id := range ids {
		wg.Add(1)
		go func() { // want `RKV07 tx-concurrent: several goroutines`
			defer wg.Done()
			tx.Exec("update a set x = 1 where id = $1", id)
		}()
	}
	wg.Wait()
	return tx.Commit()
}

func badBorrowed(ctx context.Context, tx pgx.Tx) {
	go func() { // want `RKV07 tx-concurrent: the goroutine may use the transaction after`
		tx.Exec(ctx, "update a set x = 1")
	}()
}

func badMeanwhile(ctx context.Context, pool *pgxpool.Pool) error {
	tx, err := pool.Begin(ctx)
	if err != nil {
		return err
	}
	defer tx.Rollback(ctx)
	go audit(ctx, tx) // want `RKV07 tx-concurrent: the goroutine uses the transaction at the same time`
	if _, err := tx.Exec(ctx, "update a set x = 1"); err != nil {
		return err
	}
	return tx.Commit(ctx)
}

func audit(ctx context.Context, tx pgx.Tx) { tx.Exec(ctx, "insert into audit values (1)") }

type server struct{ last pgx.Tx }

func (s *server) badKept(ctx context.Context, pool *pgxpool.Pool) error {
	return pgx.BeginFunc(ctx, pool, func(tx pgx.Tx) error {
		s.last = tx // want `RKV07 tx-concurrent: the transaction is kept`
		return nil
	})
}

func badKeptVariable(ctx context.Context, pool *pgxpool.Pool) error {
	var kept pgx.Tx
	err := pgx.BeginFunc(ctx, pool, func(tx pgx.Tx) error {
		kept = tx // want `RKV07`
		return nil
	})
	if err != nil {
		return err
	}
	_, err = kept.Exec(ctx, "update a set x = 1")
	return err
}
