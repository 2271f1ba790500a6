package owner_test

import (
	"context"
	"errors"
	"fmt"
	"log"

	"github.com/rowkeeper/rowkeeper/owner"
)

func ExampleColumnOf() {
	ctx, db := context.Background(), exampleDB()
	defer db.Close()
	count := func(conditions ...owner.Condition[Account]) {
		n, err := Accounts.In(me).Where(conditions...).Count(ctx, db)
		fmt.Println(n, err)
	}
	count(Balance.Gt(100), Balance.Le(1500), Name.Ne("savings"))
	count(Name.In("savings", "checking"), ID.NotIn(2), Balance.Lt(200))
	count(owner.Not(Name.HasSuffix("ings")), Nick.IsNull())
	count(owner.Or(Nick.IsNotNull(), Name.Contains("100%"))) // the text, not a pattern
	// Output:
	// 1 <nil>
	// 1 <nil>
	// 1 <nil>
	// 0 <nil>
}

func ExampleSelect_One() {
	ctx, db := context.Background(), exampleDB()
	defer db.Close()
	in := Accounts.In(me)
	found, err := in.Where(Name.Eq("savings")).Exists(ctx, db)
	fmt.Println(found, err)
	a, err := in.Where(Name.Eq("savings")).One(ctx, db)
	fmt.Println(a.ID, err)
	_, err = in.One(ctx, db) // there are two
	fmt.Println(errors.Is(err, owner.ErrTooMany))
	// Output:
	// true <nil>
	// 1 <nil>
	// true
}

func ExampleSelect_All() {
	ctx, db := context.Background(), exampleDB()
	defer db.Close()
	in := Accounts.In(me)
	if err := in.InsertMany(ctx, db, make([]Account, owner.MaxRows)); err != nil {
		log.Fatal(err)
	}
	_, err := in.All(ctx, db) // never a part without saying so
	fmt.Println(err)
	some, err := in.OrderBy(Balance.Desc()).Limit(1).All(ctx, db)
	fmt.Println(some[0].Name, err)
	// Output:
	// owner: too many rows: accounts has more than 1000 for this call
	// checking <nil>
}

func ExampleSelect_Rows() {
	ctx, db := context.Background(), exampleDB()
	defer db.Close()
	for a, err := range Accounts.In(me).OrderBy(ID.Asc()).Rows(ctx, db) {
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(a.ID, a.Name)
	}
	// Output:
	// 1 savings
	// 2 checking
}

func ExampleSelect_ForUpdate() {
	ctx, db := context.Background(), exampleDB()
	defer db.Close()
	in := Accounts.In(me)
	tx, err := db.Begin(ctx)
	if err != nil {
		log.Fatal(err)
	}
	defer func() { _ = tx.Rollback(ctx) }()
	var wait owner.LockOption = owner.NoWait // without one it waits for the others
	a, err := in.ForUpdate(wait).Get(ctx, tx, 1)
	fmt.Println(a.Balance, err)

	// Locks last until the transaction ends, so there must be one.
	next := in.Where(Balance.Gt(0)).OrderBy(ID.Asc()).Limit(1)
	_, err = next.ForUpdate(owner.SkipLocked).All(ctx, db)
	fmt.Println(err)
	_, err = next.ForShare().All(ctx, db)
	fmt.Println(err != nil)
	// Output:
	// 100 <nil>
	// owner: table accounts: ForUpdate needs a transaction, not a *dbtest.DB
	// true
}

func ExampleColumnOf_Sum() {
	ctx, db := context.Background(), exampleDB()
	defer db.Close()
	// A Reader is any select on the rows.
	var rows owner.Reader[Account] = Accounts.In(me).Where(Balance.Gt(0))
	sum, err := Balance.Sum(ctx, db, rows)
	fmt.Println(sum, err)
	least, err := Balance.Min(ctx, db, rows)
	fmt.Println(least, err)
	most, err := Balance.Max(ctx, db, rows)
	fmt.Println(most, err)
	average, err := Balance.Avg(ctx, db, rows)
	fmt.Println(average, err)
	_, err = Balance.Max(ctx, db, Accounts.In(me).Where(ID.Eq(3))) // not this caller's
	fmt.Println(errors.Is(err, owner.ErrNotFound))
	// Output:
	// 1600 <nil>
	// 100 <nil>
	// 1500 <nil>
	// 800 <nil>
	// true
}

