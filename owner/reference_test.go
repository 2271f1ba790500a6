package owner_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rowkeeper/rowkeeper/internal/devdb/dbtest"
	"github.com/rowkeeper/rowkeeper/owner"
	"github.com/rowkeeper/rowkeeper/owner/internal/ownerkit"
)

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
			require.Equal(t, tc.want, orderIDs(rows), name)
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

func TestADefaultCannotRefer(t *testing.T) {
	t.Parallel()
	type voucher struct {
		ID     int64  `db:"id" owner:"pk"`
		UserID UserID `db:"user_id" owner:"owner"`
		Coupon *int64 `db:"coupon_id" owner:"default"`
	}
	err := owner.TableError[voucher, UserID]("vouchers", owner.References(Coupons, func(v *voucher) any { return &v.Coupon }))
	require.ErrorContains(t, err, "column vouchers.coupon_id: it is tagged default, but what the database fills in "+
		"is not checked to be the owner's; remove the word, and set the column")
}

// The inserted key is the checked one, even if a foreign key is zero and the database
// could fill it in.
func TestAKeyThatRefersIsNotLeftToTheDatabase(t *testing.T) {
	type voucher struct {
		Coupon int64  `db:"coupon_id" owner:"pk"`
		UserID UserID `db:"user_id" owner:"owner"`
	}
	vouchers := owner.MustTable[voucher, UserID]("vouchers", owner.References(Coupons, func(v *voucher) any { return &v.Coupon }))
	coupon := owner.Column(vouchers, func(v *voucher) *int64 { return &v.Coupon })
	dbtest.Each(t, func(t *testing.T, db *dbtest.DB) {
		ownerkit.CreateShop(t, db)
		ctx, in := t.Context(), vouchers.In(me)
		ownerkit.MustExec(t, db, `create table vouchers (coupon_id int8 default 12 primary key, user_id int8 not null)`)
		require.ErrorIs(t, in.Insert(ctx, db, &voucher{}), owner.ErrReference)
		require.ErrorIs(t, in.InsertMany(ctx, db, []voucher{{}, {Coupon: 10}}), owner.ErrReference)
		ownerkit.MustExec(t, db, `insert into coupons values (0, 42, 'zero')`)
		v := voucher{}
		require.NoError(t, in.Insert(ctx, db, &v))
		require.Zero(t, v.Coupon, "and not the stranger's")
		ownerkit.MustExec(t, db, `delete from vouchers`)
		require.NoError(t, in.InsertMany(ctx, db, []voucher{{}, {Coupon: 10}}))
		ownerkit.RequireCount(t, db, 0, in.Where(coupon.Eq(12)).Count)
	})
}

// ReferenceOf finds what was declared, and declares nothing.
func TestReferenceOf(t *testing.T) {
	t.Parallel()
	leaves := owner.MustTable[leaf, UserID]("leaves", itself(leafAbove)...)
	id := owner.Column(leaves, func(l *leaf) *int64 { return &l.ID })
	above := owner.Column(leaves, func(l *leaf) **int64 { return &l.Above })
	for want, find := range map[string]func(){
		`owner: table leaves: its declaration has no reference to leaves by the columns "id"`:           func() { owner.ReferenceOf(leaves, id) },
		`owner: table leaves: its declaration has no reference to orders by the columns "above"`:        func() { owner.ReferenceOf(Orders, above) },
		"owner: ReferenceOf: the parent was not made by MustTable, MustThrough or MustShared":           func() { owner.ReferenceOf[leaf, Order](nil, above) },
		`owner: table orders: its declaration has no reference to countries by the columns "coupon_id"`: func() { owner.ReferenceOf(Countries, OrderCoupon) },
		`owner: table lines: its declaration has no reference to orders by the columns "n"`:             func() { owner.ReferenceOf(Orders, LineN) },
		"owner: ReferenceOf: the columns must be of one table":                                          func() { owner.ReferenceOf(leaves, id, otherLeafID()) },
	} {
		require.PanicsWithError(t, want, find)
	}
	require.NotPanics(t, func() { owner.ReferenceOf(leaves, above) })
	require.NotPanics(t, func() { owner.ReferenceOf(Orders, LineOrder) }, "the parent of a table is a reference")
}
