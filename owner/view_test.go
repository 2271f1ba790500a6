package owner_test

import (
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

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
	PlaceCountry = owner.Column(OrderPlaces, func(o *OrderPlace) *string { return &o.Country })
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

// A view of aggregates alone has one row, also of no rows.
func TestViewOfOneRow(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *dbtest.DB) {
		createMeasures(t, db)
		for _, of := range []owner.Select[Measure, UserID]{Measures.In(me).Select, Measures.In(me).Where(MeasureID.Eq(8))} {
			ownerkit.RequireCount(t, db, 1, Totals.Of(of).Count)
			ownerkit.RequireExists(t, db, true, Totals.Of(of).Exists)
			ownerkit.RequireExists(t, db, false, Totals.Of(of).Where(TotalRows.Gt(7)).Exists)
		}
	})
}
