package ownertest

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/rowkeeper/rowkeeper/internal/devdb/dbtest"
	"github.com/rowkeeper/rowkeeper/owner"
	"github.com/rowkeeper/rowkeeper/owner/internal/ownerkit"
)

func TestMain(m *testing.M) { dbtest.Main(m) }

type UserID int64

type (
	Coupon = ownerkit.Coupon[UserID]
	Order  = ownerkit.Order[UserID]
	Line   = ownerkit.Line

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

// The shop of ownerkit, and grants to read its orders.
var (
	shop    = ownerkit.DeclareShop[UserID]()
	grants  = owner.MustTable[Grant, UserID]("grants")
	readers = owner.GrantedBy(shop.Orders, grants, owner.Column(grants, func(g *Grant) *int64 { return &g.Order }))
	view    = owner.MustView[OrderLine](shop.Orders, owner.Join("line",
		owner.ReferenceOf(shop.Orders, owner.Column(shop.Lines, func(l *Line) *int64 { return &l.OrderID }))))
)

func subjects() []Subject[UserID] {
	return []Subject[UserID]{
		Table(shop.Coupons, PrimaryKey), Table(shop.Orders, PrimaryKey), Table(shop.Lines), Table(grants, PrimaryKey),
		Select("readers", readers.In), Select("order lines", view.In),
	}
}

const worldDDL = ownerkit.ShopDDL + `; create sequence grant_ids start 5000;
create table grants (id int8 primary key default nextval('grant_ids'), user_id int8 not null, order_id int8 not null);`

const (
	alice UserID = ownerkit.Alice
	bob   UserID = ownerkit.Bob
)

var me, other = ownerkit.Scope(alice), ownerkit.Scope(bob)

// seed makes two rows of each table. Bob's numbers are larger and his totals smaller
// than Alice's, and he has granted himself his own orders.
func seed(ctx context.Context, tx pgx.Tx, who owner.Scope[UserID]) error {
	for i := range int64(2) {
		n := int64(who.Owner())*10 + i
		coupon := Coupon{Code: string(rune('a' + n%26))}
		if err := shop.Coupons.In(who).Insert(ctx, tx, &coupon); err != nil {
			return err
		}
		order := Order{Number: int32(n), Title: fmt.Sprint("order ", n), Total: 1000 - n, Secret: "s", Coupon: &coupon.ID, Country: "at"}
		if err := shop.Orders.In(who).Insert(ctx, tx, &order); err != nil {
			return err
		}
		if err := shop.Lines.In(who).Insert(ctx, tx, &Line{OrderID: order.ID, N: int32(n), Text: fmt.Sprint("line ", n), Price: 100 + n}); err != nil {
			return err
		}
		if err := grants.In(who).Insert(ctx, tx, &Grant{Order: order.ID}); err != nil {
			return err
		}
	}
	return nil
}

// mustCheck checks the subjects for Alice and Bob, with the rows of seed.
func mustCheck(t *testing.T, db DB, seed func(context.Context, pgx.Tx, owner.Scope[UserID]) error, subjects ...Subject[UserID]) result {
	t.Helper()
	r, err := check(t.Context(), db, me, other, seed, subjects)
	require.NoError(t, err)
	return r
}

// requireFinding fails unless the operation has a finding of that class.
func requireFinding(t *testing.T, r result, class, operation string) {
	t.Helper()
	for _, f := range r.findings {
		if f.class == class && f.operation == operation {
			return
		}
	}
	t.Fatalf("%s has no finding %q; found is only\n%s", operation, class, strings.Join(report(r.findings), "\n"))
}
