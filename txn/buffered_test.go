package txn_test

import (
	"context"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	"github.com/rowkeeper/rowkeeper/internal/devdb/dbtest"
	"github.com/rowkeeper/rowkeeper/txn"
	"github.com/rowkeeper/rowkeeper/txn/txntest"
)

// Statements that cannot be prepared: one that joins a packet and some that do not.
var failing = []struct {
	sql  string
	args []any
}{
	{"select * from nowhere", nil},
	{"explain select * from nowhere", nil},
	{"explain select * from accounts where id = $1", []any{"no number"}},
	{"select * from nowhere where id = $1", []any{pgx.QueryExecModeCacheDescribe, 1}},
	{"select * from nowhere", []any{pgx.QueryExecModeCacheStatement}},
	{"select id from accounts where id = $1", []any{pgx.QueryExecModeDescribeExec, 1, 2}},
	{"select 1 where ';' = nowhere", nil},
	{"", []any{1}},
}

// A batch with callbacks one of whose statements fails reports that, however it is
// sent.
func TestBatchWithAStatementThatCannotBePrepared(t *testing.T) {
	eachMode(t, func(t *testing.T, db *dbtest.DB, pool *pgxpool.Pool) {
		for _, f := range failing {
			var b pgx.Batch
			b.Queue(setBalance, 1, 7).Exec(func(pgconn.CommandTag) error { t.Error("called back"); return nil })
			b.Queue(f.sql, f.args...).Query(func(pgx.Rows) error { t.Error("called back"); return nil })
			b.Queue(setBalance, 2, 7)
			for name, run := range map[string]func() error{
				"pool":         func() error { return txn.Batch(t.Context(), pool, &b) },
				"wrapper":      func() error { return txn.Batch(t.Context(), wrapper{pool}, &b) },
				"open wrapper": func() error { return txn.Batch(t.Context(), openWrapper{wrapper{pool}}, &b) },
				"txntest": func() error {
					return txn.Batch(t.Context(), txntest.New(&failed{TB: t}, pool, txntest.ConflictAt(9)), &b)
				},
				"joined": func() error {
					return txn.Run(t.Context(), pool, func(ctx context.Context, tx *txn.Tx) error { return txn.Batch(ctx, tx, &b) })
				},
				"joined to a wrapper": func() error {
					return txn.Run(t.Context(), wrapper{pool}, func(ctx context.Context, tx *txn.Tx) error { return txn.Batch(ctx, tx, &b) })
				},
				"joined to pgx": func() error {
					return pgx.BeginFunc(t.Context(), pool, func(tx pgx.Tx) error { return txn.Batch(t.Context(), tx, &b) })
				},
			} {
				err := run()
				var q *txn.QueuedError
				require.ErrorAs(t, err, &q, "%s: %s", name, f.sql)
				require.Equal(t, f.sql, q.SQL)
				require.Equal(t, rolledBack, claimOf(err))
			}
		}
		require.Equal(t, 200, balance(t, db, 1)+balance(t, db, 2))
		requireClean(t, pool)
	})
}

// failed absorbs the failures that txntest reports, such as a fault that was not met.
type failed struct{ testing.TB }

func (*failed) Errorf(string, ...any) {}
func (f *failed) Cleanup(func())      {}

// All methods can be called on the rows of a statement that failed.
func TestRowsThatFailed(t *testing.T) {
	eachMode(t, func(t *testing.T, db *dbtest.DB, pool *pgxpool.Pool) {
		for _, f := range failing {
			for _, first := range []bool{true, false} {
				for _, d := range []txn.DB{pool, wrapper{pool}} {
					err := txn.Run(t.Context(), d, func(ctx context.Context, tx *txn.Tx) error {
						if !first {
							require.NoError(t, write(ctx, tx, 1, 7))
						}
						rows, err := tx.Query(ctx, f.sql, f.args...)
						for rows.Next() {
							t.Error("a row")
						}
						_ = rows.FieldDescriptions()
						require.Empty(t, rows.RawValues())
						_, valuesErr := rows.Values()
						require.Error(t, valuesErr)
						require.Error(t, rows.Scan(new(int)))
						rows.Close()
						require.Error(t, rows.Err(), f.sql)
						if err != nil {
							require.Equal(t, err, rows.Err())
						}
						_, err = pgx.CollectRows(rows, pgx.RowToMap)
						require.Error(t, err)
						require.Error(t, tx.QueryRow(ctx, f.sql, f.args...).Scan(new(int)))
						return rows.Err()
					})
					require.Error(t, err, f.sql)
				}
			}
			if f.sql == "" {
				continue // pgx panics
			}
			// The same from a batch of pgx's.
			require.Error(t, txn.Run(t.Context(), pool, func(ctx context.Context, tx *txn.Tx) error {
				var b pgx.Batch
				b.Queue(f.sql, f.args...)
				results := tx.SendBatch(ctx, &b)
				rows, err := results.Query()
				if err != nil {
					require.Empty(t, rows.FieldDescriptions())
				}
				rows.Close()
				return results.Close()
			}), f.sql)
		}
		require.Equal(t, 100, balance(t, db, 1))
		requireClean(t, pool)
	})
}
