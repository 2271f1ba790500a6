package owner_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"os"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/rowkeeper/rowkeeper/owner"
	"github.com/rowkeeper/rowkeeper/owner/schema"
)

type WriterID int64

// writer returns the scope of a writer, as the authentication of a service does.
func writer(id WriterID) owner.Scope[WriterID] {
	scope, err := owner.For(id)
	if err != nil {
		log.Fatal(err)
	}
	return scope
}

// migrate connects to the database and creates the tables of an example. The function
// that it returns drops them.
func migrate(ctx context.Context, up, down string) (db *pgxpool.Pool, undo func()) {
	db, err := pgxpool.New(ctx, os.Getenv("DATABASE_URL"))
	if err != nil {
		log.Fatal(err)
	}
	if _, err := db.Exec(ctx, up); err != nil {
		log.Fatal(err)
	}
	return db, func() {
		if _, err := db.Exec(ctx, down); err != nil {
			log.Fatal(err)
		}
		db.Close()
	}
}

// A wrong declaration panics when the program starts, with all that is wrong.
func ExampleMustTable() {
	type Row struct {
		ID   int64 `db:"id"`
		Name string
	}
	defer func() { fmt.Println(recover()) }()
	owner.MustTable[Row, WriterID]("rows")
	// Output:
	// owner: table "rows" of owner_test.Row:
	// 	field Name: add a tag db:"column", or db:"-" if it is no column
	// 	no field is the owner: add a tag owner:"owner"
	// 	no field is the primary key: add a tag owner:"pk"
}

// A tag is found by its name, and so it is inserted once and then updated.
func ExampleUnique() {
	type Tag struct {
		ID     int64    `db:"id"      owner:"pk"`
		Writer WriterID `db:"writer_id" owner:"owner"`
		Name   string   `db:"name"`
		Color  string   `db:"color"`
	}
	tags := owner.MustTable[Tag, WriterID]("tags", owner.Unique(func(t *Tag) any { return &t.Name }))
	name := owner.Column(tags, func(t *Tag) *string { return &t.Name })

	ctx := context.Background()
	db, undo := migrate(ctx,
		`create sequence tag_ids;
		create table tags (id bigint primary key default nextval('tag_ids'), writer_id bigint not null,
			name text not null, color text not null, unique (writer_id, name))`,
		`drop table tags; drop sequence tag_ids`)
	defer undo()
	me := writer(42)
	for _, color := range []string{"red", "blue"} {
		fmt.Println(tags.In(me).Upsert(ctx, db, &Tag{Name: "work", Color: color}, name))
	}
	tag, err := tags.In(me).One(ctx, db)
	fmt.Println(tag.Color, err)
	// Output:
	// <nil>
	// <nil>
	// blue <nil>
}

// Functions can make options for all tables with a name.
func ExampleTableOption() {
	type Tag struct {
		ID     int64    `db:"id"      owner:"pk"`
		Writer WriterID `db:"writer_id" owner:"owner"`
		Name   string   `db:"name"`
	}
	name := func(t *Tag) *string { return &t.Name }
	tags := owner.MustTable[Tag, WriterID]("tags", uniqueName(name))
	labels := owner.MustTable[Tag, WriterID]("labels")

	ctx := context.Background()
	db, undo := migrate(ctx,
		`create table tags (id bigint primary key, writer_id bigint not null, name text not null, unique (writer_id, name));
		create table labels (id bigint primary key, writer_id bigint not null, name text not null)`,
		"drop table tags; drop table labels")
	defer undo()
	me := writer(42)
	fmt.Println(tags.In(me).Upsert(ctx, db, &Tag{ID: 1, Name: "work"}, nameOf(tags, name)))
	fmt.Println(labels.In(me).Upsert(ctx, db, &Tag{ID: 1, Name: "work"}, nameOf(labels, name)))
	// Output:
	// <nil>
	// owner: table labels: its declaration has no Unique of the columns "name"
}

