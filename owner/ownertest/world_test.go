package ownertest

import (
	"context"
	"fmt"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/rowkeeper/rowkeeper/internal/devdb/dbtest"
	"github.com/rowkeeper/rowkeeper/owner"
)

func TestMain(m *testing.M) { dbtest.Main(m) }

type UserID int64

type (
	Country struct {
		Code string `db:"code" owner:"pk"`
	}
	Coupon struct {
		ID     int64  `db:"id" owner:"pk"`
		UserID UserID `db:"user_id" owner:"owner"`
		Code   string `db:"code"`
	}
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
	}
	Grant struct {
		ID     int64  `db:"id" owner:"pk"`
		UserID UserID `db:"user_id" owner:"owner"`
		Order  int64  `db:"order_id"`
	}
	OrderLine struct {
		ID    int64  `db:"id"`
		Title string `db:"title"`
		N     int32  `db:"line.n"`
		Text  string `db:"line.text"`
	}
)

// declared is a world of tables. Each test declares them anew, since some leave out a
// reference.
type declared struct {
	coupons *owner.Table[Coupon, UserID]
	orders  *owner.Table[Order, UserID]
	lines   *owner.Table[Line, UserID]
	grants  *owner.Table[Grant, UserID]
	readers owner.Grant[Grant, Order, UserID]
	view    *owner.View[OrderLine, Order, UserID]
}

func declare(withReference bool) declared {
	countries := owner.MustShared[Country]("countries")
	var d declared
	d.coupons = owner.MustTable[Coupon, UserID]("coupons")
	options := []owner.TableOption[Order]{
		owner.References(countries, func(o *Order) any { return &o.Country }),
		owner.Unique(func(o *Order) any { return &o.Number }),
		owner.Unique(func(o *Order) any { return &o.ID }),
	}
	if withReference {
		options = append([]owner.TableOption[Order]{owner.References(d.coupons, func(o *Order) any { return &o.Coupon })}, options...)
	}
	d.orders = owner.MustTable[Order, UserID]("orders", options...)
	d.lines = owner.MustThrough[Line]("lines", d.orders, owner.Unique(func(l *Line) any { return &l.OrderID }, func(l *Line) any { return &l.N }))
	d.grants = owner.MustTable[Grant, UserID]("grants")
	d.readers = owner.GrantedBy(d.orders, d.grants, owner.Column(d.grants, func(g *Grant) *int64 { return &g.Order }))
	d.view = owner.MustView[OrderLine](d.orders, owner.Join("line", owner.ReferenceOf(d.orders, owner.Column(d.lines, func(l *Line) *int64 { return &l.OrderID }))))
	return d
}

func (d declared) subjects() []Subject[UserID] {
	return []Subject[UserID]{
		Table(d.coupons, PrimaryKey), Table(d.orders, PrimaryKey), Table(d.lines), Table(d.grants, PrimaryKey),
		Select("readers", d.readers.In), Select("order lines", d.view.In),
	}
}

const ddl = `create sequence ids start 5000;
create table countries (code text primary key);
create table coupons (id int8 primary key default nextval('ids'), user_id int8 not null, code text not null);
create table orders (id int8 primary key default nextval('ids'), user_id int8 not null, number int4 not null,
	title text not null, total int8 not null, secret text not null, coupon_id int8 references coupons, country text not null references countries,
	version int8 not null, unique (user_id, number));
create table lines (order_id int8 not null references orders on delete cascade, n int4 not null, text text not null, primary key (order_id, n));
create table grants (id int8 primary key default nextval('ids'), user_id int8 not null, order_id int8 not null);
insert into countries values ('at');`

const (
	alice UserID = 42
	bob   UserID = 43
)

var me, other = scope(alice), scope(bob)

func scope[O comparable](o O) owner.Scope[O] {
	s, err := owner.For(o)
	if err != nil {
		panic(err)
	}
	return s
}

// seed makes two rows of each table. Bob's numbers are larger and his totals smaller
// than Alice's, and he has granted himself his own orders.
func (d declared) seed(ctx context.Context, tx pgx.Tx, who owner.Scope[UserID]) error {
	for i := range int64(2) {
		n := int64(who.Owner())*10 + i
		coupon := Coupon{Code: string(rune('a' + n%26))}
		if err := d.coupons.In(who).Insert(ctx, tx, &coupon); err != nil {
			return err
		}
		order := Order{Number: int32(n), Title: fmt.Sprint("order ", n), Total: 1000 - n, Secret: "s", Coupon: &coupon.ID, Country: "at"}
		if err := d.orders.In(who).Insert(ctx, tx, &order); err != nil {
			return err
		}
		if err := d.lines.In(who).Insert(ctx, tx, &Line{OrderID: order.ID, N: int32(n), Text: fmt.Sprint("line ", n)}); err != nil {
			return err
		}
		if err := d.grants.In(who).Insert(ctx, tx, &Grant{Order: order.ID}); err != nil {
			return err
		}
	}
	return nil
}

func setup(t *testing.T, db *dbtest.DB, sql string) {
	t.Helper()
	_, err := db.Exec(t.Context(), sql)
	require.NoError(t, err)
}