func ExampleDistinct() {
	type Place struct {
		Country string `db:"country"`
	}
	places := owner.MustView[Place](Orders, owner.Distinct())
	country := owner.Column(places, func(p *Place) *string { return &p.Country })

	ctx, db := context.Background(), exampleWorld()
	defer db.Close()
	rows, err := places.Of(Orders.In(me).Where(OrderTotal.Ge(100))).OrderBy(country.Asc()).All(ctx, db)
	fmt.Println(rows, err)
	// Output: [{at} {ch}] <nil>
}

func ExampleLeftJoin() {
	type Row struct {
		Title  string  `db:"title"`
		Coupon *string `db:"coupon.code"` // nil where there is none
	}
	rows := owner.MustView[Row](Orders, owner.LeftJoin("coupon", UsesCoupon))
	title := owner.Column(rows, func(r *Row) *string { return &r.Title })

	ctx, db := context.Background(), exampleWorld()
	defer db.Close()
	all, err := rows.In(me).OrderBy(title.Asc()).All(ctx, db)
	for _, r := range all {
		fmt.Println(r.Title, r.Coupon != nil)
	}
	fmt.Println(err)
	// Output:
	// one true
	// two false
	// <nil>
}

func ExampleJoin() {
	type Sum struct {
		Country string `db:"country"`
		Lines   int64  `db:"*"          owner:"count"`
		Price   int64  `db:"line.price" owner:"sum"`
	}
	ofOrder := owner.ReferenceOf(Orders, LineOrder)
	sums := owner.MustView[Sum](Orders, owner.Join("line", ofOrder))
	price := owner.Column(sums, func(s *Sum) *int64 { return &s.Price })

	ctx, db := context.Background(), exampleWorld()
	defer db.Close()
	rows, err := sums.In(me).OrderBy(price.Desc()).All(ctx, db)
	fmt.Println(rows, err)
	// Output: [{ch 1 200} {at 2 100}] <nil>
}

func ExampleMustShared() {
	type Country struct {
		Code string `db:"code" owner:"pk"`
		Name string `db:"name"`
	}
	countries := owner.MustShared[Country]("countries")
	name := owner.Column(countries, func(c *Country) *string { return &c.Name })

	ctx, db := context.Background(), exampleWorld()
	defer db.Close()
	// A shared table needs no scope and can only be read.
	at, err := countries.Get(ctx, db, "at")
	fmt.Println(at.Name, err)
	var sorted owner.Select[Country, struct{}] = countries.OrderBy(name.Desc())
	all, err := sorted.All(ctx, db)
	fmt.Println(len(all), err)
	// Output:
	// Austria <nil>
	// 2 <nil>
}

func ExampleMustThrough() {
	type Line struct {
		OrderID int64  `db:"order_id" owner:"pk,parent"`
		N       int32  `db:"n"        owner:"pk"`
		Text    string `db:"text"`
		Price   int64  `db:"price"`
	}
	lines := owner.MustThrough[Line]("lines", Orders)

	ctx, db := context.Background(), exampleWorld()
	defer db.Close()
	fmt.Println(lines.In(me).Insert(ctx, db, &Line{OrderID: 1, N: 3, Text: "stamp"}))
	// Order 3 exists, but it is not this caller's.
	err := lines.In(me).Insert(ctx, db, &Line{OrderID: 3, N: 3, Text: "stamp"})
	fmt.Println(errors.Is(err, owner.ErrReference))
	_, err = lines.In(me).Get(ctx, db, 3, 1)
	fmt.Println(errors.Is(err, owner.ErrNotFound))
	// Output:
	// <nil>
	// true
	// true
}