// A comment and the one that it answers.
func ExampleForward_itself() {
	type Comment struct {
		ID       int64    `db:"id"      owner:"pk"`
		WriterID WriterID `db:"writer_id" owner:"owner"`
		Answers  *int64   `db:"answers"`
		Text     string   `db:"text"`
	}
	var itself owner.Forward[Comment]
	comments := owner.MustTable[Comment, WriterID]("comments", &itself,
		owner.References(&itself, func(c *Comment) any { return &c.Answers }))
	text := owner.Column(comments, func(c *Comment) *string { return &c.Text })
	answers := owner.ReferenceOf(comments, owner.Column(comments, func(c *Comment) **int64 { return &c.Answers }))

	ctx := context.Background()
	db, undo := migrate(ctx,
		`create table comments (id bigint primary key, writer_id bigint not null, answers bigint, text text not null);
		insert into comments values (1, 42, null, 'why?'), (2, 42, 1, 'because'), (3, 43, null, 'theirs')`,
		`drop table comments`)
	defer undo()
	me := writer(42)
	// Comment 3 exists, but it is not this caller's.
	theirs := int64(3)
	err := comments.In(me).Insert(ctx, db, &Comment{ID: 4, Answers: &theirs, Text: "no"})
	fmt.Println(errors.Is(err, owner.ErrReference))
	answered, err := comments.In(me).Where(answers.Has(text.Eq("because"))).One(ctx, db)
	fmt.Println(answered.Text, err)
	// Output:
	// true
	// why? <nil>
}

