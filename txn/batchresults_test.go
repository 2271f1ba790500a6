package txn_test

import (
	"context"
	"errors"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/stretchr/testify/require"

	"github.com/rowkeeper/rowkeeper/internal/devdb/dbtest"
	"github.com/rowkeeper/rowkeeper/txn"
)

func TestErrorOfACallbackIsNotTheServers(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *dbtest.DB) {
		foreign := &pgconn.PgError{Code: "40001", Message: "of another database"}
		runs := 0
		err := txn.Run(t.Context(), db, func(ctx context.Context, tx *txn.Tx) error {
			runs++
			var b pgx.Batch
			b.Queue("select 1").QueryRow(func(row pgx.Row) error { return errors.Join(row.Scan(new(int)), foreign) })
			return tx.SendBatch(ctx, &b).Close()
		}, txn.MaxAttempts(3))
		require.ErrorIs(t, err, foreign)
		require.Equal(t, 1, runs)
	})
}

func TestCallbacksDoNotRunAfterTheFunction(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *dbtest.DB) {
		accounts(t, db)
		for _, end := range []func() error{
			func() error { return errors.New("mine") },
			func() error { panic("mine") },
		} {
			func() {
				defer func() { _ = recover() }()
				_ = txn.Run(t.Context(), db, func(ctx context.Context, tx *txn.Tx) error {
					var b pgx.Batch
					b.Queue("select 1").QueryRow(func(pgx.Row) error { panic("ran") })
					b.Queue("select 1").Exec(func(pgconn.CommandTag) error { t.Error("ran"); return nil })
					tx.SendBatch(ctx, &b)
					return end()
				})
			}()
		}
		require.EqualValues(t, 1, db.Stat().NewConnsCount())
	})
}

func TestABatchCanBeSentAgain(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *dbtest.DB) {
		accounts(t, db)
		var b pgx.Batch
		var seen []int
		b.Queue("select balance from accounts where id = $1", 1).QueryRow(func(row pgx.Row) error {
			var n int
			err := row.Scan(&n)
			seen = append(seen, n)
			return err
		})
		b.Queue("update accounts set balance = balance + 1 where id = $1", 1)
		for range 2 { // each time on a connection that has prepared nothing
			conn, err := db.Acquire(t.Context())
			require.NoError(t, err)
			defer conn.Release()
			require.NoError(t, txn.Run(t.Context(), conn, func(ctx context.Context, tx *txn.Tx) error {
				return tx.SendBatch(ctx, &b).Close()
			}))
		}
		require.Equal(t, []int{100, 101}, seen)
	})
}
