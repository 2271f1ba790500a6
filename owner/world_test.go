package owner_test

import (
	"context"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/rowkeeper/rowkeeper/internal/devdb/dbtest"
	"github.com/rowkeeper/rowkeeper/owner"
)

// A world of tables that point at each other: orders of owners, their lines
// without an owner column, coupons of owners, and countries for everybody.
type (
	Order struct {
		ID      int64  `db:"id" owner:"pk"`
		UserID  UserID `db:"user_id" owner:"owner" json:"user_id"`
		Number  int32  `db:"number" json:"number"`
		Title   string `db:"title" json:"title"`
		Total   int64  `db:"total" owner:"server" json:"total"`
		Secret  string `db:"secret" owner:"hidden" json:"secret"`
		Coupon  *int64 `db:"coupon_id" json:"coupon"`
		Country string `db:"country" json:"country"`
		Version int64  `db:"version" owner:"version" json:"version"`
	}
	Line struct {
		OrderID int64  `db:"order_id" owner:"pk,parent"`
		N       int32  `db:"n" owner:"pk"`
		Text    string `db:"text"`
		Price   int64  `db:"price"`
	}
	Coupon struct {
		ID     int64  `db:"id" owner:"pk"`
		UserID UserID `db:"user_id" owner:"owner"`
		Code   string `db:"code"`
	}
	Country struct {
		Code string `db:"code" owner:"pk"`
		Name string `db:"name"`
	}
)

var (
	Countries   = owner.MustShared[Country]("countries")
	CountryName = owner.Column(Countries, func(c *Country) *string { return &c.Name })

	Coupons    = owner.MustTable[Coupon, UserID]("coupons")
	CouponCode = owner.Column(Coupons, func(c *Coupon) *string { return &c.Code })

	Orders = owner.MustTable[Order, UserID]("orders",
		owner.Unique(func(o *Order) any { return &o.Number }),
		owner.Unique(func(o *Order) any { return &o.ID }),
		owner.References(Coupons, func(o *Order) any { return &o.Coupon }),
		owner.References(Countries, func(o *Order) any { return &o.Country }))
	OrderID      = owner.Column(Orders, func(o *Order) *int64 { return &o.ID })
	OrderNumber  = owner.Column(Orders, func(o *Order) *int32 { return &o.Number })
	OrderTitle   = owner.Column(Orders, func(o *Order) *string { return &o.Title })
	OrderTotal   = owner.Column(Orders, func(o *Order) *int64 { return &o.Total })
	OrderSecret  = owner.Column(Orders, func(o *Order) *string { return &o.Secret })
	OrderCoupon  = owner.Column(Orders, func(o *Order) **int64 { return &o.Coupon })
	OrderCountry = owner.Column(Orders, func(o *Order) *string { return &o.Country })
	OrderVersion = owner.Column(Orders, func(o *Order) *int64 { return &o.Version })
	UsesCoupon   = owner.ReferenceOf(Coupons, OrderCoupon)
	InCountry    = owner.ReferenceOf(Countries, OrderCountry)

	Lines = owner.MustThrough[Line]("lines", Orders,
		owner.Unique(func(l *Line) any { return &l.OrderID }, func(l *Line) any { return &l.N }))
	LineOrder = owner.Column(Lines, func(l *Line) *int64 { return &l.OrderID })
	LineN     = owner.Column(Lines, func(l *Line) *int32 { return &l.N })
	LineText  = owner.Column(Lines, func(l *Line) *string { return &l.Text })
	LinePrice = owner.Column(Lines, func(l *Line) *int64 { return &l.Price })
	OfOrder   = owner.ReferenceOf(Orders, LineOrder)

	bobOrder      = int64(3)
	bobCoupon     = int64(12)
	missingCoupon = int64(999)
)

const worldDDL = `create sequence world_ids start 5000;
create table countries (code text primary key, name text not null);
create table coupons (id int8 primary key default nextval('world_ids'), user_id int8 not null, code text not null);
create table orders (id int8 primary key default nextval('world_ids'), user_id int8 not null, number int4 not null,
	title text not null, total int8 not null, secret text not null, coupon_id int8 references coupons, country text not null references countries,
	version int8 not null, unique (user_id, number));
create table lines (order_id int8 not null references orders on delete cascade, n int4 not null, text text not null, price int8 not null, primary key (order_id, n));
insert into countries values ('at', 'Austria'), ('ch', 'Switzerland');
insert into coupons values (10, 42, 'A'), (12, 43, 'B');
insert into orders values (1, 42, 1, 'one', 100, 's1', 10, 'at', 1), (2, 42, 2, 'two', 200, 's2', null, 'ch', 5), (3, 43, 1, 'his', 300, 's3', 12, 'at', 1);
insert into lines values (1, 1, 'pen', 40), (1, 2, 'ink', 60), (2, 1, 'paper', 200), (3, 1, 'axe', 300);`

// world makes the tables, with orders 1 and 2 of Alice and 3 of Bob.
func world(t *testing.T, db *dbtest.DB) {
	t.Helper()
	_, err := db.Exec(t.Context(), worldDDL)
	require.NoError(t, err)
}

type queryRower interface {
	QueryRow(ctx context.Context, sql string, args ...any) pgx.Row
}

// bobsWorld fails if anything of Bob has changed.
func bobsWorld(t *testing.T, db queryRower) {
	t.Helper()
	var n int
	err := db.QueryRow(t.Context(), `select
		(select count(*) from orders where user_id = 43) * 100 +
		(select count(*) from orders where (id, user_id, number, title, total, secret, coupon_id, country, version) = (3, 43, 1, 'his', 300, 's3', 12, 'at', 1)) * 10 +
		(select count(*) from lines where (order_id, n, text, price) = (3, 1, 'axe', 300)) +
		(select count(*) from lines where order_id = 3) - (select count(*) from coupons where (id, user_id, code) = (12, 43, 'B'))`).Scan(&n)
	require.NoError(t, err)
	require.Equal(t, 111, n, "rows of the other owner")
}
