package rkv06

import (
	"context"
	"database/sql"
	"errors"
	"net/http"
	"time"

	"github.com/cockroachdb/cockroach-go/v2/crdb"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/rowkeeper/rowkeeper/txn"
)

func badHTTP(ctx context.Context, db *sql.DB) error {
	return crdb.ExecuteTx(ctx, db, nil, func(tx *sql.Tx) error {
		resp, err := http.Get("https://example.com") // want `RKV06 retried-effect: the function is retried, and makes an HTTP request each time`
		if err != nil {
			return err
		}
		return resp.Body.Close()
	})
}

func badAppend(ctx context.Context, pool *pgxpool.Pool) (names []string, err error) {
	err = txn.Run(ctx, pool, func(ctx context.Context, tx *txn.Tx) error {
		var name string
		if err := tx.QueryRow(ctx, "select name from a").Scan(&name); err != nil {
			return err
		}
		names = append(names, name) // want `RKV06 retried-effect: the function is retried, and appends to names`
		return nil
	})
	return names, err
}

func badSum(ctx context.Context, db *sql.DB, amounts []int) (total int, err error) {
	err = crdb.ExecuteTx(ctx, db, nil, func(tx *sql.Tx) error {
		for _, n := range amounts {
			total += n // want `RKV06`
		}
		return nil
	})
	return total, err
}

func badSend(ctx context.Context, db *sql.DB, events chan<- string) error {
	return crdb.ExecuteTx(ctx, db, nil, func(tx *sql.Tx) error {
		events <- "changed" // want `RKV06 retried-effect: the function is retried, and sends on a channel`
		_, err := tx.Exec("update a set x = 1")
		return err
	})
}

type bus interface {
	Publish(topic string, body []byte) error
}

type service struct {
	db    *pgxpool.Pool
	bus   bus
	count int
}

func (s *service) retry(ctx context.Context, fn func(tx pgx.Tx) error) error {
	for range 3 {
		tx, err := s.db.Begin(ctx)
		if err != nil {
			return err
		}
		err = errors.Join(fn(tx), tx.Commit(ctx))
		if err == nil {
			return nil
		}
		tx.Rollback(ctx)
	}
	return errors.New("conflicts")
}

func (s *service) badPublish(ctx context.Context) error {
	return s.retry(ctx, func(tx pgx.Tx) error {
		return s.bus.Publish("changed", nil) // want `RKV06 retried-effect: the function is retried, and calls rkv06.bus.Publish`
	})
}

func (s *service) badField(ctx context.Context) error {
	return s.retry(ctx, func(tx pgx.Tx) error {
		s.count++ // want `RKV06`
		return nil
	})
}

func configured(ctx context.Context, fn func() error) error { return fn() }

func badConfigured(ctx context.Context) error {
	return configured(ctx, func() error {
		time.Sleep(time.Second) // want `RKV06 retried-effect: the function is retried, and sleeps`
		return nil
	})
}
