package owner_test

import (
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/rowkeeper/rowkeeper/internal/devdb/dbtest"
	"github.com/rowkeeper/rowkeeper/owner"
	"github.com/rowkeeper/rowkeeper/owner/internal/ownerkit"
)

func TestGrants(t *testing.T) {
	type grantRow struct {
		OrderID int64  `db:"order_id" owner:"pk"`
		UserID  UserID `db:"user_id" owner:"owner,pk"`
		Role    string `db:"role"`
	}
	type sharing struct {
		OrderID int64  `db:"order_id" owner:"pk,parent"`
		UserID  UserID `db:"user_id" owner:"pk"`
		Role    string `db:"role"`
	}
	grants := owner.MustTable[grantRow, UserID]("grants")
	grantOrder := owner.Column(grants, func(g *grantRow) *int64 { return &g.OrderID })
	role := owner.Column(grants, func(g *grantRow) *string { return &g.Role })
	shares := owner.MustThrough[sharing]("grants", Orders)
	readers := owner.GrantedBy(Orders, grants, grantOrder)
	dbtest.Each(t, func(t *testing.T, db *dbtest.DB) {
		ownerkit.CreateShop(t, db)
		ctx := t.Context()
		ownerkit.MustExec(t, db, `create table grants (order_id int8, user_id int8, role text not null, primary key (order_id, user_id))`)
		seen := func(g owner.Grant[grantRow, Order, UserID], s owner.Scope[UserID]) []int64 {
			rows, err := g.In(s).Where(owner.Or(OrderTitle.Ne("x"), owner.And[Order]())).OrderBy(OrderID.Asc()).All(ctx, db)
			require.NoError(t, err)
			codes, err := OrderCodes.Of(g.In(s)).All(ctx, db)
			require.NoError(t, err)
			require.Len(t, codes, len(rows))
			return orderIDs(rows)
		}
		require.Equal(t, []int64{1, 2}, seen(readers, me))
		require.NoError(t, shares.In(other).Insert(ctx, db, &sharing{OrderID: bobOrder, UserID: alice, Role: "read"}))
		require.ErrorIs(t, shares.In(me).Insert(ctx, db, &sharing{OrderID: bobOrder, UserID: 44, Role: "read"}), owner.ErrReference)
		require.Equal(t, []int64{1, 2, 3}, seen(readers, me))
		require.Equal(t, []int64{1, 2}, seen(readers.Where(role.Eq("write")), me))
		require.Equal(t, []int64{3}, seen(readers, other))
		require.Empty(t, seen(readers, ownerkit.Scope(UserID(44))))
		_, err := readers.In(me).Get(ctx, db, bobOrder)
		require.NoError(t, err)
		_, err = readers.In(ownerkit.Scope(UserID(44))).Get(ctx, db, bobOrder)
		requireNotFound(t, err)
		requireNotFound(t, Orders.In(me).Update(bobOrder).Set(OrderTitle.Set("x")).Exec(ctx, db))
		require.NoError(t, pgx.BeginFunc(ctx, db, func(tx pgx.Tx) error {
			_, err := readers.In(me).ForShare().All(ctx, tx)
			require.ErrorContains(t, err, "a grant is for reading")
			_, err = OrderCodes.Of(readers.In(me)).ForUpdate().All(ctx, tx)
			require.ErrorContains(t, err, "a grant is for reading")
			return nil
		}))
		ownerkit.RequireBobsShopUnchanged(t, db)
	})
}

// A grant names a row by the same columns, and would let others read the rows of
// all owners who have one with that key.
func TestGrantOnRowsWithTheirOwnerInTheKey(t *testing.T) {
	t.Parallel()
	type grant struct {
		Region  string `db:"region" owner:"pk"`
		Number  int32  `db:"number" owner:"pk"`
		Grantee string `db:"grantee" owner:"owner,pk"`
	}
	odds := owner.MustTable[Odd, string]("odds")
	grants := owner.MustTable[grant, string]("grants")
	region := owner.Column(grants, func(g *grant) *string { return &g.Region })
	number := owner.Column(grants, func(g *grant) *int32 { return &g.Number })
	require.PanicsWithError(t, "owner: GrantedBy: the owner is part of the primary key of odds, whose other columns do not say whose row it is",
		func() { owner.GrantedBy(odds, grants, region, number) })
}
