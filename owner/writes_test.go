package owner_test

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rowkeeper/rowkeeper/errs/kind"
	"github.com/rowkeeper/rowkeeper/internal/devdb/dbtest"
	"github.com/rowkeeper/rowkeeper/owner"
	"github.com/rowkeeper/rowkeeper/owner/internal/ownerkit"
)

func TestVersions(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *dbtest.DB) {
		ownerkit.CreateShop(t, db)
		ctx, in := t.Context(), Orders.In(me)

		o := Order{Number: 7, Title: "new", Country: "at", Version: 99}
		require.NoError(t, in.Insert(ctx, db, &o))
		require.EqualValues(t, 1, o.Version, "counted by us")
		require.NoError(t, in.Update(o.ID).At(1).Set(OrderTitle.Set("second")).Exec(ctx, db))
		got, err := in.Update(o.ID).IfMatch(Orders.ETag(&Order{Version: 2})).Set(OrderTitle.Set("third")).Returning(ctx, db)
		require.NoError(t, err)
		require.Equal(t, "third", got.Title)
		require.EqualValues(t, 3, got.Version)
		require.NoError(t, in.Update(o.ID).IfMatch("*").Set(OrderTotal.Add(1)).Exec(ctx, db))

		for name, at := range map[string]int64{"older": 3, "newer": 5} {
			require.ErrorIs(t, in.Update(o.ID).At(at).Set(OrderTitle.Set("x")).Exec(ctx, db), owner.ErrStale, name)
			_, err := in.Update(o.ID).At(at).Set(OrderTitle.Set("x")).Returning(ctx, db)
			require.ErrorIs(t, err, owner.ErrStale, name)
			require.ErrorIs(t, in.Delete(o.ID).At(at).Exec(ctx, db), owner.ErrStale, name)
		}
		// Stale is told apart from missing only within the owner.
		for _, id := range []int64{bobOrder, 999} {
			for _, at := range []int64{1, 2} {
				require.EqualError(t, in.Update(id).At(at).Set(OrderTitle.Set("x")).Exec(ctx, db), "owner: not found in orders")
				require.EqualError(t, in.Delete(id).At(at).Exec(ctx, db), "owner: not found in orders")
			}
		}
		got, err = in.Get(ctx, db, o.ID)
		require.NoError(t, err)
		require.Equal(t, "third", got.Title)
		require.EqualValues(t, 4, got.Version)
		require.NoError(t, in.Delete(o.ID).At(4).Exec(ctx, db))
		ownerkit.RequireBobsShopUnchanged(t, db)
	})
}

func TestVersionsRefuse(t *testing.T) {
	t.Parallel()
	in := Orders.In(me)
	for _, n := range []int64{0, -1} {
		requireRefused(t, func(db owner.DB) error {
			return in.Update(1).At(n).Set(OrderTitle.Set("x")).Exec(t.Context(), db)
		}, "no version was given")
		requireRefused(t, func(db owner.DB) error { return in.Delete(1).At(n).Exec(t.Context(), db) }, "no version was given")
	}
	requireRefused(t, func(db owner.DB) error {
		return in.Update(1).IfMatch("").Set(OrderTitle.Set("x")).Exec(t.Context(), db)
	}, "no version was given")
	requireRefused(t, func(db owner.DB) error {
		return in.Update(1).Set(OrderVersion.Set(7)).Exec(t.Context(), db)
	}, "every update counts the version itself")
	requireRefused(t, func(db owner.DB) error {
		return Accounts.In(me).Update(1).At(1).Set(Name.Set("x")).Exec(t.Context(), db)
	}, "no field is the version")
}

func TestParseIfMatch(t *testing.T) {
	t.Parallel()
	for header, want := range map[string]error{
		`"1"`: nil, ` "17" `: nil, `*`: nil, ``: kind.PreconditionRequired, ` `: kind.PreconditionRequired,
		`W/"1"`: kind.Stale, `"01"`: kind.Stale, `"-1"`: kind.Stale, `"0"`: kind.Stale, `"x"`: kind.Stale, `""`: kind.Stale,
		`"99999999999999999999"`: kind.Stale,
		`1`:                      kind.Malformed, `"1`: kind.Malformed, `"`: kind.Malformed, `"1", "2"`: kind.Malformed, `"a"b"`: kind.Malformed,
	} {
		n, whatever, err := Orders.ParseIfMatch(header)
		if want == nil {
			require.NoError(t, err, header)
			require.Equal(t, header == "*", whatever)
			require.Equal(t, header != "*", n > 0)
			continue
		}
		var k interface{ Kind() kind.Kind }
		require.ErrorAs(t, err, &k, header)
		require.Equal(t, want, k.Kind(), header)
		require.False(t, whatever)
		require.Zero(t, n)
	}
	require.Empty(t, Orders.ETag(&Order{}))
	require.Empty(t, Orders.ETag(&Order{Version: -1}))
	require.Empty(t, Orders.ETag(nil))
	require.Equal(t, `"7"`, Orders.ETag(&Order{Version: 7}))
	require.Empty(t, Accounts.ETag(&Account{ID: 1}))
	_, _, err := Accounts.ParseIfMatch(`"1"`)
	require.ErrorContains(t, err, "no field is the version")
	_, _, err = (*owner.Table[Order, UserID])(nil).ParseIfMatch(`"1"`)
	require.ErrorContains(t, err, "was not made by MustTable")
	type counted struct {
		ID      int64  `db:"id" owner:"pk"`
		UserID  UserID `db:"user_id" owner:"owner"`
		Version uint8  `db:"version" owner:"version"`
	}
	require.Equal(t, `"255"`, owner.MustTable[counted, UserID]("counted").ETag(&counted{Version: 255}))
}

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

