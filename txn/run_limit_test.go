package txn_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rowkeeper/rowkeeper/errs/kind"
	"github.com/rowkeeper/rowkeeper/internal/devdb/dbtest"
	"github.com/rowkeeper/rowkeeper/txn"
)

func TestExhausted(t *testing.T) {
	always := func(db *dbtest.DB, runs *int) func(context.Context, *txn.Tx) error {
		return func(ctx context.Context, tx *txn.Tx) error {
			*runs++
			n, err := read(ctx, tx, 1)
			if err != nil {
				return err
			}
			if _, err := db.Exec(context.WithoutCancel(ctx), "update accounts set balance = balance + 10 where id = 1"); err != nil {
				return err
			}
			return write(ctx, tx, 1, n+1)
		}
	}
	check := func(t *testing.T, err error, runs int) {
		t.Helper()
		var ex *txn.ExhaustedError
		require.ErrorAs(t, err, &ex)
		require.Equal(t, runs, ex.Attempts)
		require.Positive(t, ex.Elapsed)
		require.Equal(t, kind.Contention, ex.Kind())
		requireCode(t, err, "40001")
		require.ErrorContains(t, err, "txn hot: rolled back")
	}
	t.Run("attempts", func(t *testing.T) {
		dbtest.Each(t, func(t *testing.T, db *dbtest.DB) {
			accounts(t, db)
			var runs int
			err := txn.Run(t.Context(), db, always(db, &runs), txn.MaxAttempts(3), txn.Name("hot"))
			check(t, err, runs)
			require.Equal(t, 3, runs)
		})
	})
	t.Run("elapsed", func(t *testing.T) {
		dbtest.Each(t, func(t *testing.T, db *dbtest.DB) {
			accounts(t, db)
			for d := 50 * time.Millisecond; ; d *= 2 {
				var runs int
				err := txn.Run(t.Context(), db, always(db, &runs), txn.MaxElapsed(d), txn.Name("hot"))
				if errors.Is(err, context.DeadlineExceeded) && d < time.Minute {
					continue // it ended a statement: too short for one attempt on a slow machine
				}
				check(t, err, runs)
				break
			}
		})
	})
	t.Run("no wait beyond the deadline", func(t *testing.T) {
		dbtest.Each(t, func(t *testing.T, db *dbtest.DB) {
			accounts(t, db)
			ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
			defer cancel()
			var runs int
			// The wait is at most an hour and a half; without this rule it would most
			// likely begin.
			backoff := txn.Backoff(1e6*time.Hour, 1e6*time.Hour)
			err := txn.Run(ctx, db, always(db, &runs), backoff, txn.MaxElapsed(2*time.Hour), txn.Name("hot"))
			check(t, err, runs)
			require.Equal(t, 2, runs, "the first retry comes at once, the second would be too late")
		})
	})
}

func TestWaitHoldsNoConnectionAndEndsWithTheContext(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *dbtest.DB) {
		accounts(t, db)
		ctx, cancel := context.WithCancelCause(t.Context())
		defer cancel(nil)
		second := make(chan struct{})
		done := make(chan error, 1)
		go func() {
			done <- txn.Run(ctx, db, func(ctx context.Context, tx *txn.Tx) error {
				n, err := read(ctx, tx, 1)
				if err != nil {
					return err
				}
				if _, err := db.Exec(ctx, "update accounts set balance = balance + 10 where id = 1"); err != nil {
					return err
				}
				if tx.Attempt() == 2 {
					close(second)
				}
				return write(ctx, tx, 1, n+1)
			}, txn.Backoff(time.Hour, time.Hour), txn.MaxElapsed(24*time.Hour))
		}()
		<-second
		require.Eventually(t, func() bool { return db.Stat().AcquiredConns() == 0 }, eventually, tick)
		_, err := db.Exec(t.Context(), "update accounts set balance = 5 where id = 1")
		require.NoError(t, err, "no lock either")
		hungUp := errors.New("hung up")
		cancel(hungUp)
		err = <-done
		require.ErrorIs(t, err, hungUp)
		require.ErrorIs(t, err, context.Canceled)
		requireCode(t, err, "40001")
	})
}

func TestContextThatIsDoneRollsBack(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *dbtest.DB) {
		accounts(t, db)
		ctx, cancel := context.WithCancel(t.Context())
		got, err := txn.RunInTx(ctx, db, func(ctx context.Context, tx *txn.Tx) (int, error) {
			if err := write(ctx, tx, 1, 7); err != nil {
				return 0, err
			}
			cancel()
			return 1, nil
		})
		require.ErrorIs(t, err, context.Canceled)
		require.Zero(t, got)
		require.Equal(t, 100, balance(t, db, 1))
		require.EqualValues(t, 1, db.Stat().NewConnsCount(), "the connection is as good as before")
		require.Zero(t, db.Stat().AcquiredConns())
	})
}

// A statement that waits for a lock that is never released ends with MaxElapsed, if the
// context has no deadline of its own.
func TestMaxElapsedEndsAStatement(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *dbtest.DB) {
		accounts(t, db)
		holder, err := db.Begin(t.Context())
		require.NoError(t, err)
		defer holder.Rollback(context.Background())
		require.NoError(t, write(t.Context(), holder, 1, 7))
		err = txn.Run(t.Context(), db, func(ctx context.Context, tx *txn.Tx) error {
			_, bounded := ctx.Deadline()
			require.True(t, bounded)
			return write(ctx, tx, 1, 8)
		}, txn.MaxElapsed(50*time.Millisecond))
		require.ErrorIs(t, err, context.DeadlineExceeded)
		var unknown *txn.OutcomeUnknownError
		require.False(t, errors.As(err, &unknown))

		ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
		defer cancel()
		want, _ := ctx.Deadline()
		require.NoError(t, txn.Run(ctx, db, func(ctx context.Context, tx *txn.Tx) error {
			got, _ := ctx.Deadline()
			require.Equal(t, want, got, "the caller's own")
			return nil
		}, txn.MaxElapsed(50*time.Millisecond)))
	})
}

func TestConstraintCheckedAtCommit(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *dbtest.DB) {
		if db.Cockroach() {
			t.Skip("CockroachDB has no deferred constraints")
		}
		_, err := db.Exec(t.Context(), "create table d (id bigint unique deferrable initially deferred)")
		require.NoError(t, err)
		runs := 0
		err = txn.Run(t.Context(), db, func(ctx context.Context, tx *txn.Tx) error {
			runs++
			_, err := tx.Exec(ctx, "insert into d values (1), (1)")
			return err
		})
		requireCode(t, err, "23505")
		var unknown *txn.OutcomeUnknownError
		require.False(t, errors.As(err, &unknown))
		require.Equal(t, 1, runs)
	})
}
