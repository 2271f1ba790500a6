package owner_test

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/rowkeeper/rowkeeper/owner"
	"github.com/rowkeeper/rowkeeper/owner/schema"
)

func ExampleNewTable() {
	type Row struct {
		ID   int64 `db:"id"`
		Name string
	}
	_, err := owner.NewTable[Row, UserID]("rows")
	fmt.Println(err)
	// Output:
	// owner: table "rows" of owner_test.Row:
	// 	field Name: add a tag db:"column", or db:"-" if it is no column
	// 	no field is the owner: add a tag owner:"owner"
	// 	no field is the primary key: add a tag owner:"pk"
}

func ExampleNewThrough() {
	type Row struct {
		ID int64 `db:"id" owner:"pk"`
	}
	_, err := owner.NewThrough[Row]("rows", Orders)
	fmt.Println(err)
	// Output:
	// owner: table "rows" of owner_test.Row:
	// 	no field points at the parent: add a tag owner:"parent"
}

func ExampleNewShared() {
	type Row struct {
		Code   string `db:"code"    owner:"pk"`
		UserID UserID `db:"user_id" owner:"owner"`
	}
	_, err := owner.NewShared[Row]("rows")
	fmt.Println(err)
	// Output:
	// owner: table "rows" of owner_test.Row:
	// 	field UserID: rows of this table have no owner of their own
}

func ExampleUnique() {
	type Tag struct {
		ID     int64  `db:"id"      owner:"pk"`
		UserID UserID `db:"user_id" owner:"owner"`
		Name   string `db:"name"`
		Color  string `db:"color"`
	}
	tags := owner.MustTable[Tag, UserID]("tags")
	byName := uniqueName(tags, func(t *Tag) *string { return &t.Name })

	ctx, db := context.Background(), exampleDB()
	defer db.Close()
	_, err := db.Exec(ctx, `create sequence tag_ids; create table tags (id int8 primary key default nextval('tag_ids'),
		user_id int8 not null, name text not null, color text not null, unique (user_id, name))`)
	fmt.Println(err)
	for _, color := range []string{"red", "blue"} {
		fmt.Println(tags.In(me).Upsert(ctx, db, &Tag{Name: "work", Color: color}, byName))
	}
	tag, err := tags.In(me).One(ctx, db)
	fmt.Println(tag.Color, err)
	// Output:
	// <nil>
	// <nil>
	// <nil>
	// blue <nil>
}

// The orders that clients can request.
func ExampleOrder() {
	ctx, db := context.Background(), exampleDB()
	defer db.Close()
	sorts := map[string]owner.Order[Account]{"name": Name.Asc(), "-balance": Balance.Desc(), "balance": Balance.Asc()}
	for _, wish := range []string{"name", "balance"} {
		a, err := Accounts.In(me).OrderBy(sorts[wish]).Limit(1).One(ctx, db)
		fmt.Println(a.Name, err)
	}
	// Output:
	// checking <nil>
	// savings <nil>
}

func ExampleAssignment() {
	ctx, db := context.Background(), exampleDB()
	defer db.Close()
	var changes []owner.Assignment[Account]
	for _, amount := range []int64{5} {
		changes = append(changes, Balance.Add(amount))
	}
	nick := "pig"
	changes = append(changes, Nick.Set(&nick))
	a, err := Accounts.In(me).Update(1).Set(changes...).Returning(ctx, db)
	fmt.Println(a.Balance, *a.Nick, err)
	// Output: 105 pig <nil>
}

// All declarations together, for owner/schema.
func ExampleAnyTable() {
	all := []owner.AnyTable{Accounts, Orders, Notes}

	ctx, db := context.Background(), exampleDB()
	defer db.Close()
	findings, err := schema.Verify(ctx, db, all...)
	if err != nil {
		fmt.Println(err)
	}
	for _, f := range findings {
		if f.Table == "notes" {
			fmt.Println(f.Severity >= schema.Broken, f.Name)
		}
	}
	// Output: true notes
}

// Settings for the policies of row-level security, in transactions of package txn:
// txn.Setting(s.Name, s.Value) is an option.
func ExampleScope_Settings() {
	ann, err := owner.For(CustomerID("ann"))
	if err != nil {
		fmt.Println(err)
	}
	var settings []owner.Setting
	if settings, err = ann.Settings(); err != nil {
		fmt.Println(err)
	}
	for _, s := range settings {
		fmt.Println(s.Name, s.Value)
	}
	// Output: rowkeeper.owner_test_customerid ann
}

// uniqueName serves all tables in which a name is unique for each owner.
func uniqueName[R any](table owner.Declared[R], name func(*R) *string) owner.Key[R] {
	var column owner.AnyColumn[R] = owner.Column(table, name)
	return owner.Unique(column)
}

var _ owner.DB = (pgx.Tx)(nil) // as a pool and a connection are
