package txn_test

import (
	"context"
	"errors"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	"github.com/rowkeeper/rowkeeper/internal/devdb/dbtest"
	"github.com/rowkeeper/rowkeeper/txn"
)

func TestOnCommitRunsOnceInOrderAfterTheCommit(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *dbtest.DB) {
		accounts(t, db)
		pool := poolWith(t, db, func(c *pgxpool.Config) {})
		ctx, hangUp := context.WithCancel(t.Context())
		defer hangUp()
		var ran []int
		effect := func(n int) func(context.Context) {
			return func(ctx context.Context) {
				hangUp()
				ran = append(ran, n)
				require.NoError(t, ctx.Err(), "the caller hung up, but it is committed")
				_, bounded := ctx.Deadline()
				require.False(t, bounded)
				// The pool has only one connection, and the call is over.
				got, err := txn.RunInTx(ctx, pool, func(ctx context.Context, tx *txn.Tx) (int, error) { return read(ctx, tx, 1) })
				require.NoError(t, err)
				require.Equal(t, 111, got)
			}
		}
		attempts, err := txn.RunInTx(ctx, pool, func(ctx context.Context, tx *txn.Tx) (int, error) {
			tx.OnCommit(effect(1))
			n, err := collide(db, asIs)(ctx, tx)
			if err == nil {
				tx.OnCommit(effect(2))
			}
			return n, err
		})
		require.NoError(t, err)
		require.Equal(t, 2, attempts)
		require.Equal(t, []int{1, 2}, ran, "nothing of the first attempt")
	})
}

func TestOnCommitIsDroppedWithWhatItBelongsTo(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *dbtest.DB) {
		accounts(t, db)
		mine := errors.New("mine")
		var ran []string
		note := func(s string) func(context.Context) { return func(context.Context) { ran = append(ran, s) } }
		require.NoError(t, txn.Run(t.Context(), db, func(ctx context.Context, tx *txn.Tx) error {
			tx.OnCommit(note("outer"))
			require.ErrorIs(t, txn.Run(ctx, tx, func(ctx context.Context, tx *txn.Tx) error {
				tx.OnCommit(note("undone"))
				return errors.Join(write(ctx, tx, 1, 7), mine)
			}), mine)
			sp, err := tx.Begin(ctx)
			require.NoError(t, err)
			tx.OnCommit(note("undone too"))
			require.NoError(t, sp.Rollback(ctx))
			return txn.Run(ctx, tx, func(ctx context.Context, tx *txn.Tx) error {
				tx.OnCommit(note("inner"))
				return write(ctx, tx, 1, 8)
			})
		}))
		require.Equal(t, []string{"outer", "inner"}, ran)

		ran = nil
		require.ErrorIs(t, txn.Run(t.Context(), db, func(ctx context.Context, tx *txn.Tx) error {
			tx.OnCommit(note("failed"))
			return errors.Join(write(ctx, tx, 1, 9), mine)
		}), mine)
		require.Panics(t, func() {
			_ = txn.Run(t.Context(), db, func(ctx context.Context, tx *txn.Tx) error {
				tx.OnCommit(note("panicked"))
				panic("boom")
			})
		})
		require.Empty(t, ran)
	})
}

func TestPanicInOnCommitDoesNotFailTheCall(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *dbtest.DB) {
		accounts(t, db)
		second := false
		got, err := txn.RunInTx(t.Context(), db, func(ctx context.Context, tx *txn.Tx) (int, error) {
			tx.OnCommit(func(context.Context) { panic("boom") })
			tx.OnCommit(func(context.Context) { second = true })
			return 42, write(ctx, tx, 1, 7)
		})
		require.NoError(t, err)
		require.Equal(t, 42, got)
		require.True(t, second)
	})
}

func TestOnCommitOfATransactionThatIsNotSeen(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *dbtest.DB) {
		accounts(t, db)
		ctx := t.Context()
		tx, err := db.BeginTx(ctx, pgx.TxOptions{IsoLevel: pgx.Serializable})
		require.NoError(t, err)
		defer tx.Rollback(ctx)
		err = txn.Run(ctx, tx, func(ctx context.Context, tx *txn.Tx) error {
			if err := write(ctx, tx, 1, 7); err != nil {
				return err
			}
			tx.OnCommit(func(context.Context) { t.Error("ran") })
			return nil
		})
		require.EqualError(t, err, "txn: OnCommit in a call that joined a pgx.Tx, whose commit txn does not see: what the call did is undone; begin that transaction with txn and give the call its *txn.Tx")
		require.NoError(t, tx.Commit(ctx))
		require.Equal(t, 100, balance(t, db, 1), "and what the call did is undone")
		require.Panics(t, func() {
			_ = txn.Run(ctx, db, func(ctx context.Context, tx *txn.Tx) error { tx.OnCommit(nil); return nil })
		})
	})
}
