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
)

// A prepared statement may be called by its name in any place, also where that
// begins like SQL.
func TestNamesOfPreparedStatements(t *testing.T) {
	names := []string{"select", "select-user", "insert/x", "with(x)", "values(1)", "select*", "update", "Delete.it", "table--", "set:x", "show,", "drop", "commit-order", "end_it"}
	eachMode(t, func(t *testing.T, db *dbtest.DB, given *pgxpool.Pool) {
		pool := poolLike(t, db, given, func(c *pgxpool.Config) {
			c.AfterConnect = func(ctx context.Context, conn *pgx.Conn) error {
				for _, name := range names {
					if _, err := conn.Prepare(ctx, name, addReturning); err != nil {
						return err
					}
				}
				return nil
			}
		})
		want := 100
		for _, name := range names {
			for how, call := range map[string]func(ctx context.Context, tx *txn.Tx) error{
				"Exec": func(ctx context.Context, tx *txn.Tx) error {
					_, err := tx.Exec(ctx, name, 1)
					return err
				},
				"QueryRow": func(ctx context.Context, tx *txn.Tx) error { return tx.QueryRow(ctx, name, 1).Scan(new(int)) },
				"Query": func(ctx context.Context, tx *txn.Tx) error {
					rows, err := tx.Query(ctx, name, 1)
					if err != nil {
						return err
					}
					_, err = pgx.CollectExactlyOneRow(rows, pgx.RowTo[int])
					return err
				},
				"Queue": func(ctx context.Context, tx *txn.Tx) error {
					tx.Queue(name, 1)
					return nil
				},
				"Batch": func(ctx context.Context, tx *txn.Tx) error {
					var b pgx.Batch
					b.Queue(name, 1).Exec(func(pgconn.CommandTag) error { return nil })
					return txn.Batch(ctx, tx, &b)
				},
			} {
				for _, first := range []bool{true, false} {
					require.NoError(t, txn.Run(t.Context(), pool, func(ctx context.Context, tx *txn.Tx) error {
						if !first {
							require.NoError(t, write(ctx, tx, 2, want))
						}
						return call(ctx, tx)
					}), "%s of %q", how, name)
					want++
				}
			}
			require.Equal(t, want, balance(t, db, 1), name)
		}
		require.NoError(t, txn.Run(t.Context(), pool, func(ctx context.Context, tx *txn.Tx) error {
			for _, name := range []string{"select user", "with/* */x", "set\tx", "commit", "rollback and more", "begin -- x"} {
				_, err := tx.Prepare(ctx, name, addReturning)
				require.ErrorContains(t, err, "reads like SQL", name)
			}
			_, err := tx.Prepare(ctx, addReturning, addReturning)
			return err
		}))
		require.NoError(t, txn.Run(t.Context(), pool, func(ctx context.Context, tx *txn.Tx) error {
			return tx.QueryRow(ctx, addReturning, 1).Scan(new(int))
		}))
		requireClean(t, pool)
	})
}
