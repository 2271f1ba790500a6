package owner_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rowkeeper/rowkeeper/internal/devdb/dbtest"
	"github.com/rowkeeper/rowkeeper/owner"
	"github.com/rowkeeper/rowkeeper/owner/internal/ownerkit"
)

func TestTransferTo(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *dbtest.DB) {
		ownerkit.CreateShop(t, db)
		ctx, in := t.Context(), Orders.In(me)
		require.ErrorIs(t, in.TransferTo(ctx, db, other, 1), owner.ErrReference, "it uses a coupon of Alice's")
		for _, id := range []int64{bobOrder, 999} {
			require.EqualError(t, in.TransferTo(ctx, db, ownerkit.Scope(UserID(44)), id), "owner: not found in orders")
		}
		ownerkit.RequireBobsShopUnchanged(t, db)
		ownerkit.MustExec(t, db, "update orders set number = 9 where id = 2")
		require.NoError(t, in.TransferTo(ctx, db, other, 2))
		_, err := in.Get(ctx, db, 2)
		requireNotFound(t, err)
		got, err := Orders.In(other).Get(ctx, db, 2)
		require.NoError(t, err)
		require.Equal(t, bob, got.UserID)
		require.EqualValues(t, 6, got.Version)
		ownerkit.RequireCount(t, db, 1, Lines.In(other).Where(LineOrder.Eq(2)).Count, "the lines go with it")
	})
	requireRefused(t, func(db owner.DB) error { return Orders.In(me).TransferTo(t.Context(), db, me, 1) }, "its own owner")
	requireRefused(t, func(db owner.DB) error { return Orders.In(me).TransferTo(t.Context(), db, owner.Scope[UserID]{}, 1) }, "no owner in scope")
	requireRefused(t, func(db owner.DB) error { return Lines.In(me).TransferTo(t.Context(), db, other, 1, 1) }, "go with their parent")
	requireRefused(t, func(db owner.DB) error { return Settings.In(me).TransferTo(t.Context(), db, other) }, "part of the primary key")
}
