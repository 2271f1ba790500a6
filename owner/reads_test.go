package owner_test

import (
	"context"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/rowkeeper/rowkeeper/errs"
	"github.com/rowkeeper/rowkeeper/internal/devdb/dbtest"
	"github.com/rowkeeper/rowkeeper/owner"
	"github.com/rowkeeper/rowkeeper/owner/internal/ownerkit"
)

type (
	OrderLine struct {
		OrderID int64  `db:"id"`
		Title   string `db:"title"`
		N       int32  `db:"line.n"`
		Text    string `db:"line.text"`
		Country string `db:"country.name"`
	}
	OrderCode struct {
		ID   int64   `db:"id"`
		Code *string `db:"coupon.code"`
	}
	OrderSum struct {
		Country string `db:"country"`
		Orders  int64  `db:"*" owner:"count"`
		Total   int64  `db:"total" owner:"sum"`
		Least   int64  `db:"total" owner:"min"`
	}
	OrderPlace struct {
		Country string `db:"country"`
	}
	OrderSecrets struct {
		ID     int64  `db:"id"`
		Secret string `db:"secret" owner:"hidden"`
	}
)

var (
	OrderLines   = owner.MustView[OrderLine](Orders, owner.Join("line", OfOrder), owner.Join("country", InCountry))
	OrderLineN   = owner.Column(OrderLines, func(l *OrderLine) *int32 { return &l.N })
	OrderLineOf  = owner.Column(OrderLines, func(l *OrderLine) *int64 { return &l.OrderID })
	OrderCodes   = owner.MustView[OrderCode](Orders, owner.LeftJoin("coupon", UsesCoupon))
	OrderCodeID  = owner.Column(OrderCodes, func(o *OrderCode) *int64 { return &o.ID })
	OrderSums    = owner.MustView[OrderSum](Orders)
	SumTotal     = owner.Column(OrderSums, func(o *OrderSum) *int64 { return &o.Total })
	SumCountry   = owner.Column(OrderSums, func(o *OrderSum) *string { return &o.Country })
	OrderPlaces  = owner.MustView[OrderPlace](Orders, owner.Distinct())
	OrderSecretV = owner.MustView[OrderSecrets](Orders)
)

func TestViews(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *dbtest.DB) {
		ownerkit.CreateShop(t, db)
		ctx := t.Context()
		lines, err := OrderLines.In(me).Where(OrderLineN.Ge(1)).OrderBy(OrderLineOf.Asc(), OrderLineN.Asc()).All(ctx, db)
		require.NoError(t, err)
		require.Equal(t, []OrderLine{
			{1, "one", 1, "pen", "Austria"}, {1, "one", 2, "ink", "Austria"}, {2, "two", 1, "paper", "Switzerland"},
		}, lines)

		// An order that names a coupon of another owner keeps its row and does not
		// show the coupon: the owner is in ON.
		ownerkit.MustExec(t, db, "update orders set coupon_id = 12 where id = 2")
		codes, err := OrderCodes.In(me).OrderBy(OrderCodeID.Asc()).All(ctx, db)
		require.NoError(t, err)
		a := "A"
		require.Equal(t, []OrderCode{{1, &a}, {2, nil}}, codes)
		ownerkit.InRolledBackTx(t, db, func(tx pgx.Tx) {
			codes, err := OrderCodes.In(me).OrderBy(OrderCodeID.Asc()).ForUpdate().All(ctx, tx)
			require.NoError(t, err)
			require.Len(t, codes, 2)
		})

		ownerkit.MustExec(t, db, `insert into orders values (4, 42, 4, 'four', 50, '', null, 'at', 1)`)
		sums, err := OrderSums.Of(Orders.In(me).Where(owner.Or(OrderTitle.Ne("x"), owner.And[Order]()))).OrderBy(SumCountry.Asc()).All(ctx, db)
		require.NoError(t, err)
		require.Equal(t, []OrderSum{{"at", 2, 150, 50}, {"ch", 1, 200, 200}}, sums)
		sums, err = OrderSums.Of(Orders.In(me).Where(OrderTitle.Ne("one"))).Where(SumTotal.Lt(100)).OrderBy(SumTotal.Desc()).All(ctx, db)
		require.NoError(t, err)
		require.Equal(t, []OrderSum{{"at", 1, 50, 50}}, sums)
		ownerkit.RequireCount(t, db, 2, OrderSums.In(me).Count)
		places, err := OrderPlaces.In(me).All(ctx, db)
		require.NoError(t, err)
		require.Len(t, places, 2)
		secret, err := OrderSecretV.Of(Orders.In(me).Where(OrderID.Eq(1))).One(ctx, db)
		require.NoError(t, err)
		require.Equal(t, OrderSecrets{1, "s1"}, secret)
		ownerkit.RequireExists(t, db, false, OrderSecretV.Of(Orders.In(me).Where(OrderID.Eq(bobOrder))).Exists)
	})
}