func TestReferencesAreChecked(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *dbtest.DB) {
		ownerkit.CreateShop(t, db)
		ctx, in := t.Context(), Orders.In(me)
		mine := int64(10)

		o := Order{Number: 8, Title: "ok", Coupon: &mine, Country: "at"}
		require.NoError(t, in.Insert(ctx, db, &o))
		for _, coupon := range []*int64{&bobCoupon, &missingCoupon} {
			const want = "owner: a reference points at no row of the owner's (table orders)"
			row := Order{Number: 9, Title: "x", Coupon: coupon, Country: "at"}
			before := row
			require.EqualError(t, in.Insert(ctx, db, &row), want)
			require.Equal(t, before, row)
			require.EqualError(t, in.Upsert(ctx, db, &row, OrderNumber), want)
			require.EqualError(t, in.InsertMany(ctx, db, []Order{{Number: 19, Country: "at"}, row}), want)
			require.EqualError(t, in.Update(1).Set(OrderCoupon.Set(coupon)).Exec(ctx, db), want)
			require.EqualError(t, in.Update(2).At(5).Set(OrderCoupon.Set(coupon)).Exec(ctx, db), want)
			requireNotFound(t, in.Update(bobOrder).Set(OrderCoupon.Set(coupon)).Exec(ctx, db))
			_, err := in.UpdateWhere(owner.And[Order]()).Set(OrderCoupon.Set(coupon)).Exec(ctx, db)
			require.EqualError(t, err, want)
		}
		require.ErrorIs(t, in.Insert(ctx, db, &Order{Number: 9, Country: "xx"}), owner.ErrReference, "not in the shared table")
		require.NoError(t, in.Update(2).Set(OrderCoupon.Set(&mine), OrderCountry.Set("at")).Exec(ctx, db))
		require.NoError(t, in.Update(2).Set(OrderCoupon.Set(nil)).Exec(ctx, db))

		lines := Lines.In(me)
		require.NoError(t, lines.Insert(ctx, db, &Line{OrderID: 1, N: 9}))
		for _, order := range []int64{bobOrder, 999} {
			const want = "owner: a reference points at no row of the owner's (table lines)"
			require.EqualError(t, lines.Insert(ctx, db, &Line{OrderID: order, N: 9}), want)
			require.EqualError(t, lines.InsertMany(ctx, db, []Line{{OrderID: 1, N: 10}, {OrderID: order, N: 9}}), want)
			require.EqualError(t, lines.Upsert(ctx, db, &Line{OrderID: order, N: 1}, LineOrder, LineN), want)
			requireNotFound(t, lines.Update(order, 1).Set(LineText.Set("x")).Exec(ctx, db))
			requireNotFound(t, lines.Delete(order, 1).Exec(ctx, db))
			_, err := lines.Get(ctx, db, order, 1)
			requireNotFound(t, err)
		}
		ownerkit.RequireCount(t, db, 0, lines.Where(LineN.Eq(10)).Count, "all or none")
		ownerkit.RequireBobsShopUnchanged(t, db)
	})
}

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

func TestPatch(t *testing.T) {
	t.Parallel()
	patch := func(body string) error {
		var members map[string]json.RawMessage
		require.NoError(t, json.Unmarshal([]byte(body), &members))
		set, err := Orders.Patch(members)
		if err == nil {
			var db recorder
			require.ErrorIs(t, Orders.In(me).Update(1).Set(set...).Exec(t.Context(), &db), errRecorded)
			require.Contains(t, db.SQL, `set "number" = $3, "title" = $4, "coupon_id" = $5, "version"`)
			require.Equal(t, []any{int32(4), "x", (*int64)(nil)}, db.Args[2:])
		}
		return err
	}
	require.NoError(t, patch(`{"title": "x", "coupon": null, "number": 4}`))
	for body, want := range map[string]owner.PatchError{
		`{}`:                               {Field: "", Reason: "nothing_to_change"},
		`null`:                             {Field: "", Reason: "nothing_to_change"},
		`{"title": "x", "total": 1}`:       {Field: "/total", Reason: "read_only_field"},
		`{"user_id": 43, "title": "x"}`:    {Field: "/user_id", Reason: "read_only_field"},
		`{"version": 3}`:                   {Field: "/version", Reason: "read_only_field"},
		`{"ID": 3}`:                        {Field: "/ID", Reason: "read_only_field"},
		`{"secret": "x"}`:                  {Field: "/secret", Reason: "unknown_field"},
		`{"Title": "x"}`:                   {Field: "/Title", Reason: "unknown_field"},
		`{"a/b~c": 1}`:                     {Field: "/a~1b~0c", Reason: "unknown_field"},
		`{"title": 1}`:                     {Field: "/title", Reason: "wrong_type"},
		`{"title": null}`:                  {Field: "/title", Reason: "wrong_type"},
		`{"number": 3000000000}`:           {Field: "/number", Reason: "wrong_type"},
		`{"title": "x", "b": 1, "aaa": 2}`: {Field: "/aaa", Reason: "unknown_field"},
	} {
		var got *owner.PatchError
		require.ErrorAs(t, patch(body), &got, body)
		require.Equal(t, want.Field+" "+want.Reason, got.Field+" "+got.Reason, body)
		require.Equal(t, kind.Invalid, got.Kind())
	}
}

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

