package owner_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"os"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/rowkeeper/rowkeeper/owner"
)

type AuthorID string

type Note struct {
	ID     int64    `db:"id"     owner:"pk"`
	Author AuthorID `db:"author" owner:"owner"`
	Text   string   `db:"text"`
}

var (
	Notes = owner.MustTable[Note, AuthorID]("notes")
	Text  = owner.Column(Notes, func(n *Note) *string { return &n.Text })
)

// A complete program: declare a table, act for one owner, and see that another owner
// cannot reach the row.
func Example() {
	ctx := context.Background()
	db, err := pgxpool.New(ctx, os.Getenv("DATABASE_URL"))
	if err != nil {
		log.Fatal(err)
	}
	defer db.Close()
	_, err = db.Exec(ctx, `create table notes (id bigserial primary key, author text not null, text text not null)`)
	if err != nil {
		log.Fatal(err)
	}

	ann, err := owner.For(AuthorID("ann"))
	if err != nil {
		log.Fatal(err)
	}
	note := Note{Text: "buy milk"}
	if err := Notes.In(ann).Insert(ctx, db, &note); err != nil {
		log.Fatal(err)
	}
	fmt.Println("inserted for", note.Author)

	got, err := Notes.In(ann).Get(ctx, db, note.ID)
	fmt.Println(got.Text, err)

	ben, err := owner.For(AuthorID("ben"))
	if err != nil {
		log.Fatal(err)
	}
	_, err = Notes.In(ben).Get(ctx, db, note.ID)
	fmt.Println(errors.Is(err, owner.ErrNotFound), err)
	err = Notes.In(ben).Delete(note.ID).Exec(ctx, db)
	fmt.Println(errors.Is(err, owner.ErrNotFound), err)

	n, err := Notes.In(ann).Where(Text.Contains("milk")).Count(ctx, db)
	fmt.Println(n, err)

	if _, err := db.Exec(ctx, "drop table notes"); err != nil {
		log.Fatal(err)
	}
	// Output:
	// inserted for ann
	// buy milk <nil>
	// true owner: not found in notes
	// true owner: not found in notes
	// 1 <nil>
}
