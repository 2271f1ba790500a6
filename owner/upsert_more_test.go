package owner_test

import (
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/rowkeeper/rowkeeper/internal/devdb/dbtest"
	"github.com/rowkeeper/rowkeeper/owner"
	"github.com/rowkeeper/rowkeeper/owner/internal/ownerkit"
)

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

// A place in a list is part of a key of several columns. It may be zero or an empty
// name.
func TestZeroInAKeyOfSeveralColumns(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *dbtest.DB) {
		ownerkit.CreateShop(t, db)
		ctx := t.Context()
		all := Lines.In(me)
		count := func() (n int64) {
			n, err := all.Where(LineN.Eq(0)).Count(ctx, db)
			require.NoError(t, err)
			return n
		}
		l := Line{OrderID: 1, Text: "first"}
		require.NoError(t, all.Insert(ctx, db, &l))
		require.Equal(t, Line{OrderID: 1, Text: "first"}, l)
		got, err := all.Get(ctx, db, 1, 0)
		require.NoError(t, err)
		require.Equal(t, l, got)
		l.Text = "changed"
		require.NoError(t, all.Upsert(ctx, db, &l, LineOrder, LineN))
		require.EqualValues(t, 1, count())
		require.NoError(t, all.Delete(1, 0).Exec(ctx, db))
		require.NoError(t, all.InsertMany(ctx, db, []Line{{OrderID: 1}, {OrderID: 2}, {OrderID: 2, N: 7}}))
		require.EqualValues(t, 2, count())
		require.NoError(t, all.Delete(1, 0).Exec(ctx, db))
		require.NoError(t, pgx.BeginFunc(ctx, db, func(tx pgx.Tx) error {
			q := &queue{t: t, db: tx}
			err := all.QueueInsert(q, &Line{OrderID: 1})
			require.Equal(t, []int64{1}, q.n)
			return err
		}))
		require.EqualValues(t, 2, count())
		require.NoError(t, all.Delete(1, 0).Exec(ctx, db))
		l = Line{OrderID: 1, Text: "upserted"}
		require.NoError(t, all.Upsert(ctx, db, &l, LineOrder, LineN), "where there is none yet")
		require.EqualValues(t, 2, count())
		ownerkit.RequireBobsShopUnchanged(t, db)
	})
}

// The declaration says which columns of a key the database fills.
func TestDefaultInAKeyOfSeveralColumns(t *testing.T) {
	type entry struct {
		User   UserID `db:"user_id" owner:"owner"`
		Region string `db:"region" owner:"pk"`
		ID     int64  `db:"id" owner:"pk,default"`
	}
	entries := owner.MustTable[entry, UserID]("entries")
	dbtest.Each(t, func(t *testing.T, db *dbtest.DB) {
		ownerkit.MustExec(t, db, `create sequence entry_ids start 100;
			create table entries (user_id int8 not null, region text not null, id int8 not null default nextval('entry_ids'), primary key (region, id))`)
		e := entry{}
		require.NoError(t, entries.In(me).Insert(t.Context(), db, &e))
		require.Equal(t, entry{User: alice, ID: e.ID}, e)
		require.GreaterOrEqual(t, e.ID, int64(100))
	})
}