func ExampleGrantedBy() {
	type Grant struct {
		OrderID int64  `db:"order_id" owner:"pk"`
		UserID  UserID `db:"user_id"  owner:"owner,pk"` // who is let in
		Role    string `db:"role"`
	}
	type Share struct { // the same rows, for the owner of the order
		OrderID int64  `db:"order_id" owner:"pk,parent"`
		UserID  UserID `db:"user_id"  owner:"pk"`
		Role    string `db:"role"`
	}
	grants := owner.MustTable[Grant, UserID]("grants")
	order := owner.Column(grants, func(g *Grant) *int64 { return &g.OrderID })
	role := owner.Column(grants, func(g *Grant) *string { return &g.Role })
	shares := owner.MustThrough[Share]("grants", Orders)
	readers := owner.GrantedBy(Orders, grants, order)

	ctx, db := context.Background(), exampleWorld()
	defer db.Close()
	_, err := db.Exec(ctx, `create table grants (order_id int8, user_id int8, role text not null, primary key (order_id, user_id))`)
	if err != nil {
		log.Fatal(err)
	}
	n, err := readers.In(other).Count(ctx, db)
	fmt.Println(n, err)
	fmt.Println(shares.In(me).Insert(ctx, db, &Share{OrderID: 1, UserID: other.Owner(), Role: "read"}))
	n, err = readers.In(other).Count(ctx, db)
	fmt.Println(n, err)
	n, err = readers.Where(role.Eq("write")).In(other).Count(ctx, db)
	fmt.Println(n, err)
	// Output:
	// 1 <nil>
	// <nil>
	// 2 <nil>
	// 1 <nil>
}

func ExampleMember() {
	type TenantID int64
	type Draft struct {
		Tenant TenantID `db:"tenant_id" owner:"tenant,pk"`
		User   UserID   `db:"user_id"   owner:"owner"`
		ID     int64    `db:"id"        owner:"pk"`
	}
	type Setting struct {
		Tenant TenantID `db:"tenant_id" owner:"owner,pk"`
		Theme  string   `db:"theme"`
	}
	type Person = owner.Member[TenantID, UserID]
	drafts := owner.MustTable[Draft, Person]("drafts")
	settings := owner.MustTable[Setting, TenantID]("tenant_settings")

	ctx, db := context.Background(), exampleWorld()
	defer db.Close()
	_, err := db.Exec(ctx, `create table drafts (tenant_id int8, user_id int8 not null, id int8, primary key (tenant_id, id));
		create table tenant_settings (tenant_id int8 primary key, theme text not null)`)
	if err != nil {
		log.Fatal(err)
	}
	ann, err := owner.For(Person{Tenant: 7, User: 42})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(drafts.In(ann).Insert(ctx, db, &Draft{ID: 1}))
	tenant, err := owner.For(ann.Owner().Tenant)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(settings.In(tenant).Insert(ctx, db, &Setting{Theme: "dark"}))
	_, err = owner.For(Person{User: 42})
	fmt.Println(errors.Is(err, owner.ErrUnscoped))
	// Output:
	// <nil>
	// <nil>
	// true
}

func ExampleNewCursors() {
	ctx, db := context.Background(), exampleDB()
	defer db.Close()
	var cursors *owner.Cursors
	cursors, err := owner.NewCursors([]byte("a secret of at least 32 bytes ..."))
	if err != nil {
		log.Fatal(err)
	}
	page, err := Accounts.In(me).Page(ctx, db, cursors, "", 1)
	fmt.Println(len(page.Rows), page.Next != "", err)
	// The cursor of one caller is refused for another.
	_, err = Accounts.In(other).Page(ctx, db, cursors, page.Next, 1)
	fmt.Println(errors.Is(err, owner.ErrCursor))
	// Output:
	// 1 true <nil>
	// true
}
