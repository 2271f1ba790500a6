package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/cenkalti/backoff/v5"
	"github.com/cockroachdb/cockroach-go/v2/crdb/crdbpgxv5"
	"github.com/failsafe-go/failsafe-go"
	"github.com/failsafe-go/failsafe-go/retrypolicy"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/rowkeeper/rowkeeper/txn"
)

// candidate is one way of running a transaction until it is committed.
type candidate struct {
	key, name string
	ours      bool
	run       func(ctx context.Context, pool *pgxpool.Pool, do work) error
}

// withoutQueues is the candidate that shows the effect of queues.
const withoutQueues = "rowkeeper-no-admission"

var candidates = []candidate{
	{"rowkeeper", "Rowkeeper", true, func(ctx context.Context, pool *pgxpool.Pool, do work) error {
		return txn.Run(ctx, pool, queueing(do))
	}},
	{withoutQueues, "Rowkeeper, NoAdmission", true, func(ctx context.Context, pool *pgxpool.Pool, do work) error {
		return txn.Run(ctx, pool, queueing(do), txn.NoAdmission())
	}},
	{baseCockroachGo, "cockroach-go ExecuteTx", false, func(ctx context.Context, pool *pgxpool.Pool, do work) error {
		return crdbpgx.ExecuteTx(ctx, pool, serializable, sending(ctx, do))
	}},
	{"pgx-at-once", "pgx, again at once", false, func(ctx context.Context, pool *pgxpool.Pool, do work) error {
		for {
			if err := once(ctx, pool, do); !isConflict(err) || ctx.Err() != nil {
				return err
			}
		}
	}},
	{"pgx-backoff", "pgx, cenkalti/backoff", false, func(ctx context.Context, pool *pgxpool.Pool, do work) error {
		wait := &backoff.ExponentialBackOff{
			InitialInterval: firstWait, MaxInterval: longestWait, Multiplier: 2, RandomizationFactor: waitJitter,
		}
		_, err := backoff.Retry(ctx, func() (struct{}, error) {
			err := once(ctx, pool, do)
			if err != nil && !isConflict(err) {
				err = backoff.Permanent(err)
			}
			return struct{}{}, err
		}, backoff.WithBackOff(wait))
		return err
	}},
	{"pgx-failsafe", "pgx, failsafe-go", false, func(ctx context.Context, pool *pgxpool.Pool, do work) error {
		return failsafe.With[any](failsafePolicy).WithContext(ctx).Run(func() error { return once(ctx, pool, do) })
	}},
	{"three-tries", "pgx, 3 tries, 1 s apart", false, func(ctx context.Context, pool *pgxpool.Pool, do work) error {
		for try := 1; ; try++ {
			if err := once(ctx, pool, do); !isConflict(err) || try == 3 {
				return err
			}
			select {
			case <-ctx.Done():
				return ctx.Err()
			case <-time.After(time.Second):
			}
		}
	}},
}

// The backoff libraries are configured like Rowkeeper without a queue. Their
// defaults, such as 500 ms for the first wait, are made for services that are down.
const (
	firstWait   = time.Millisecond
	longestWait = 512 * time.Millisecond
	waitJitter  = 0.5
)

var failsafePolicy = retrypolicy.NewBuilder[any]().
	HandleIf(func(_ any, err error) bool { return isConflict(err) }).
	WithMaxAttempts(-1).
	WithBackoff(firstWait, longestWait).
	WithJitterFactor(waitJitter).
	ReturnLastFailure().
	Build()

// queueing returns the work as users of Rowkeeper write it.
func queueing(do work) func(context.Context, *txn.Tx) error {
	return func(ctx context.Context, tx *txn.Tx) error {
		return do(ctx, hotTx{tx, func(_ context.Context, sql string, args ...any) error {
			tx.Queue(sql, args...)
			return nil
		}})
	}
}

// sending returns the work for libraries that give the function a pgx.Tx.
func sending(ctx context.Context, do work) func(pgx.Tx) error {
	return func(tx pgx.Tx) error {
		return do(ctx, hotTx{tx, func(ctx context.Context, sql string, args ...any) error {
			_, err := tx.Exec(ctx, sql, args...)
			return err
		}})
	}
}

func once(ctx context.Context, pool *pgxpool.Pool, do work) error {
	return pgx.BeginTxFunc(ctx, pool, serializable, sending(ctx, do))
}

func isConflict(err error) bool {
	var pgErr *pgconn.PgError
	return errors.As(err, &pgErr) && (pgErr.Code == "40001" || pgErr.Code == "40P01")
}

// isDefinite reports whether certainly nothing was committed: the server returned
// an error, or the candidate's own report is reliable.
func (c candidate) isDefinite(err error) bool {
	if c.ours {
		var unknown *txn.OutcomeUnknownError
		var committed *txn.CommittedError
		return !errors.As(err, &unknown) && !errors.As(err, &committed)
	}
	var pgErr *pgconn.PgError
	return errors.As(err, &pgErr)
}

func candidateNamed(key string) (c candidate, err error) {
	for _, c := range candidates {
		if c.key == key {
			return c, nil
		}
	}
	return c, fmt.Errorf("there is no such candidate; there is %s", joined(candidates, func(c candidate) string { return c.key }))
}
