package owner_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log"
	"net/http"
	"os"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/rowkeeper/rowkeeper/errs"
	"github.com/rowkeeper/rowkeeper/owner"
)

type SellerID int64

type (
	Invoice struct {
		ID      int64    `db:"id"         owner:"pk"`
		Seller  SellerID `db:"seller_id"  owner:"owner"   json:"seller_id"`
		Number  int32    `db:"number"                     json:"number"`
		Title   string   `db:"title"                      json:"title"`
		Total   int64    `db:"total"      owner:"server"  json:"total"`
		Voucher *int64   `db:"voucher_id"                 json:"voucher"`
		Country string   `db:"country"                    json:"country"`
		Version int64    `db:"version"    owner:"version" json:"version"`
	}
	Item struct { // belongs to the owner of its invoice
		InvoiceID int64  `db:"invoice_id" owner:"pk,parent"`
		N         int32  `db:"n"          owner:"pk"`
		Text      string `db:"text"`
		Price     int64  `db:"price"`
	}
	Voucher struct {
		ID     int64    `db:"id"        owner:"pk"`
		Seller SellerID `db:"seller_id" owner:"owner"`
		Code   string   `db:"code"`
	}
	Land struct { // for everybody
		Code string `db:"code" owner:"pk"`
		Name string `db:"name"`
	}
)

var (
	Lands = owner.MustShared[Land]("lands")

	Vouchers    = owner.MustTable[Voucher, SellerID]("vouchers")
	VoucherCode = owner.Column(Vouchers, func(v *Voucher) *string { return &v.Code })

	Invoices = owner.MustTable[Invoice, SellerID]("invoices",
		owner.Unique(func(i *Invoice) any { return &i.Number }),
		owner.References(Vouchers, func(i *Invoice) any { return &i.Voucher }),
		owner.References(Lands, func(i *Invoice) any { return &i.Country }))
	InvoiceNumber  = owner.Column(Invoices, func(i *Invoice) *int32 { return &i.Number })
	InvoiceTitle   = owner.Column(Invoices, func(i *Invoice) *string { return &i.Title })
	InvoiceTotal   = owner.Column(Invoices, func(i *Invoice) *int64 { return &i.Total })
	InvoiceVoucher = owner.Column(Invoices, func(i *Invoice) **int64 { return &i.Voucher })
	InvoiceCountry = owner.Column(Invoices, func(i *Invoice) *string { return &i.Country })
	UsesVoucher    = owner.ReferenceOf(Vouchers, InvoiceVoucher)
	InLand         = owner.ReferenceOf(Lands, InvoiceCountry)

	Items       = owner.MustThrough[Item]("items", Invoices)
	ItemInvoice = owner.Column(Items, func(i *Item) *int64 { return &i.InvoiceID })
	ItemText    = owner.Column(Items, func(i *Item) *string { return &i.Text })
	ItemPrice   = owner.Column(Items, func(i *Item) *int64 { return &i.Price })
	OfInvoice   = owner.ReferenceOf(Invoices, ItemInvoice)
)

// seller returns the scope of a seller, as the authentication of a service does.
func seller(id SellerID) owner.Scope[SellerID] {
	scope, err := owner.For(id)
	if err != nil {
		log.Fatal(err)
	}
	return scope
}

