package txn_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/stretchr/testify/require"

	"github.com/rowkeeper/rowkeeper/internal/devdb/dbtest"
	"github.com/rowkeeper/rowkeeper/txn"
)

func TestBatchThatEndsTheTransaction(t *testing.T) {
	for _, test := range []struct {
		queries []string
		want    any
	}{
		{[]string{"update accounts set balance = 8 where id = 1", "commit"}, new(*txn.CommittedError)},
		{[]string{"commit", "begin"}, new(*txn.CommittedError)},
		{[]string{"rollback", "begin"}, new(*txn.OutcomeUnknownError)},
	} {
		t.Run(strings.Join(test.queries, ", "), func(t *testing.T) {
			dbtest.Each(t, func(t *testing.T, db *dbtest.DB) {
				accounts(t, db)
				err := txn.Run(t.Context(), db, func(ctx context.Context, tx *txn.Tx) error {
					var b pgx.Batch
					for _, sql := range test.queries {
						b.Queue(sql)
					}
					if err := tx.SendBatch(ctx, &b).Close(); err != nil {
						return err
					}
					require.ErrorContains(t, write(ctx, tx, 2, 7), "ended it itself")
					return nil
				})
				require.ErrorAs(t, err, test.want)
				require.Equal(t, 100, balance(t, db, 2))
			})
		})
	}
}

func TestCommitThatWasSeenIsNotForgotten(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *dbtest.DB) {
		if db.Cockroach() {
			t.Skip("CockroachDB has no pg_terminate_backend")
		}
		accounts(t, db)
		err := txn.Run(t.Context(), db, func(ctx context.Context, tx *txn.Tx) error {
			var b pgx.Batch
			b.Queue("update accounts set balance = 8 where id = 1")
			b.Queue("commit")
			b.Queue("select pg_terminate_backend(pg_backend_pid())")
			return tx.SendBatch(ctx, &b).Close()
		})
		require.ErrorAs(t, err, new(*txn.CommittedError))
		require.Equal(t, 8, balance(t, db, 1))
	})
}

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
