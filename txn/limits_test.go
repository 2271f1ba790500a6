package txn_test

import (
	"context"
	"strconv"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	"github.com/rowkeeper/rowkeeper/internal/devdb/dbtest"
	"github.com/rowkeeper/rowkeeper/txn"
)

func manyArguments(n int) (sql string, args []any) {
	var text strings.Builder
	text.WriteString("select 1 from accounts where id in (1")
	args = make([]any, n)
	for i := range n {
		args[i] = i
		text.WriteString(",$" + strconv.Itoa(i+1))
	}
	return text.String() + ")", args
}

// More parameters than a message can hold are an error before anything is sent, and no
// reason to run again.
func TestTooManyParameters(t *testing.T) {
	senders := map[string]func(ctx context.Context, tx *txn.Tx, sql string, args []any) error{
		"Exec": func(ctx context.Context, tx *txn.Tx, sql string, args []any) error {
			_, err := tx.Exec(ctx, sql, args...)
			return err
		},
		"Query": func(ctx context.Context, tx *txn.Tx, sql string, args []any) error {
			rows, err := tx.Query(ctx, sql, args...)
			if err != nil {
				return err
			}
			_, err = pgx.CollectRows(rows, pgx.RowTo[int])
			return err
		},
		"QueryRow": func(ctx context.Context, tx *txn.Tx, sql string, args []any) error {
			return tx.QueryRow(ctx, sql, args...).Scan(new(int))
		},
		"named": func(ctx context.Context, tx *txn.Tx, sql string, args []any) error {
			_, err := tx.Exec(ctx, sql, rewritesArgs(args))
			return err
		},
		"SendBatch": func(ctx context.Context, tx *txn.Tx, sql string, args []any) error {
			var b pgx.Batch
			b.Queue("select 1")
			b.Queue(sql, args...)
			return tx.SendBatch(ctx, &b).Close()
		},
		"Queue, Exec": func(ctx context.Context, tx *txn.Tx, sql string, args []any) error {
			tx.Queue(setBalance, 1, 7)
			tx.Queue(sql, args...)
			return write(ctx, tx, 2, 7)
		},
		"Queue": func(ctx context.Context, tx *txn.Tx, sql string, args []any) error {
			tx.Queue(sql, args...)
			return nil
		},
		"QueueExpect": func(ctx context.Context, tx *txn.Tx, sql string, args []any) error {
			tx.QueueExpect(2, strings.Replace(sql, "select 1 from", "delete from", 1), args...)
			return nil
		},
		"Batch": func(ctx context.Context, tx *txn.Tx, sql string, args []any) error {
			var b pgx.Batch
			b.Queue(sql, args...).Exec(func(pgconn.CommandTag) error { return nil })
			return txn.Batch(ctx, tx, &b)
		},
	}
	sql, args := manyArguments(65536)
	eachMode(t, func(t *testing.T, db *dbtest.DB, pool *pgxpool.Pool) {
		simple := pool.Config().ConnConfig.DefaultQueryExecMode == pgx.QueryExecModeSimpleProtocol
		if simple { // where there is no such limit
			require.NoError(t, txn.Run(t.Context(), pool, func(ctx context.Context, tx *txn.Tx) error {
				tx.Queue(sql, args...)
				return senders["QueryRow"](ctx, tx, sql, args)
			}))
			return
		}
		for name, send := range senders {
			for _, first := range []bool{true, false} {
				runs := 0
				err := txn.Run(t.Context(), pool, func(ctx context.Context, tx *txn.Tx) error {
					runs++
					if !first {
						require.NoError(t, write(ctx, tx, 1, 7))
					}
					return send(ctx, tx, sql, args)
				})
				if name == "named" && !first {
					require.Error(t, err) // pgx's or the server's: pgx rewrites it
				} else {
					require.ErrorContains(t, err, "extended protocol limited to 65535 parameters", name)
				}
				require.Equal(t, rolledBack, claimOf(err))
				require.Equal(t, 1, runs, name)
			}
		}
		require.NoError(t, txn.Run(t.Context(), pool, func(ctx context.Context, tx *txn.Tx) error {
			require.Error(t, senders["Exec"](ctx, tx, sql, args))
			require.NoError(t, write(ctx, tx, 1, 8), "nothing was sent, so the function may go on")
			require.Error(t, senders["Query"](ctx, tx, sql, args))
			return write(ctx, tx, 1, 8)
		}))
		require.NoError(t, pgx.BeginFunc(t.Context(), pool, func(tx pgx.Tx) error {
			require.ErrorContains(t, txn.Run(t.Context(), tx, func(ctx context.Context, tx *txn.Tx) error {
				return senders["SendBatch"](ctx, tx, sql, args)
			}), "extended protocol limited")
			return nil
		}))
		require.Equal(t, 8, balance(t, db, 1))
		require.EqualValues(t, 1, pool.Stat().NewConnsCount())
		requireClean(t, pool)
	})
}

// rewritesArgs is a pgx.QueryRewriter.
type rewritesArgs []any

func (r rewritesArgs) RewriteQuery(_ context.Context, _ *pgx.Conn, sql string, _ []any) (string, []any, error) {
	return sql, r, nil
}
