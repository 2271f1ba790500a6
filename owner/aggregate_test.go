package owner_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rowkeeper/rowkeeper/internal/devdb/dbtest"
	"github.com/rowkeeper/rowkeeper/owner"
	"github.com/rowkeeper/rowkeeper/owner/internal/ownerkit"
)

// Aggregates do not reveal hidden columns.
func TestAggregatesOfHiddenColumns(t *testing.T) {
	t.Parallel()
	for _, aggregate := range []func(db owner.DB) error{
		func(db owner.DB) error { _, err := OrderSecret.Max(t.Context(), db, Orders.In(me)); return err },
		func(db owner.DB) error { _, err := OrderSecret.Min(t.Context(), db, Orders.In(me)); return err },
	} {
		requireRefused(t, aggregate, "it is hidden, and an aggregate would show it")
	}
}

func TestAggregates(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *dbtest.DB) {
		ownerkit.CreateShop(t, db)
		ctx, in := t.Context(), Orders.In(me)
		sum, err := OrderTotal.Sum(ctx, db, in)
		require.NoError(t, err)
		require.EqualValues(t, 300, sum)
		low, err := OrderTotal.Min(ctx, db, in.Where(OrderID.Gt(1)))
		require.NoError(t, err)
		require.EqualValues(t, 200, low)
		high, err := OrderTitle.Max(ctx, db, in)
		require.NoError(t, err)
		require.Equal(t, "two", high)
		avg, err := OrderTotal.Avg(ctx, db, in)
		require.NoError(t, err)
		require.InDelta(t, 150, avg, 0.001)
		none := in.Where(OrderID.Eq(bobOrder))
		sum, err = OrderTotal.Sum(ctx, db, none)
		require.NoError(t, err)
		require.Zero(t, sum)
		_, err = OrderTotal.Max(ctx, db, none)
		requireNotFound(t, err)
		_, err = OrderTotal.Avg(ctx, db, none)
		requireNotFound(t, err)
	})
	requireRefused(t, func(db owner.DB) error {
		_, err := OrderTitle.Sum(t.Context(), db, Orders.In(me))
		return err
	}, "needs a numeric column")
}
