package txn_test

import (
	"context"
	"sync"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rowkeeper/rowkeeper/internal/devdb/dbtest"
	"github.com/rowkeeper/rowkeeper/txn"
)

func TestGuardLearnsThePoolOfAWrapper(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *dbtest.DB) {
		accounts(t, db)
		var reports []error
		two := func(report func(context.Context, error)) *pgxpool.Pool {
			return poolWith(t, db, func(c *pgxpool.Config) { c.MaxConns = 2; txn.GuardPool(c, report) })
		}
		refusing, reporting := two(nil), two(func(_ context.Context, err error) { reports = append(reports, err) })
		for _, hides := range []func(wrapper) txn.DB{
			func(w wrapper) txn.DB { return openWrapper{w} },
			func(w wrapper) txn.DB { return w },
		} {
			run := func(pool *pgxpool.Pool, fn func(ctx context.Context, tx *txn.Tx) error) error {
				return txn.Run(t.Context(), hides(wrapper{pool}), fn, txn.Name("transfer"))
			}
			require.NoError(t, run(refusing, func(ctx context.Context, tx *txn.Tx) error {
				if err := write(ctx, tx, 1, 7); err != nil {
					return err
				}
				_, err := read(ctx, refusing, 2)
				require.ErrorContains(t, err, past)
				return nil
			}))
			err := run(refusing, func(ctx context.Context, tx *txn.Tx) error {
				_, err := read(ctx, refusing, 2)
				require.NoError(t, err, "it may be another one")
				_ = write(ctx, tx, 1, 8) // the call fails all the same
				return nil
			})
			require.ErrorContains(t, err, past)
			require.ErrorContains(t, err, "select balance")
			require.Equal(t, 7, balance(t, db, 1))

			require.NoError(t, run(refusing, func(ctx context.Context, tx *txn.Tx) error {
				if _, err := read(ctx, reporting, 2); err != nil { // another pool
					return err
				}
				return write(ctx, tx, 1, 7)
			}))
			require.Empty(t, reports)

			attempts := 0
			require.NoError(t, run(reporting, func(ctx context.Context, tx *txn.Tx) error {
				attempts = tx.Attempt()
				if attempts == 1 {
					_, err := read(ctx, reporting, 2)
					require.NoError(t, err)
				}
				_, err := collide(db, asIs)(ctx, tx)
				return err
			}))
			require.Equal(t, 2, attempts)
			require.Len(t, reports, 1)
			require.ErrorContains(t, reports[0], "select balance")
			reports = nil
			_, err = db.Exec(t.Context(), "update accounts set balance = 7 where id = 1")
			require.NoError(t, err)
		}
	})
}

func TestGuardKnowsThePoolOfAConnectionAndOfATransaction(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *dbtest.DB) {
		accounts(t, db)
		pool := poolWith(t, db, func(c *pgxpool.Config) { c.MaxConns = 2; txn.GuardPool(c, nil) })
		conn, err := pool.Acquire(t.Context())
		require.NoError(t, err)
		defer conn.Release()
		refused := func(ctx context.Context) {
			_, err := pool.Exec(ctx, insertHundred)
			require.ErrorContains(t, err, past)
			err = txn.Run(ctx, pool, func(context.Context, *txn.Tx) error { t.Error("ran"); return nil })
			require.ErrorContains(t, err, "give it the *txn.Tx to join")
		}
		function := func(ctx context.Context, tx *txn.Tx) error {
			refused(ctx)
			if err := write(ctx, tx, 1, 7); err != nil {
				return err
			}
			refused(ctx)
			return nil
		}
		require.NoError(t, txn.Run(t.Context(), conn, function))
		require.NoError(t, txn.Run(t.Context(), conn.Conn(), function))
		require.NoError(t, pgx.BeginFunc(t.Context(), conn, func(tx pgx.Tx) error {
			if err := txn.Run(t.Context(), tx, function); err != nil {
				return err
			}
			_, err := pool.Exec(t.Context(), insertHundred)
			return err
		}))
		require.Equal(t, 3, rowsIn(t, db))
	})
}

func TestGuardHoldsForGoroutinesAndAttempts(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *dbtest.DB) {
		accounts(t, db)
		pool := poolWith(t, db, func(c *pgxpool.Config) { c.MaxConns = 4; txn.GuardPool(c, nil) })
		conn, err := pool.Acquire(t.Context())
		require.NoError(t, err)
		defer conn.Release()
		attempts, err := txn.RunInTx(t.Context(), pool, func(ctx context.Context, tx *txn.Tx) (int, error) {
			var all sync.WaitGroup
			for range 8 {
				all.Go(func() {
					_, err := pool.Exec(ctx, insertHundred)
					assert.ErrorContains(t, err, past)
				})
			}
			all.Go(func() {
				for range 20 {
					_, err := conn.Exec(ctx, insertHundred)
					assert.ErrorContains(t, err, past)
				}
			})
			defer all.Wait()
			n, err := read(ctx, tx, 1)
			if err != nil {
				return 0, err
			}
			if tx.Attempt() <= 2 {
				if _, err := db.Exec(t.Context(), "update accounts set balance = balance + 10 where id = 1"); err != nil {
					return 0, err
				}
			}
			return tx.Attempt(), write(ctx, tx, 1, n+1)
		})
		require.NoError(t, err)
		require.Equal(t, 3, attempts)
		require.Equal(t, 121, balance(t, db, 1))
		require.Equal(t, 2, rowsIn(t, db))
	})
}

func TestGuardForgetsTheConnectionOfAnEarlierAttempt(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *dbtest.DB) {
		accounts(t, db)
		pool := guarded(t, db)
		require.NoError(t, txn.Run(t.Context(), pool, func(ctx context.Context, tx *txn.Tx) error {
			if tx.Attempt() == 2 {
				conn, err := pool.Acquire(t.Context()) // the one that the first attempt had
				require.NoError(t, err)
				_, err = conn.Exec(ctx, insertHundred)
				conn.Release()
				require.ErrorContains(t, err, past)
			}
			_, err := collide(db, asIs)(ctx, tx)
			return err
		}))
		require.Equal(t, 2, rowsIn(t, db))
	})
}