// market connects to the database and creates three invoices with their items: 1 and 2 of
// seller 42, and 3 of seller 43. The function that it returns drops them.
func market(ctx context.Context) (db *pgxpool.Pool, drop func()) {
	db, err := pgxpool.New(ctx, os.Getenv("DATABASE_URL"))
	if err != nil {
		log.Fatal(err)
	}
	_, err = db.Exec(ctx, `create sequence invoice_ids start 5000;
		create table lands (code text primary key, name text not null);
		create table vouchers (id bigint primary key, seller_id bigint not null, code text not null);
		create table invoices (
			id bigint primary key default nextval('invoice_ids'),
			seller_id bigint not null,
			number int4 not null,
			title text not null,
			total bigint not null,
			voucher_id bigint references vouchers,
			country text not null references lands,
			version bigint not null,
			unique (seller_id, number));
		create table items (
			invoice_id bigint not null references invoices on delete cascade,
			n int4 not null,
			text text not null,
			price bigint not null,
			primary key (invoice_id, n));
		insert into lands values ('at', 'Austria'), ('ch', 'Switzerland');
		insert into vouchers values (10, 42, 'A'), (12, 43, 'B');
		insert into invoices values
			(1, 42, 1, 'one', 100, 10, 'at', 1), (2, 42, 2, 'two', 200, null, 'ch', 5), (3, 43, 1, 'theirs', 300, 12, 'at', 1);
		insert into items values (1, 1, 'pen', 40), (1, 2, 'ink', 60), (2, 1, 'paper', 200), (3, 1, 'axe', 300)`)
	if err != nil {
		log.Fatal(err)
	}
	return db, func() {
		_, err := db.Exec(ctx, `drop table items; drop table invoices; drop table vouchers; drop table lands;
			drop sequence invoice_ids`)
		if err != nil {
			log.Fatal(err)
		}
		db.Close()
	}
}

func ExampleUpdate_At() {
	ctx := context.Background()
	db, drop := market(ctx)
	defer drop()
	me := seller(42)
	in := Invoices.In(me)

	i, err := in.Update(1).IfMatch(`"1"`).Set(InvoiceTitle.Set("new")).Returning(ctx, db)
	fmt.Println(i.Title, Invoices.ETag(&i), err)
	err = in.Update(1).At(1).Set(InvoiceTitle.Set("newer")).Exec(ctx, db)
	fmt.Println(errors.Is(err, owner.ErrStale), err)
	// Output:
	// new "2" <nil>
	// true owner: the row has changed since it was read (table invoices)
}

func ExampleScoped_UpdateWhere() {
	ctx := context.Background()
	db, drop := market(ctx)
	defer drop()
	me := seller(42)
	in := Invoices.In(me)

	n, err := in.UpdateWhere(InvoiceTotal.Ge(100)).Set(InvoiceTotal.Add(-5)).MaxAffected(10).Exec(ctx, db)
	fmt.Println(n, err)
	_, err = in.DeleteWhere(InvoiceTotal.Ge(0)).MaxAffected(1).Exec(ctx, db)
	fmt.Println(errors.Is(err, owner.ErrTooMany))
	// Output:
	// 2 <nil>
	// true
}

func ExampleScoped_Delete() {
	ctx := context.Background()
	db, drop := market(ctx)
	defer drop()
	me := seller(42)
	in := Invoices.In(me)
	err := in.Delete(2).At(4).Exec(ctx, db)
	fmt.Println(errors.Is(err, owner.ErrStale)) // it is in version 5
	var second owner.Delete[Invoice, SellerID] = in.Delete(2)
	fmt.Println(second.IfMatch(`"5"`).Exec(ctx, db))
	fmt.Println(second.Exec(ctx, db))
	// Output:
	// true
	// <nil>
	// owner: not found in invoices
}

func ExampleScoped_DeleteWhere() {
	ctx := context.Background()
	db, drop := market(ctx)
	defer drop()
	me := seller(42)
	in := Items.In(me)
	_, err := in.DeleteWhere(owner.And[Item]()).MaxAffected(2).Exec(ctx, db) // there are three
	fmt.Println(errors.Is(err, owner.ErrTooMany))
	n, err := in.DeleteWhere(ItemPrice.Lt(100)).MaxAffected(2).Exec(ctx, db)
	fmt.Println(n, err)
	// Output:
	// true
	// 2 <nil>
}

func ExampleScoped_InsertMany() {
	ctx := context.Background()
	db, drop := market(ctx)
	defer drop()
	me := seller(42)
	fmt.Println(Items.In(me).InsertMany(ctx, db, []Item{{InvoiceID: 1, N: 3, Text: "a"}, {InvoiceID: 2, N: 2, Text: "b"}}))
	// All or none: invoice 3 is not this caller's.
	err := Items.In(me).InsertMany(ctx, db, []Item{{InvoiceID: 1, N: 4}, {InvoiceID: 3, N: 4}})
	fmt.Println(errors.Is(err, owner.ErrReference))
	n, err := Items.In(me).Count(ctx, db)
	fmt.Println(n, err)
	// Output:
	// <nil>
	// true
	// 5 <nil>
}

