package owner_test

import (
	"context"
	"testing"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	"github.com/rowkeeper/rowkeeper/internal/devdb/dbtest"
	"github.com/rowkeeper/rowkeeper/owner/internal/ownerkit"
	"github.com/rowkeeper/rowkeeper/txn"
)

func TestGuardedPoolRefusesQueriesPastATransaction(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *dbtest.DB) {
		ownerkit.CreateShop(t, db)
		ownerkit.CreateAccounts(t, db)
		config, err := pgxpool.ParseConfig(db.URL)
		require.NoError(t, err)
		config.ConnConfig.RuntimeParams["search_path"] = db.Schema
		txn.GuardPool(config, nil)
		pool, err := pgxpool.NewWithConfig(t.Context(), config)
		require.NoError(t, err)
		defer pool.Close()
		in := Orders.In(me)
		require.NoError(t, txn.Run(t.Context(), pool, func(ctx context.Context, tx *txn.Tx) error {
			_, err := in.Get(ctx, pool, 1)
			require.ErrorContains(t, err, "goes past the transaction")
			_, err = in.All(ctx, pool)
			require.ErrorContains(t, err, "goes past the transaction")
			require.ErrorContains(t, in.Insert(ctx, pool, &Order{Number: 80, Country: "at"}), "goes past the transaction")
			require.ErrorContains(t, in.Update(1).Set(OrderTitle.Set("x")).Exec(ctx, pool), "goes past the transaction")
			require.ErrorContains(t, in.Delete(1).Exec(ctx, pool), "goes past the transaction")
			if _, err := in.Get(ctx, tx, 1); err != nil {
				return err
			}
			return in.Update(1).Set(OrderTitle.Set("x")).Exec(ctx, tx)
		}))
		order, err := in.Get(t.Context(), pool, 1)
		require.NoError(t, err)
		require.Equal(t, "x", order.Title)
	})
}
