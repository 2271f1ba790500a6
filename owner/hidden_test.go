package owner_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rowkeeper/rowkeeper/internal/devdb/dbtest"
	"github.com/rowkeeper/rowkeeper/owner/internal/ownerkit"
)

func TestHiddenColumnsStayHidden(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *dbtest.DB) {
		ownerkit.CreateShop(t, db)
		ctx, in := t.Context(), Orders.In(me)
		o := Order{Number: 30, Secret: "set", Country: "at"}
		require.NoError(t, in.Insert(ctx, db, &o))
		got, err := in.Where(OrderSecret.Eq("set")).One(ctx, db)
		require.NoError(t, err)
		require.Empty(t, got.Secret)
		got, err = in.Update(o.ID).Set(OrderSecret.Set("other")).Returning(ctx, db)
		require.NoError(t, err)
		require.Empty(t, got.Secret)
		all, err := in.All(ctx, db)
		require.NoError(t, err)
		for _, o := range all {
			require.Empty(t, o.Secret)
		}
	})
}