func ExampleScoped_Upsert() {
	ctx := context.Background()
	db, drop := market(ctx)
	defer drop()
	me := seller(42)
	i := Invoice{Number: 1, Title: "again", Country: "at"} // another seller has a number 1 too
	err := Invoices.In(me).Upsert(ctx, db, &i, InvoiceNumber)
	fmt.Println(i.ID, i.Version, err)
	// Output: 1 2 <nil>
}

func ExampleTable_Patch() {
	var body map[string]json.RawMessage
	if err := json.Unmarshal([]byte(`{"title": "x", "total": 0}`), &body); err != nil {
		log.Fatal(err)
	}
	_, err := Invoices.Patch(body)
	var refused *owner.PatchError
	if errors.As(err, &refused) {
		fmt.Println(refused.Field, refused.Reason)
	}
	// Output: /total read_only_field
}

func ExamplePatchError() {
	for _, body := range []string{`{}`, `{"titel": "x"}`, `{"seller_id": 43}`, `{"title": 7}`, `{"number": "4", "title": null}`} {
		var members map[string]json.RawMessage
		if err := json.Unmarshal([]byte(body), &members); err != nil {
			fmt.Println(err)
			return
		}
		_, err := Invoices.Patch(members)
		var refused *owner.PatchError
		if !errors.As(err, &refused) || refused.Kind() != errs.Invalid {
			continue
		}
		switch refused.Reason {
		case "nothing_to_change":
			fmt.Println("there is nothing to change")
		case "unknown_field":
			fmt.Println(refused.Field, "is unknown")
		case "read_only_field":
			fmt.Println(refused.Field, "cannot be changed")
		case "wrong_type":
			fmt.Println(refused.Error())
			for _, f := range refused.Fields() {
				fmt.Println(f.Pointer, f.Detail)
			}
		}
	}
	// Output:
	// there is nothing to change
	// /titel is unknown
	// /seller_id cannot be changed
	// owner: patch: "/title": wrong_type
	// /title This value must be a text.
	// owner: patch: "/number": wrong_type, and 1 more
	// /number This value must be a whole number from -2147483648 to 2147483647.
	// /title This value must be a text.
}

func ExampleTable_ParseIfMatch() {
	for _, header := range []string{Invoices.ETag(&Invoice{Version: 7}), `W/"7"`, "*", "", "7"} {
		version, whatever, err := Invoices.ParseIfMatch(header)
		switch {
		case errors.Is(err, owner.ErrNoVersion):
			fmt.Println(http.StatusPreconditionRequired)
		case errors.Is(err, owner.ErrStale):
			fmt.Println(http.StatusPreconditionFailed)
		case err != nil:
			fmt.Println(http.StatusBadRequest)
		default:
			fmt.Println(version, whatever)
		}
	}
	// Output:
	// 7 false
	// 412
	// 0 true
	// 428
	// 400
}

// Invoices refer to vouchers, which have owners, and to lands, which everybody has.
func ExampleReferences() {
	ctx := context.Background()
	db, drop := market(ctx)
	defer drop()
	me := seller(42)
	theirs := int64(12) // a voucher that exists, but it is not this caller's
	err := Invoices.In(me).Insert(ctx, db, &Invoice{Number: 9, Country: "at", Voucher: &theirs})
	fmt.Println(errors.Is(err, owner.ErrReference))
	var refused interface{ Fields() []errs.FieldError } // as the client will be told
	if errors.As(err, &refused) {
		for _, f := range refused.Fields() {
			fmt.Println(f.Pointer, f.Code)
		}
	}
	n, err := Invoices.In(me).Where(OfInvoice.Has(ItemText.Eq("pen")), UsesVoucher.To(VoucherCode.Eq("A"))).Count(ctx, db)
	fmt.Println(n, err)
	// Output:
	// true
	// /voucher reference_not_found
	// 1 <nil>
}

