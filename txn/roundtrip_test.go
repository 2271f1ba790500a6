package txn_test

import (
	"context"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	"github.com/rowkeeper/rowkeeper/internal/devdb/dbtest"
	"github.com/rowkeeper/rowkeeper/txn"
)

// TestRoundTrips counts round trips once every statement has been used on the
// connection.
func TestRoundTrips(t *testing.T) {
	get := func(ctx context.Context, tx *txn.Tx) error {
		return tx.QueryRow(ctx, "select count(*) from effects where call = $1", 1).Scan(new(int))
	}
	put := func(ctx context.Context, tx pgx.Tx) error {
		_, err := tx.Exec(ctx, insertEffect, 1, 1)
		return err
	}
	queue := func(tx *txn.Tx) { tx.Queue(insertEffect, 1, 1) }
	dependent := func(n int) func(ctx context.Context, tx *txn.Tx) error {
		return func(ctx context.Context, tx *txn.Tx) error {
			for range n - 1 {
				if err := get(ctx, tx); err != nil {
					return err
				}
			}
			queue(tx)
			return nil
		}
	}
	for _, test := range []struct {
		name  string
		trips int64
		f     func(ctx context.Context, tx *txn.Tx) error
		opts  []txn.Option
	}{
		{"nothing", 0, func(context.Context, *txn.Tx) error { return nil }, nil},
		{"one queued write", 1, func(ctx context.Context, tx *txn.Tx) error { queue(tx); return nil }, nil},
		{"three queued writes", 1, func(ctx context.Context, tx *txn.Tx) error { queue(tx); queue(tx); queue(tx); return nil }, nil},
		{"read then queued write", 2, dependent(2), nil},
		{"read then queued write, with options", 2, dependent(2), []txn.Option{txn.Isolation(pgx.RepeatableRead), txn.MaxAttempts(1)}},
		{"read then Exec", 3, func(ctx context.Context, tx *txn.Tx) error {
			if err := get(ctx, tx); err != nil {
				return err
			}
			return put(ctx, tx)
		}, nil},
		{"three dependent statements, the last one queued", 3, dependent(3), nil},
		{"five dependent statements, the last one queued", 5, dependent(5), nil},
		{"a queued write before a read", 2, func(ctx context.Context, tx *txn.Tx) error { queue(tx); return get(ctx, tx) }, nil},
		{"joined", 3, func(ctx context.Context, tx *txn.Tx) error {
			return txn.Run(ctx, tx, func(ctx context.Context, tx *txn.Tx) error {
				if err := get(ctx, tx); err != nil {
					return err
				}
				return put(ctx, tx)
			})
		}, nil},
		{"joined twice, with writes by pgx", 3, func(ctx context.Context, tx *txn.Tx) error {
			for range 2 {
				if err := txn.Run(ctx, tx, func(ctx context.Context, tx *txn.Tx) error {
					return pgx.BeginFunc(ctx, tx, func(tx pgx.Tx) error { return put(ctx, tx) })
				}); err != nil {
					return err
				}
			}
			return nil
		}, nil},
		{"an error before anything was sent", 0, func(ctx context.Context, tx *txn.Tx) error { queue(tx); return context.Canceled }, nil},
	} {
		t.Run(test.name, func(t *testing.T) {
			for _, mode := range execModes() {
				t.Run(mode.String(), func(t *testing.T) {
					if mode == pgx.QueryExecModeDescribeExec {
						t.Skip("it describes every statement each time")
					}
					dbtest.Each(t, func(t *testing.T, db *dbtest.DB) {
						f := withFaults(t, db, func(c *pgxpool.Config) { c.ConnConfig.DefaultQueryExecMode = mode })
						run := func() { _ = txn.Run(t.Context(), f.pool, test.f, test.opts...) }
						run()
						measured := func() int64 {
							before := f.proxy.RoundTrips()
							run()
							return f.proxy.RoundTrips() - before
						}
						trips := measured()
						if mode == pgx.QueryExecModeSimpleProtocol {
							// COMMIT is a separate write there, before or after the
							// answer to the first: the fewest of several count.
							for range 10 {
								trips = min(trips, measured())
							}
						}
						require.Equal(t, test.trips, trips)
					})
				})
			}
		})
	}
}

func TestRoundTripsOfABatch(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *dbtest.DB) {
		f := withFaults(t, db)
		var b pgx.Batch
		b.Queue("select count(*) from effects where call = $1", 1).QueryRow(func(row pgx.Row) error { return row.Scan(new(int)) })
		b.Queue(insertEffect, 1, 1)
		b.Queue(insertEffect, 1, 2)
		require.NoError(t, txn.Batch(t.Context(), f.pool, &b))
		before := f.proxy.RoundTrips()
		require.NoError(t, txn.Batch(t.Context(), f.pool, &b))
		require.EqualValues(t, 1, f.proxy.RoundTrips()-before)
	})
}

// A statement that is new to the connection takes one more, as in pgx.
func TestRoundTripsWhenCold(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *dbtest.DB) {
		f := withFaults(t, db)
		require.NoError(t, f.pool.Ping(t.Context()))
		before := f.proxy.RoundTrips()
		_, err := txn.RunInTx(t.Context(), f.pool, shapes["all in one packet"](1))
		require.NoError(t, err)
		require.EqualValues(t, 2, f.proxy.RoundTrips()-before)
	})
}
