package txn_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	"github.com/rowkeeper/rowkeeper/internal/devdb/dbtest"
	"github.com/rowkeeper/rowkeeper/txn"
	"github.com/rowkeeper/rowkeeper/txn/once"
)

// One of many callers has an effect, and all get its result: in one process, and as if
// each were a separate process.
func TestOnceConcurrently(t *testing.T) {
	const callers = 32
	for _, pools := range []int{1, 4} {
		t.Run(fmt.Sprint(pools, " pools"), func(t *testing.T) {
			dbtest.Each(t, func(t *testing.T, db *dbtest.DB) {
				withLedger(t, db)
				f := withFaults(t, db)
				all := []*pgxpool.Pool{f.pool}
				for len(all) < pools {
					all = append(all, poolWith(t, db, func(c *pgxpool.Config) { c.MaxConns = 2 }))
				}
				var runs, effects atomic.Int64
				got := make([]receipt, callers)
				errs := make([]error, callers)
				var wg sync.WaitGroup
				for i := range callers {
					wg.Go(func() {
						got[i], errs[i] = txn.RunInTx(t.Context(), all[i%pools], func(ctx context.Context, tx *txn.Tx) (receipt, error) {
							runs.Add(1)
							_, err := tx.Exec(ctx, insertEffect, 1, i)
							if err == nil {
								effects.Add(1)
							}
							return receipt{Call: i, Note: "x"}, err
						}, once.Key("test", "k", "same"))
					})
				}
				wg.Wait()
				for i := range callers {
					require.NoError(t, errs[i])
					require.Equal(t, got[0], got[i])
				}
				require.Equal(t, []int{got[0].Call}, f.effects(t, 1))
				if pools == 1 {
					require.EqualValues(t, 1, effects.Load())
				}
			})
		})
	}
}

// A waiting call in the same process has no connection, so a pool of one is enough.
func TestOnceWaitsWithoutAConnection(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *dbtest.DB) {
		withLedger(t, db)
		f := withFaults(t, db)
		entered, goOn := make(chan struct{}), make(chan struct{})
		run := func(ctx context.Context, ledger once.Ledger) (int, error) {
			return txn.RunInTx(ctx, f.pool, func(ctx context.Context, tx *txn.Tx) (int, error) {
				_, err := tx.Exec(ctx, insertEffect, 1, 1)
				if err == nil {
					close(entered)
					<-goOn
				}
				return 7, err
			}, ledger.Key("test", "k", nil))
		}
		results := make(chan error, 2)
		go func() {
			_, err := run(t.Context(), once.Ledger{})
			results <- err
		}()
		<-entered
		_, err := run(t.Context(), once.Ledger{NoWait: true})
		require.ErrorIs(t, err, once.ErrInFlight)
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
		defer cancel()
		_, err = run(ctx, once.Ledger{})
		require.ErrorIs(t, err, context.DeadlineExceeded)
		require.EqualValues(t, 1, f.pool.Stat().AcquiredConns())
		require.Zero(t, f.pool.Stat().EmptyAcquireCount()-f.pool.Stat().NewConnsCount(), "nobody waited for the connection")
		go func() {
			n, err := run(t.Context(), once.Ledger{})
			if n != 7 {
				err = errors.Join(err, fmt.Errorf("got %d", n))
			}
			results <- err
		}()
		close(goOn)
		require.NoError(t, <-results)
		require.NoError(t, <-results)
		require.Len(t, f.effects(t, 1), 1)
	})
}

// Another process that uses the key is represented by a transaction with its row.
func TestOnceNoWaitForAnotherProcess(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *dbtest.DB) {
		withLedger(t, db)
		accounts(t, db)
		other := poolWith(t, db, func(*pgxpool.Config) {})
		entered, goOn := make(chan struct{}), make(chan struct{})
		first := make(chan error, 1)
		go func() {
			first <- txn.Run(t.Context(), other, func(ctx context.Context, tx *txn.Tx) error {
				err := write(ctx, tx, 1, 7)
				close(entered)
				<-goOn
				return err
			}, once.Key("test", "k", nil))
		}()
		<-entered
		run := func() error {
			return txn.Run(t.Context(), db, func(ctx context.Context, tx *txn.Tx) error {
				_ = write(ctx, tx, 2, 7)
				return errors.New("mine")
			}, once.Ledger{NoWait: true}.Key("test", "k", nil))
		}
		require.ErrorIs(t, run(), once.ErrInFlight)
		close(goOn)
		require.NoError(t, <-first)
		require.NoError(t, run())
		require.Equal(t, 100, balance(t, db, 2))
	})
}

// Only the claim does not wait: the function has its own lock_timeout again.
func TestOnceNoWaitIsForTheClaim(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *dbtest.DB) {
		withLedger(t, db)
		if db.Cockroach() {
			t.Skip("CockroachDB v21.1 has no lock_timeout")
		}
		for i, opts := range [][]txn.Option{nil, {txn.Timeouts{Lock: 7 * time.Second}}} {
			timeout, err := txn.RunInTx(t.Context(), db, func(ctx context.Context, tx *txn.Tx) (s string, err error) {
				return s, tx.QueryRow(ctx, "show lock_timeout").Scan(&s)
			}, append(opts, once.Ledger{NoWait: true}.Key("test", fmt.Sprint(i), nil))...)
			require.NoError(t, err)
			require.Equal(t, []string{"0", "7s"}[i], timeout)
		}
	})
}

func TestTooManyWaitForAKey(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *dbtest.DB) {
		withLedger(t, db)
		entered, goOn := make(chan struct{}), make(chan struct{})
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		var refused, canceled atomic.Int64
		var wg sync.WaitGroup
		wg.Go(func() {
			err := txn.Run(t.Context(), db, func(context.Context, *txn.Tx) error { close(entered); <-goOn; return nil }, once.Key("test", "k", nil))
			if err != nil {
				t.Error(err)
			}
		})
		<-entered
		const waiting = 1000
		for range waiting + 1 {
			wg.Go(func() {
				err := txn.Run(ctx, db, func(context.Context, *txn.Tx) error { return nil }, once.Key("test", "k", nil))
				switch {
				case errors.Is(err, once.ErrInFlight):
					refused.Add(1)
					cancel()
				case errors.Is(err, context.Canceled):
					canceled.Add(1)
				}
			})
		}
		<-ctx.Done()
		close(goOn)
		wg.Wait()
		require.EqualValues(t, 1, refused.Load())
		require.NotZero(t, canceled.Load())
		require.NoError(t, txn.Run(t.Context(), db, func(context.Context, *txn.Tx) error { return nil }, once.Key("test", "k", nil)))
	})
}