// queue sends queued statements at once.
type queue struct {
	t  *testing.T
	db owner.DB
	n  []int64 // rows affected, -1 for those of Queue
}

func (q *queue) Queue(sql string, args ...any) {
	_, err := q.db.Exec(q.t.Context(), sql, args...)
	require.NoError(q.t, err)
	q.n = append(q.n, -1)
}

func (q *queue) QueueExpect(rows int64, sql string, args ...any) {
	tag, err := q.db.Exec(q.t.Context(), sql, args...)
	require.NoError(q.t, err)
	require.EqualValues(q.t, 1, rows)
	q.n = append(q.n, tag.RowsAffected())
}

func TestQueue(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *dbtest.DB) {
		ownerkit.CreateShop(t, db)
		ownerkit.CreateAccounts(t, db)
		q, in := &queue{t: t, db: db}, Orders.In(me)
		require.NoError(t, Accounts.In(me).QueueInsert(q, &Account{Name: "queued"}))
		require.NoError(t, in.QueueInsert(q, &Order{Number: 80, Country: "at"}))
		require.NoError(t, in.QueueInsert(q, &Order{Number: 81, Country: "at", Coupon: &bobCoupon}))
		require.NoError(t, in.Update(1).Set(OrderTitle.Set("x")).Queue(q))
		require.NoError(t, in.Update(bobOrder).Set(OrderTitle.Set("x")).Queue(q))
		require.NoError(t, in.Update(1).At(1).Set(OrderTitle.Set("x")).Queue(q))
		require.NoError(t, in.Delete(bobOrder).Queue(q))
		require.NoError(t, in.Delete(2).Queue(q))
		require.Equal(t, []int64{-1, 1, 0, 1, 0, 0, 0, 1}, q.n)
		ownerkit.RequireBobsShopUnchanged(t, db)
		ownerkit.RequireBobsAccountsUnchanged(t, db)
	})
	require.ErrorContains(t, Orders.In(me).Delete(1).Queue(nil), "the queue is nil")
	require.ErrorIs(t, Orders.In(owner.Scope[UserID]{}).Delete(1).Queue(&queue{}), owner.ErrUnscoped)
}

func TestMembers(t *testing.T) {
	type draft = ownerkit.Draft[UserID]
	type ownerOf = owner.Member[int32, UserID]
	drafts := owner.MustTable[draft, ownerOf]("drafts")
	text := owner.Column(drafts, func(d *draft) *string { return &d.Text })
	all := owner.MustTable[whole, int32]("drafts")
	for _, m := range []ownerOf{{}, {Tenant: 1}, {User: 1}} {
		_, err := owner.For(m)
		require.ErrorIs(t, err, owner.ErrUnscoped)
	}
	dbtest.Each(t, func(t *testing.T, db *dbtest.DB) {
		ctx := t.Context()
		ownerkit.MustExec(t, db, ownerkit.DraftsDDL)
		scopes := []owner.Scope[ownerOf]{ownerkit.Scope(ownerOf{1, 42}), ownerkit.Scope(ownerOf{1, 43}), ownerkit.Scope(ownerOf{2, 42})}
		for i, s := range scopes {
			require.NoError(t, drafts.In(s).Insert(ctx, db, &draft{ID: int64(i + 1), Text: "x"}))
		}
		for i, s := range scopes {
			rows, err := drafts.In(s).Where(owner.Or(text.Eq("x"), owner.And[draft]())).All(ctx, db)
			require.NoError(t, err)
			require.Equal(t, []draft{{Tenant: s.Owner().Tenant, User: s.Owner().User, ID: int64(i + 1), Text: "x"}}, rows)
			for j := range scopes {
				err := drafts.In(s).Update(j+1).Set(text.Set("x")).Exec(ctx, db)
				require.Equal(t, i == j, err == nil)
			}
			require.ErrorIs(t, drafts.In(s).Insert(ctx, db, &draft{Tenant: 3, ID: 9}), owner.ErrOtherOwner)
		}
		ownerkit.RequireCount(t, db, 2, all.In(ownerkit.Scope(scopes[0].Owner().Tenant)).Count)
	})
}