func ExampleSelect_Page() {
	ctx := context.Background()
	db, drop := market(ctx)
	defer drop()
	me := seller(42)
	cursors, err := owner.NewCursors([]byte("a secret of at least 32 bytes ..."))
	if err != nil {
		log.Fatal(err)
	}
	var page owner.Page[Invoice]
	for cursor := ""; ; cursor = page.Next {
		page, err = Invoices.In(me).OrderBy(InvoiceTotal.Desc()).Page(ctx, db, cursors, cursor, 1)
		if err != nil {
			log.Fatal(err)
		}
		for _, i := range page.Rows {
			fmt.Println(i.Title)
		}
		if page.Next == "" {
			break
		}
	}
	// Output:
	// two
	// one
}

// A row for each item, with columns of its invoice and of the land.
func ExampleMustView() {
	type Row struct {
		Invoice int64  `db:"id"`
		Title   string `db:"title"`
		N       int32  `db:"item.n"`
		Text    string `db:"item.text"`
		Land    string `db:"land.name"`
	}
	rows := owner.MustView[Row](Invoices, owner.Join("item", OfInvoice), owner.Join("land", InLand))
	invoice := owner.Column(rows, func(r *Row) *int64 { return &r.Invoice })
	n := owner.Column(rows, func(r *Row) *int32 { return &r.N })

	ctx := context.Background()
	db, drop := market(ctx)
	defer drop()
	me := seller(42)
	all, err := rows.In(me).OrderBy(invoice.Asc(), n.Asc()).All(ctx, db)
	for _, r := range all {
		fmt.Println(r.Title, r.Text, r.Land)
	}
	fmt.Println(err)
	// Output:
	// one pen Austria
	// one ink Austria
	// two paper Switzerland
	// <nil>
}

func ExampleDistinct() {
	type Place struct {
		Country string `db:"country"`
	}
	places := owner.MustView[Place](Invoices, owner.Distinct())
	country := owner.Column(places, func(p *Place) *string { return &p.Country })

	ctx := context.Background()
	db, drop := market(ctx)
	defer drop()
	me := seller(42)
	rows, err := places.Of(Invoices.In(me).Where(InvoiceTotal.Ge(100))).OrderBy(country.Asc()).All(ctx, db)
	fmt.Println(rows, err)
	// Output: [{at} {ch}] <nil>
}

func ExampleLeftJoin() {
	type Row struct {
		Title   string  `db:"title"`
		Voucher *string `db:"voucher.code"` // nil where there is none
	}
	rows := owner.MustView[Row](Invoices, owner.LeftJoin("voucher", UsesVoucher))
	title := owner.Column(rows, func(r *Row) *string { return &r.Title })

	ctx := context.Background()
	db, drop := market(ctx)
	defer drop()
	me := seller(42)
	all, err := rows.In(me).OrderBy(title.Asc()).All(ctx, db)
	for _, r := range all {
		fmt.Println(r.Title, r.Voucher != nil)
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
		Items   int64  `db:"*"          owner:"count"`
		Price   int64  `db:"item.price" owner:"sum"`
	}
	sums := owner.MustView[Sum](Invoices, owner.Join("item", OfInvoice))
	price := owner.Column(sums, func(s *Sum) *int64 { return &s.Price })

	ctx := context.Background()
	db, drop := market(ctx)
	defer drop()
	me := seller(42)
	rows, err := sums.In(me).OrderBy(price.Desc()).All(ctx, db)
	fmt.Println(rows, err)
	// Output: [{ch 1 200} {at 2 100}] <nil>
}

// Items have no column for the owner: they belong to that of their invoice.
func ExampleMustThrough() {
	ctx := context.Background()
	db, drop := market(ctx)
	defer drop()
	me := seller(42)
	fmt.Println(Items.In(me).Insert(ctx, db, &Item{InvoiceID: 1, N: 3, Text: "stamp"}))
	// Invoice 3 exists, but it is not this caller's.
	err := Items.In(me).Insert(ctx, db, &Item{InvoiceID: 3, N: 3, Text: "stamp"})
	fmt.Println(errors.Is(err, owner.ErrReference))
	_, err = Items.In(me).Get(ctx, db, 3, 1)
	fmt.Println(errors.Is(err, owner.ErrNotFound))
	// Output:
	// <nil>
	// true
	// true
}
