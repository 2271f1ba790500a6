package txn_test

import (
	"context"
	"testing"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	"github.com/rowkeeper/rowkeeper/internal/devdb/dbtest"
	"github.com/rowkeeper/rowkeeper/txn"
)

func TestCallOnTheDatabaseOfARunningCallIsRefused(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *dbtest.DB) {
		accounts(t, db)
		pool := poolWith(t, db, func(*pgxpool.Config) {})
		same := map[string]txn.DB{
			"pool": pool, "struct with pool": embedsPool{pool}, "another struct": &embedsPool{pool}, "runner": txn.New(pool, txn.Name("inner")),
		}
		never := func(context.Context, *txn.Tx) error { t.Error("ran"); return nil }
		for outerName, outer := range same {
			require.NoError(t, txn.Run(t.Context(), outer, func(ctx context.Context, tx *txn.Tx) error {
				for name, inner := range same {
					require.ErrorContains(t, txn.Run(ctx, inner, never), "give it the *txn.Tx to join", "%s in %s", name, outerName)
				}
				require.ErrorContains(t, txn.Run(ctx, db, func(ctx context.Context, _ *txn.Tx) error {
					return txn.Run(ctx, pool, never)
				}), "give it the *txn.Tx to join", "also with another one between")
				return txn.Run(ctx, tx, func(ctx context.Context, tx *txn.Tx) error {
					require.ErrorContains(t, txn.Run(ctx, pool, never), "give it the *txn.Tx to join", "also in a joined call")
					return nil
				})
			}))
		}
	})
}

func TestRequiresNewRunsBeside(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *dbtest.DB) {
		accounts(t, db)
		require.Error(t, txn.Run(t.Context(), db, func(ctx context.Context, tx *txn.Tx) error {
			if err := write(ctx, tx, 1, 7); err != nil {
				return err
			}
			require.NoError(t, txn.Run(ctx, db, func(ctx context.Context, tx *txn.Tx) error {
				require.ErrorContains(t, txn.Run(ctx, db, func(context.Context, *txn.Tx) error { return nil }), "give it the *txn.Tx")
				return write(ctx, tx, 2, 7)
			}, txn.RequiresNew()))
			return context.Canceled
		}))
		require.Equal(t, 100, balance(t, db, 1))
		require.Equal(t, 7, balance(t, db, 2))
		require.ErrorContains(t, txn.Run(t.Context(), db, func(ctx context.Context, tx *txn.Tx) error {
			return txn.Run(ctx, tx, func(context.Context, *txn.Tx) error { return nil }, txn.RequiresNew())
		}), "RequiresNew in a call that joins")
	})
}

// With the caller's context a call inside the function cannot be told from one of another
// goroutine. RunInTx documents it.
func TestCallWithTheCallersContextIsOnItsOwn(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *dbtest.DB) {
		accounts(t, db)
		pool := poolWith(t, db, func(c *pgxpool.Config) { c.MaxConns = 2; txn.GuardPool(c, nil) })
		outer := t.Context()
		require.ErrorIs(t, txn.Run(outer, pool, func(ctx context.Context, tx *txn.Tx) error {
			if err := write(ctx, tx, 1, 7); err != nil {
				return err
			}
			require.NoError(t, txn.Run(outer, pool, func(ctx context.Context, tx *txn.Tx) error { return write(ctx, tx, 2, 7) }))
			return context.Canceled
		}), context.Canceled)
		require.Equal(t, 100, balance(t, db, 1), "rolled back")
		require.Equal(t, 7, balance(t, db, 2), "and this is not")
	})
}

func TestContextThatOutlivesTheCallIsFree(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *dbtest.DB) {
		accounts(t, db)
		var outlived context.Context
		require.NoError(t, txn.Run(t.Context(), db, func(ctx context.Context, tx *txn.Tx) error {
			outlived = context.WithoutCancel(ctx)
			return nil
		}))
		require.NoError(t, txn.Run(outlived, db, func(ctx context.Context, tx *txn.Tx) error { return write(ctx, tx, 1, 7) }))
	})
}