func TestViewsRefuse(t *testing.T) {
	t.Parallel()
	type wrongType struct {
		Title int `db:"title"`
	}
	type unknown struct {
		A int    `db:"nothing"`
		B string `db:"line.text"`
		C string `db:"secret"`
	}
	type notNull struct {
		Code string `db:"coupon.code"`
	}
	type none struct {
		Max int64 `db:"total" owner:"max"`
	}
	require.ErrorContains(t, owner.ViewError[wrongType](Orders), "field Title: it is of type int, but column orders.title of type string")
	err := owner.ViewError[unknown](Orders)
	require.ErrorContains(t, err, `orders has no column "nothing"`)
	require.ErrorContains(t, err, `no join is called "line"`)
	require.ErrorContains(t, err, "column orders.secret is hidden")
	require.ErrorContains(t, owner.ViewError[notNull](Orders, owner.LeftJoin("coupon", UsesCoupon)), "it may be NULL")
	require.ErrorContains(t, owner.ViewError[none](Orders), "it may be NULL")
	require.ErrorContains(t, owner.ViewError[Order](Orders), "needs a struct of its own")
	require.ErrorContains(t, owner.DeclarationError(func() { owner.MustView[OrderPlace](Orders, owner.Join("line", OfOrder), owner.Join("line", OfOrder)) }), "the alias must be a new name")
	require.ErrorContains(t, owner.DeclarationError(func() { owner.MustView[OrderPlace](Orders, owner.Join("x", owner.Reference[Order, Coupon]{})) }), "a join without a Reference")
	require.ErrorContains(t, owner.DeclarationError(func() { owner.MustView[OrderPlace](Orders, nil) }), "an option is nil")
	require.ErrorContains(t, owner.DeclarationError(func() { owner.MustView[OrderPlace]((*owner.Table[Order, UserID])(nil)) }), "was not made by MustTable")

	requireRefused(t, func(db owner.DB) error {
		_, err := OrderSums.Of(Orders.In(me).Limit(1)).All(t.Context(), db)
		return err
	}, "leave them out")
	requireRefused(t, func(db owner.DB) error {
		_, err := OrderSums.In(owner.Scope[UserID]{}).All(t.Context(), db)
		return err
	}, "no owner in scope")
}

func TestRelatedConditions(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *dbtest.DB) {
		ownerkit.CreateShop(t, db)
		ctx := t.Context()
		ownerkit.MustExec(t, db, "update orders set coupon_id = 12 where id = 2")
		for name, tc := range map[string]struct {
			condition owner.Condition[Order]
			want      []int64
		}{
			"has":               {OfOrder.Has(LineText.Eq("pen")), []int64{1}},
			"has any":           {OfOrder.Has(), []int64{1, 2}},
			"has not":           {owner.Not(OfOrder.Has(LinePrice.Gt(100))), []int64{1}},
			"has another's":     {OfOrder.Has(LineText.Eq("axe")), []int64{}},
			"or escapes":        {OfOrder.Has(owner.Or(LineText.Eq("axe"), owner.And[Line]())), []int64{1, 2}},
			"to":                {UsesCoupon.To(CouponCode.Eq("A")), []int64{1}},
			"to another's":      {UsesCoupon.To(), []int64{1}},
			"to shared":         {InCountry.To(CountryName.HasPrefix("Swi")), []int64{2}},
			"to and back again": {OfOrder.Has(OfOrder.To(OfOrder.Has(LineText.Eq("ink")))), []int64{1}},
		} {
			rows, err := Orders.In(me).Where(tc.condition).OrderBy(OrderID.Asc()).All(ctx, db)
			require.NoError(t, err, name)
			got := []int64{}
			for _, o := range rows {
				got = append(got, o.ID)
			}
			require.Equal(t, tc.want, got, name)
		}
		lines, err := Lines.In(me).Where(owner.Or(LineText.Eq("axe"), owner.And[Line]())).All(ctx, db)
		require.NoError(t, err)
		require.Len(t, lines, 3)
		countries, err := Countries.Where(CountryName.Contains("a")).All(ctx, db)
		require.NoError(t, err)
		require.Len(t, countries, 2)
		c, err := Countries.Get(ctx, db, "at")
		require.NoError(t, err)
		require.Equal(t, "Austria", c.Name)
	})
	requireRefused(t, func(db owner.DB) error {
		_, err := Countries.Where(InCountry.Has()).All(t.Context(), db)
		return err
	}, "does not say whose rows")
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

