package owner_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rowkeeper/rowkeeper/internal/devdb/dbtest"
	"github.com/rowkeeper/rowkeeper/owner"
	"github.com/rowkeeper/rowkeeper/owner/internal/ownerkit"
)

func TestUpsert(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *dbtest.DB) {
		ownerkit.CreateShop(t, db)
		ctx, in := t.Context(), Orders.In(me)
		o := Order{Number: 1, Title: "changed", Total: 5, Country: "ch"} // Bob has a number 1 too
		require.NoError(t, in.Upsert(ctx, db, &o, OrderNumber))
		require.EqualValues(t, 1, o.ID)
		require.EqualValues(t, 2, o.Version)
		require.Equal(t, alice, o.UserID)
		fresh := Order{Number: 50, Title: "fresh", Country: "at"}
		require.NoError(t, in.Upsert(ctx, db, &fresh, OrderNumber))
		require.EqualValues(t, 1, fresh.Version)

		// By a key without the owner: a stranger's row stays as it is.
		taken := Order{ID: bobOrder, Number: 60, Title: "taken over", Country: "at"}
		before := taken
		require.EqualError(t, in.Upsert(ctx, db, &taken, OrderID), "owner: not found in orders")
		require.Equal(t, before, taken)
		own := Order{ID: 2, Number: 61, Title: "own", Country: "at"}
		require.NoError(t, in.Upsert(ctx, db, &own, OrderID))
		require.EqualValues(t, 6, own.Version)

		line := Line{OrderID: 1, N: 1, Text: "pencil"}
		require.NoError(t, Lines.In(me).Upsert(ctx, db, &line, LineOrder, LineN))
		line, err := Lines.In(me).Get(ctx, db, 1, 1)
		require.NoError(t, err)
		require.Equal(t, "pencil", line.Text)
		ownerkit.RequireBobsShopUnchanged(t, db)

		requireRefused(t, func(db owner.DB) error { return in.Upsert(ctx, db, &Order{Number: 1}, OrderID) }, "it is zero")
		requireRefused(t, func(db owner.DB) error { return in.Upsert(ctx, db, &Order{Number: 1}, owner.ColumnOf[Order, int32]{}) }, "was not made by owner.Column")
		requireRefused(t, func(db owner.DB) error { return in.Upsert(ctx, db, &Order{Number: 1}, nil) }, "was not made by owner.Column")
		requireRefused(t, func(db owner.DB) error { return in.Upsert(ctx, db, &Order{Number: 1}, OrderTitle) }, `its declaration has no Unique of the columns "title"`)
		requireRefused(t, func(db owner.DB) error { return in.Upsert(ctx, db, &Order{Number: 1}, OrderNumber, OrderTitle) }, `no Unique of the columns "number", "title"`)
		requireRefused(t, func(db owner.DB) error { return in.Upsert(ctx, db, &Order{Number: 1}, OrderNumber, OrderNumber) }, "column orders.number comes twice")
		again := owner.MustTable[Order, UserID]("orders", owner.Unique(func(o *Order) any { return &o.Number }))
		number := owner.Column(again, func(o *Order) *int32 { return &o.Number })
		requireRefused(t, func(db owner.DB) error { return in.Upsert(ctx, db, &Order{Number: 1}, number) }, "it is of another declaration")
		requireRefused(t, func(db owner.DB) error {
			return in.Upsert(ctx, db, &Order{Number: 1, UserID: bob}, OrderNumber)
		}, "names another owner")
	})
}

// A row that was read has no hidden columns, so writing it back must not clear them.
func TestUpsertKeepsHiddenColumns(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *dbtest.DB) {
		ownerkit.CreateShop(t, db)
		ctx := t.Context()
		secret := func(id int64) (s string) {
			require.NoError(t, db.QueryRow(ctx, "select secret from orders where id = $1", id).Scan(&s))
			return s
		}
		for _, key := range []owner.AnyColumn[Order]{OrderNumber, OrderID} {
			o, err := Orders.In(me).Get(ctx, db, 1)
			require.NoError(t, err)
			version := o.Version
			o.Title, o.Version = "changed", 77
			require.NoError(t, Orders.In(me).Upsert(ctx, db, &o, key))
			require.Equal(t, "s1", secret(1))
			require.Equal(t, version+1, o.Version, "counted on, and not compared")
			require.Empty(t, o.Secret)
		}
		o, err := Orders.In(me).Get(ctx, db, 1)
		require.NoError(t, err)
		o.Secret = "new"
		require.NoError(t, Orders.In(me).Upsert(ctx, db, &o, OrderNumber))
		require.Equal(t, "new", secret(1))
		fresh := Order{Number: 9, Title: "nine", Country: "at"}
		require.NoError(t, Orders.In(me).Upsert(ctx, db, &fresh, OrderNumber))
		require.Equal(t, "", secret(fresh.ID), "inserted as it is")
		ownerkit.RequireBobsShopUnchanged(t, db)
	})
}

type remark struct {
	ID    int64  `db:"id" owner:"pk"`
	Order int64  `db:"order_id" owner:"parent"`
	Text  string `db:"text"`
}

var (
	remarks = owner.MustThrough[remark]("remarks", Orders,
		owner.Unique(func(r *remark) any { return &r.ID }), owner.Unique(func(r *remark) any { return &r.Text }))
	remarkID   = owner.Column(remarks, func(r *remark) *int64 { return &r.ID })
	remarkText = owner.Column(remarks, func(r *remark) *string { return &r.Text })
)

// No statement moves a row to another parent or claims to have done so.
func TestUpsertUnderAnotherParent(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *dbtest.DB) {
		ownerkit.CreateShop(t, db)
		ctx := t.Context()
		ownerkit.MustExec(t, db, `create table remarks (id int8 primary key, order_id int8 not null references orders, text text not null, unique (order_id, text));
			insert into remarks values (1, 1, 'one')`)
		r := remark{ID: 1, Order: 2, Text: "moved"}
		requireNotFound(t, remarks.In(me).Upsert(ctx, db, &r, remarkID))
		r.Order = bobOrder
		require.ErrorIs(t, remarks.In(me).Upsert(ctx, db, &r, remarkID), owner.ErrReference)
		got, err := remarks.In(me).Get(ctx, db, 1)
		require.NoError(t, err)
		require.Equal(t, remark{1, 1, "one"}, got)

		r = remark{ID: 1, Order: 1, Text: "changed"}
		require.NoError(t, remarks.In(me).Upsert(ctx, db, &r, remarkID))
		r = remark{ID: 2, Order: 2, Text: "changed"}
		require.NoError(t, remarks.In(me).Upsert(ctx, db, &r, remarkText), "another parent has another key")
	})
}
