package owner_test

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/rowkeeper/rowkeeper/owner"
	"github.com/rowkeeper/rowkeeper/owner/schema"
)

// A wrong declaration panics when the program starts, with all that is wrong.
func ExampleMustTable() {
	type Row struct {
		ID   int64 `db:"id"`
		Name string
	}
	defer func() { fmt.Println(recover()) }()
	owner.MustTable[Row, UserID]("rows")
	// Output:
	// owner: table "rows" of owner_test.Row:
	// 	field Name: add a tag db:"column", or db:"-" if it is no column
	// 	no field is the owner: add a tag owner:"owner"
	// 	no field is the primary key: add a tag owner:"pk"
}

func ExampleUnique() {
	type Tag struct {
		ID     int64  `db:"id"      owner:"pk"`
		UserID UserID `db:"user_id" owner:"owner"`
		Name   string `db:"name"`
		Color  string `db:"color"`
	}
	tags := owner.MustTable[Tag, UserID]("tags", owner.Unique(func(t *Tag) any { return &t.Name }))
	name := owner.Column(tags, func(t *Tag) *string { return &t.Name })

	ctx, db := context.Background(), exampleDB()
	defer db.Close()
	_, err := db.Exec(ctx, `create sequence tag_ids; create table tags (id int8 primary key default nextval('tag_ids'),
		user_id int8 not null, name text not null, color text not null, unique (user_id, name))`)
	fmt.Println(err)
	for _, color := range []string{"red", "blue"} {
		fmt.Println(tags.In(me).Upsert(ctx, db, &Tag{Name: "work", Color: color}, name))
	}
	tag, err := tags.In(me).One(ctx, db)
	fmt.Println(tag.Color, err)
	// Output:
	// <nil>
	// <nil>
	// <nil>
	// blue <nil>
}

// Functions can make options for all tables with a name.
func ExampleTableOption() {
	type Tag struct {
		ID     int64  `db:"id"      owner:"pk"`
		UserID UserID `db:"user_id" owner:"owner"`
		Name   string `db:"name"`
	}
	name := func(t *Tag) *string { return &t.Name }
	tags := owner.MustTable[Tag, UserID]("tags", uniqueName(name))
	labels := owner.MustTable[Tag, UserID]("labels")

	var db recorder
	err := tags.In(me).Upsert(context.Background(), &db, &Tag{Name: "work"}, nameOf(tags, name))
	fmt.Println(errors.Is(err, errRecorded)) // it was sent
	fmt.Println(labels.In(me).Upsert(context.Background(), &db, &Tag{Name: "work"}, nameOf(labels, name)))
	// Output:
	// true
	// owner: table labels: its declaration has no Unique of the columns "name"
}

// A comment and the one that it answers.
func ExampleForward_itself() {
	type Comment struct {
		ID      int64  `db:"id"      owner:"pk"`
		UserID  UserID `db:"user_id" owner:"owner"`
		Answers *int64 `db:"answers"`
		Text    string `db:"text"`
	}
	var itself owner.Forward[Comment]
	comments := owner.MustTable[Comment, UserID]("comments", &itself,
		owner.References(&itself, func(c *Comment) any { return &c.Answers }))
	text := owner.Column(comments, func(c *Comment) *string { return &c.Text })
	answers := owner.ReferenceOf(comments, owner.Column(comments, func(c *Comment) **int64 { return &c.Answers }))

	ctx, db := context.Background(), exampleDB()
	defer db.Close()
	_, err := db.Exec(ctx, `create table comments (id int8 primary key, user_id int8 not null, answers int8, text text not null);
		insert into comments values (1, 42, null, 'why?'), (2, 42, 1, 'because'), (3, 43, null, 'his')`)
	fmt.Println(err)
	// Comment 3 exists, but it is not this caller's.
	his := int64(3)
	err = comments.In(me).Insert(ctx, db, &Comment{ID: 4, Answers: &his, Text: "no"})
	fmt.Println(errors.Is(err, owner.ErrReference))
	answered, err := comments.In(me).Where(answers.Has(text.Eq("because"))).One(ctx, db)
	fmt.Println(answered.Text, err)
	// Output:
	// <nil>
	// true
	// why? <nil>
}

type (
	Document struct {
		ID     int64  `db:"id"      owner:"pk"`
		UserID UserID `db:"user_id" owner:"owner"`
		Latest *int64 `db:"latest"`
	}
	Revision struct {
		ID       int64  `db:"id"       owner:"pk"`
		Document int64  `db:"document" owner:"parent"`
		Text     string `db:"text"`
	}
)

// Two tables that refer to each other, as package variables.
var (
	revisions owner.Forward[Revision]
	Documents = owner.MustTable[Document, UserID]("documents",
		owner.References(&revisions, func(d *Document) any { return &d.Latest }))
	Revisions = owner.MustThrough[Revision]("revisions", Documents, &revisions)

	DocumentLatest = owner.Column(Documents, func(d *Document) **int64 { return &d.Latest })
	RevisionText   = owner.Column(Revisions, func(r *Revision) *string { return &r.Text })
	LatestOf       = owner.ReferenceOf(Revisions, DocumentLatest)
)

// A document has revisions, and points at the latest of them.
func ExampleForward() {
	ctx, db := context.Background(), exampleDB()
	defer db.Close()
	_, err := db.Exec(ctx, `create table documents (id int8 primary key, user_id int8 not null, latest int8);
		create table revisions (id int8 primary key, document int8 not null, text text not null);
		insert into documents values (1, 42, null), (2, 43, null);
		insert into revisions values (10, 1, 'mine'), (20, 2, 'his')`)
	fmt.Println(err)
	mine, his := int64(10), int64(20)
	fmt.Println(Documents.In(me).Update(1).Set(DocumentLatest.Set(&mine)).Exec(ctx, db))
	err = Documents.In(me).Update(1).Set(DocumentLatest.Set(&his)).Exec(ctx, db)
	fmt.Println(errors.Is(err, owner.ErrReference))
	n, err := Documents.In(me).Where(LatestOf.To(RevisionText.Eq("mine"))).Count(ctx, db)
	fmt.Println(n, err)
	// Output:
	// <nil>
	// <nil>
	// true
	// 1 <nil>
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
// txn.Setting(name, value) is an option.
func ExampleScope_Settings() {
	ann, err := owner.For(CustomerID("ann"))
	if err != nil {
		fmt.Println(err)
	}
	settings, err := ann.Settings()
	if err != nil {
		fmt.Println(err)
	}
	for name, value := range settings {
		fmt.Println(name, value)
	}
	// Output: rowkeeper.owner_test_customerid ann
}

// uniqueName and nameOf serve all tables in which a name is unique for each owner.
func uniqueName[R any](name func(*R) *string) owner.TableOption[R] {
	return owner.Unique(func(row *R) any { return name(row) })
}

func nameOf[R any](table owner.Declared[R], name func(*R) *string) owner.AnyColumn[R] {
	return owner.Column(table, name)
}

var _ owner.DB = (pgx.Tx)(nil) // as a pool and a connection are