func TestRows(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *dbtest.DB) {
		ownerkit.CreateShop(t, db)
		var got []int64
		for o, err := range Orders.In(me).OrderBy(OrderID.Asc()).Rows(t.Context(), db) {
			require.NoError(t, err)
			got = append(got, o.ID)
		}
		require.Equal(t, []int64{1, 2}, got)
		for range Orders.In(me).Rows(t.Context(), db) {
			break // gives the connection back, which dbtest checks
		}
		for _, err := range Orders.In(owner.Scope[UserID]{}).Rows(t.Context(), db) {
			require.ErrorIs(t, err, owner.ErrUnscoped)
		}
	})
}

func TestLocks(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *dbtest.DB) {
		ownerkit.CreateShop(t, db)
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
		defer cancel()
		in := Orders.In(me).OrderBy(OrderID.Asc())
		ownerkit.InRolledBackTx(t, db, func(first pgx.Tx) {
			// By a write, because CockroachDB may forget the lock of a read.
			require.NoError(t, Orders.In(me).Update(1).Set(OrderTotal.Add(1)).Exec(ctx, first))
			ownerkit.InRolledBackTx(t, db, func(tx pgx.Tx) {
				_, err := Orders.In(me).ForUpdate(owner.NoWait).Get(ctx, tx, 1)
				require.ErrorContains(t, err, "55P03")
			})
			if db.Cockroach() {
				return // no SKIP LOCKED before v22.2, and FOR SHARE locks nothing
			}
			ownerkit.InRolledBackTx(t, db, func(tx pgx.Tx) {
				rows, err := in.ForShare(owner.SkipLocked).All(ctx, tx)
				require.NoError(t, err)
				require.Len(t, rows, 1)
				require.EqualValues(t, 2, rows[0].ID)
			})
		})
	})
}

