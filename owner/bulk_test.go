package owner_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rowkeeper/rowkeeper/internal/devdb/dbtest"
	"github.com/rowkeeper/rowkeeper/owner"
	"github.com/rowkeeper/rowkeeper/owner/internal/ownerkit"
)

func TestMaxAffected(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *dbtest.DB) {
		ownerkit.CreateShop(t, db)
		ctx, in, all := t.Context(), Orders.In(me), owner.And[Order]()

		n, err := in.UpdateWhere(all).Set(OrderTitle.Set("x")).MaxAffected(1).Exec(ctx, db)
		require.ErrorIs(t, err, owner.ErrTooMany)
		require.Zero(t, n)
		n, err = in.DeleteWhere(all).MaxAffected(1).Exec(ctx, db)
		require.ErrorIs(t, err, owner.ErrTooMany)
		require.Zero(t, n)
		rows, err := in.OrderBy(OrderID.Asc()).All(ctx, db)
		require.NoError(t, err)
		require.Equal(t, []string{"one", "two"}, []string{rows[0].Title, rows[1].Title}, "outside a transaction, and not applied")

		ownerkit.RequireCount(t, db, 2, in.UpdateWhere(all).Set(OrderTitle.Set("x"), OrderTotal.Add(1)).MaxAffected(2).Exec)
		ownerkit.RequireCount(t, db, 1, in.UpdateWhere(OrderID.In(1, bobOrder), owner.Or(OfOrder.Has(LineText.Eq("pen")), all)).Set(OrderTitle.Set("y")).Exec)
		ownerkit.RequireCount(t, db, 0, in.UpdateWhere(OrderID.Eq(bobOrder)).Set(OrderTitle.Set("y")).Exec)
		one, err := in.Get(ctx, db, 1)
		require.NoError(t, err)
		require.EqualValues(t, 3, one.Version)
		require.EqualValues(t, 101, one.Total)

		ownerkit.RequireCount(t, db, 3, Lines.In(me).UpdateWhere(owner.And[Line]()).Set(LinePrice.Add(1)).MaxAffected(3).Exec)
		ownerkit.RequireCount(t, db, 3, Lines.In(me).DeleteWhere(LineN.Ge(1)).Exec)
		ownerkit.RequireCount(t, db, 2, in.DeleteWhere(all).Exec)
		ownerkit.RequireBobsShopUnchanged(t, db)
	})
}

func TestBulkMisuse(t *testing.T) {
	t.Parallel()
	in := Orders.In(me)
	requireRefused(t, func(db owner.DB) error {
		_, err := in.UpdateWhere(owner.And[Order]()).Exec(t.Context(), db)
		return err
	}, "sets nothing")
	requireRefused(t, func(db owner.DB) error {
		_, err := in.DeleteWhere(owner.Condition[Order]{}).Exec(t.Context(), db)
		return err
	}, "a Condition is empty")
	requireRefused(t, func(db owner.DB) error {
		_, err := in.DeleteWhere(owner.And[Order]()).MaxAffected(0).Exec(t.Context(), db)
		return err
	}, "MaxAffected(0); the least is 1")
	_, err := owner.DeleteWhere[Order, UserID]{}.Exec(t.Context(), &recorder{})
	require.ErrorContains(t, err, "was not made by")
	requireRefused(t, func(db owner.DB) error {
		_, err := Orders.In(owner.Scope[UserID]{}).DeleteWhere(owner.And[Order]()).Exec(t.Context(), db)
		return err
	}, "no owner in scope")
}
