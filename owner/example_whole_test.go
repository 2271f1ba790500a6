package owner_test

import (
	"context"
	"errors"
	"fmt"
	"log"

	"github.com/rowkeeper/rowkeeper/internal/devdb/dbtest"
	"github.com/rowkeeper/rowkeeper/owner"
)

type CustomerID string

type Note struct {
	ID       int64      `db:"id"       owner:"pk"`
	Customer CustomerID `db:"customer" owner:"owner"`
	Text     string     `db:"text"`
}

var (
	Notes = owner.MustTable[Note, CustomerID]("notes")
	Text  = owner.Column(Notes, func(n *Note) *string { return &n.Text })
)

// A complete program: declare a table, act for one owner, and see that another owner
// cannot reach the row.
func Example() {
	ctx := context.Background()
	db := dbtest.Example() // or pgxpool.New(ctx, url)
	defer db.Close()
	_, err := db.Exec(ctx, `create table notes (id bigserial primary key, customer text not null, text text not null)`)
	if err != nil {
		log.Fatal(err)
	}

	ann, err := owner.For(CustomerID("ann"))
	if err != nil {
		log.Fatal(err)
	}
	note := Note{Text: "buy milk"}
	if err := Notes.In(ann).Insert(ctx, db, &note); err != nil {
		log.Fatal(err)
	}
	fmt.Println("inserted for", note.Customer)

	got, err := Notes.In(ann).Get(ctx, db, note.ID)
	fmt.Println(got.Text, err)

	ben, err := owner.For(CustomerID("ben"))
	if err != nil {
		log.Fatal(err)
	}
	_, err = Notes.In(ben).Get(ctx, db, note.ID)
	fmt.Println(errors.Is(err, owner.ErrNotFound), err)
	err = Notes.In(ben).Delete(note.ID).Exec(ctx, db)
	fmt.Println(errors.Is(err, owner.ErrNotFound), err)

	n, err := Notes.In(ann).Where(Text.Contains("milk")).Count(ctx, db)
	fmt.Println(n, err)

	// Output:
	// inserted for ann
	// buy milk <nil>
	// true owner: not found in notes
	// true owner: not found in notes
	// 1 <nil>
}