func TestPages(t *testing.T) {
	_, err := owner.NewCursors(make([]byte, 32))
	require.ErrorContains(t, err, "not random")
	_, err = owner.NewCursors([]byte("short"))
	require.ErrorContains(t, err, "at least 32 bytes")
	dbtest.Each(t, func(t *testing.T, db *dbtest.DB) {
		ownerkit.CreateAccounts(t, db)
		ctx := t.Context()
		// Rows that differ by a microsecond only, with and without a nick.
		at := time.Date(2024, 1, 1, 0, 0, 0, 0, time.UTC)
		nicks := []string{"a", "b"}
		for i := range 12 {
			a := Account{ID: int64(100 + i), Name: "page", Created: at.Add(time.Duration(i/3) * time.Microsecond)}
			if i%3 < 2 {
				a.Nick = &nicks[i%3]
			}
			require.NoError(t, Accounts.In(me).Insert(ctx, db, &a))
			a.ID, a.UserID = 0, 0
			require.NoError(t, Accounts.In(other).Insert(ctx, db, &a))
		}
		in := Accounts.In(me).Where(Name.Eq("page"))
		var first string
		for name, orders := range map[string][]owner.Order[Account]{
			"key": nil, "time": {Created.Asc()}, "time desc": {Created.Desc(), ID.Desc()},
			"null": {Nick.Asc()}, "null desc": {Nick.Desc(), Created.Asc()}, "null then": {Created.Desc(), Nick.Desc(), ID.Asc()},
		} {
			all, err := in.OrderBy(orders...).OrderBy(ID.Asc()).All(ctx, db)
			if name == "time desc" {
				all, err = in.OrderBy(orders...).All(ctx, db)
			}
			require.NoError(t, err)
			for _, size := range []int{1, 5, 12, 20} {
				got, cursor := []int64{}, ""
				for {
					page, err := in.OrderBy(orders...).Page(ctx, db, sealed, cursor, size)
					require.NoError(t, err, name)
					got = append(got, ids(page.Rows)...)
					if cursor = page.Next; cursor == "" {
						break
					}
					if name == "time" {
						first = cursor
					}
				}
				require.Equal(t, ids(all), got, "%s by %d", name, size)
			}
		}
		require.NotEmpty(t, first)
		page, err := Accounts.In(me).Where(Name.Eq("nobody")).Page(ctx, db, sealed, "", 5)
		require.NoError(t, err)
		text, err := json.Marshal(page)
		require.NoError(t, err)
		require.JSONEq(t, `{"rows": []}`, string(text))
		for _, size := range []int{-1, 0, owner.MaxRows + 1} {
			_, err = in.Page(ctx, db, sealed, "", size)
			var e *errs.Error
			require.ErrorAs(t, errs.NewCatalog().Translate(err), &e)
			require.ErrorIs(t, e, errs.Invalid)
			require.Equal(t, []errs.FieldError{{Parameter: "size", Code: "out_of_range", Detail: "A page has 1 to 1000 rows."}}, e.Fields())
		}
		valid := func(s owner.Select[Account, UserID], cursor string) error {
			_, err := s.Page(ctx, db, sealed, cursor, 3)
			return err
		}
		require.NoError(t, valid(in.OrderBy(Created.Asc()), first))
		require.ErrorIs(t, valid(Accounts.In(other).Where(Name.Eq("page")).OrderBy(Created.Asc()), first), owner.ErrCursor, "another owner")
		require.ErrorIs(t, valid(in.OrderBy(Created.Desc()), first), owner.ErrCursor, "another order")
		require.ErrorIs(t, valid(Accounts.In(me).Where(Name.Eq("x")).OrderBy(Created.Asc()), first), owner.ErrCursor, "another value")
		require.ErrorIs(t, valid(Accounts.In(me).OrderBy(Created.Asc()), first), owner.ErrCursor, "another condition")
		for i := range first {
			tampered := first[:i] + strings.Map(func(r rune) rune { return r ^ 1 }, first[i:i+1]) + first[i+1:]
			require.ErrorIs(t, valid(in.OrderBy(Created.Asc()), tampered), owner.ErrCursor)
		}
		another, err := owner.NewCursors([]byte("another key 0123456789abcdef0123456789abcdef"))
		require.NoError(t, err)
		_, err = in.OrderBy(Created.Asc()).Page(ctx, db, another, first, 3)
		require.ErrorIs(t, err, owner.ErrCursor)
	})
	requireRefused(t, func(db owner.DB) error { _, err := Accounts.In(me).Page(t.Context(), db, nil, "", 3); return err }, "not made by NewCursors")
	requireRefused(t, func(db owner.DB) error { _, err := Accounts.In(me).Page(t.Context(), db, sealed, "", 0); return err }, "1 to 1000")
	requireRefused(t, func(db owner.DB) error {
		_, err := Orders.In(me).OrderBy(OrderSecret.Asc()).Page(t.Context(), db, sealed, "", 3)
		return err
	}, "hidden")
}

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
		seen := func(g owner.Grant[grantRow, Order, UserID], s owner.Scope[UserID]) (got []int64) {
			rows, err := g.In(s).Where(owner.Or(OrderTitle.Ne("x"), owner.And[Order]())).OrderBy(OrderID.Asc()).All(ctx, db)
			require.NoError(t, err)
			for _, o := range rows {
				got = append(got, o.ID)
			}
			codes, err := OrderCodes.Of(g.In(s)).All(ctx, db)
			require.NoError(t, err)
			require.Len(t, codes, len(got))
			return got
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