type (
	Document struct {
		ID     int64    `db:"id"        owner:"pk"`
		Writer WriterID `db:"writer_id" owner:"owner"`
		Latest *int64   `db:"latest"`
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
	Documents = owner.MustTable[Document, WriterID]("documents",
		owner.References(&revisions, func(d *Document) any { return &d.Latest }))
	Revisions = owner.MustThrough[Revision]("revisions", Documents, &revisions)

	DocumentLatest = owner.Column(Documents, func(d *Document) **int64 { return &d.Latest })
	RevisionText   = owner.Column(Revisions, func(r *Revision) *string { return &r.Text })
	LatestOf       = owner.ReferenceOf(Revisions, DocumentLatest)
)

// A document has revisions, and points at the latest of them.
func ExampleForward() {
	ctx := context.Background()
	db, undo := migrate(ctx,
		`create table documents (id bigint primary key, writer_id bigint not null, latest bigint);
		create table revisions (id bigint primary key, document bigint not null, text text not null);
		insert into documents values (1, 42, null), (2, 43, null);
		insert into revisions values (10, 1, 'mine'), (20, 2, 'theirs')`,
		`drop table documents; drop table revisions`)
	defer undo()
	me := writer(42)
	mine, theirs := int64(10), int64(20)
	fmt.Println(Documents.In(me).Update(1).Set(DocumentLatest.Set(&mine)).Exec(ctx, db))
	err := Documents.In(me).Update(1).Set(DocumentLatest.Set(&theirs)).Exec(ctx, db)
	fmt.Println(errors.Is(err, owner.ErrReference))
	n, err := Documents.In(me).Where(LatestOf.To(RevisionText.Eq("mine"))).Count(ctx, db)
	fmt.Println(n, err)
	// Output:
	// <nil>
	// true
	// 1 <nil>
}

// Rows that belong to nobody can only be read, and need no scope.
func ExampleMustShared() {
	type Land struct {
		Code string `db:"code" owner:"pk"`
		Name string `db:"name"`
	}
	lands := owner.MustShared[Land]("lands")
	name := owner.Column(lands, func(l *Land) *string { return &l.Name })

	ctx := context.Background()
	db, undo := migrate(ctx,
		`create table lands (code text primary key, name text not null);
		insert into lands values ('at', 'Austria'), ('ch', 'Switzerland')`,
		`drop table lands`)
	defer undo()
	at, err := lands.Get(ctx, db, "at")
	fmt.Println(at.Name, err)
	var sorted owner.Select[Land, struct{}] = lands.OrderBy(name.Desc())
	all, err := sorted.All(ctx, db)
	fmt.Println(len(all), err)
	// Output:
	// Austria <nil>
	// 2 <nil>
}

// The owner of a note lets others read it.
func ExampleGrantedBy() {
	type Note struct {
		ID     int64    `db:"id"        owner:"pk"`
		Writer WriterID `db:"writer_id" owner:"owner"`
	}
	type Grant struct {
		Note   int64    `db:"note_id"   owner:"pk"`
		Writer WriterID `db:"writer_id" owner:"owner,pk"` // who is let in
		Role   string   `db:"role"`
	}
	type Share struct { // the same rows, for the owner of the note
		Note   int64    `db:"note_id"   owner:"pk,parent"`
		Writer WriterID `db:"writer_id" owner:"pk"`
		Role   string   `db:"role"`
	}
	notes := owner.MustTable[Note, WriterID]("notes")
	grants := owner.MustTable[Grant, WriterID]("grants")
	note := owner.Column(grants, func(g *Grant) *int64 { return &g.Note })
	role := owner.Column(grants, func(g *Grant) *string { return &g.Role })
	shares := owner.MustThrough[Share]("grants", notes)
	readers := owner.GrantedBy(notes, grants, note)

	ctx := context.Background()
	db, undo := migrate(ctx,
		`create table notes (id bigint primary key, writer_id bigint not null);
		create table grants (note_id bigint, writer_id bigint, role text not null, primary key (note_id, writer_id));
		insert into notes values (1, 42), (2, 42), (3, 43)`,
		`drop table grants; drop table notes`)
	defer undo()
	me, other := writer(42), writer(43)
	n, err := readers.In(other).Count(ctx, db)
	fmt.Println(n, err)
	fmt.Println(shares.In(me).Insert(ctx, db, &Share{Note: 1, Writer: other.Owner(), Role: "read"}))
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

// All declarations together, as owner/schema compares them with the database.
func ExampleAnyTable() {
	all := []owner.AnyTable{Documents, Revisions}

	ctx := context.Background()
	db, undo := migrate(ctx,
		"create table documents (id bigint primary key, writer_id bigint not null, latest bigint)",
		"drop table documents")
	defer undo()
	findings, err := schema.Verify(ctx, db, all...)
	if err != nil {
		log.Fatal(err)
	}
	for _, f := range findings {
		if f.Severity >= schema.Broken && f.Table == f.Name { // a whole table
			fmt.Println("missing:", f.Table)
		}
	}
	// Output: missing: revisions
}

// Settings for the policies of row-level security, in transactions of package txn:
// txn.Setting(name, value) is an option.
func ExampleScope_Settings() {
	settings, err := writer(42).Settings()
	if err != nil {
		log.Fatal(err)
	}
	for name, value := range settings {
		fmt.Println(name, value)
	}
	// Output: rowkeeper.owner_test_writerid 42
}

// Drafts belong to a user of a tenant, and settings to the tenant.
func ExampleMember() {
	type TenantID int64
	type Draft struct {
		Tenant TenantID `db:"tenant_id" owner:"tenant,pk"`
		User   WriterID `db:"writer_id" owner:"owner"`
		ID     int64    `db:"id"        owner:"pk"`
	}
	type Setting struct {
		Tenant TenantID `db:"tenant_id" owner:"owner,pk"`
		Theme  string   `db:"theme"`
	}
	type Person = owner.Member[TenantID, WriterID]
	drafts := owner.MustTable[Draft, Person]("drafts")
	settings := owner.MustTable[Setting, TenantID]("tenant_settings")

	ctx := context.Background()
	db, undo := migrate(ctx,
		`create table drafts (tenant_id bigint, writer_id bigint not null, id bigint, primary key (tenant_id, id));
		create table tenant_settings (tenant_id bigint primary key, theme text not null)`,
		`drop table drafts; drop table tenant_settings`)
	defer undo()
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

// uniqueName and nameOf serve all tables in which a name is unique for each owner.
func uniqueName[R any](name func(*R) *string) owner.TableOption[R] {
	return owner.Unique(func(row *R) any { return name(row) })
}

func nameOf[R any](table owner.Declared[R], name func(*R) *string) owner.AnyColumn[R] {
	return owner.Column(table, name)
}
