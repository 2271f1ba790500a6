package schema_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"os"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/rowkeeper/rowkeeper/owner"
	"github.com/rowkeeper/rowkeeper/owner/schema"
	"github.com/rowkeeper/rowkeeper/txn"
)

type CustomerID string

type Note struct {
	ID       int64      `db:"id"       owner:"pk"`
	Customer CustomerID `db:"customer" owner:"owner"`
	Text     string     `db:"text"`
}

var Notes = owner.MustTable[Note, CustomerID]("notes")

func ExampleVerify() {
	ctx := context.Background()
	db, err := pgxpool.New(ctx, os.Getenv("DATABASE_URL"))
	if err != nil {
		log.Fatal(err)
	}
	defer db.Close()
	_, err = db.Exec(ctx, `create table notes (id bigint primary key, customer text, text text not null, slug text not null unique)`)
	if err != nil {
		log.Fatal(err)
	}
	defer db.Exec(ctx, "drop table notes")

	findings, err := schema.Verify(ctx, db, Notes)
	if err != nil {
		log.Fatal(err)
	}
	var worst schema.Severity
	for _, f := range findings { // in a test: schema.VerifyT(t, db, Notes)
		worst = max(worst, f.Severity)
		if f.Severity >= schema.Broken {
			fmt.Println(f.Severity, f.Table, f.Name)
			fmt.Println("\t" + f.SQL)
		}
	}

	fmt.Println("the worst is", worst)

	// At start-up.
	err = schema.Check(ctx, db, schema.Exposed, Notes)
	fmt.Println(err)
	// Output:
	// exposed notes customer
	// 	alter table "notes" alter column "customer" set not null;
	// broken notes slug
	// 	alter table "notes" alter column "slug" drop not null;
	// the worst is exposed
	// owner/schema: exposed: notes: customer: it holds the owner and can be NULL, and such a row is nobody's
	// 	sql  alter table "notes" alter column "customer" set not null;
}

// A second wall in the database, with the setting that opens it for one owner.
func ExampleRLS() {
	ctx := context.Background()
	db, err := pgxpool.New(ctx, os.Getenv("DATABASE_URL"))
	if err != nil {
		log.Fatal(err)
	}
	defer db.Close()
	_, err = db.Exec(ctx, `create table notes (id bigserial primary key, customer text not null, text text not null)`)
	if err != nil {
		log.Fatal(err)
	}
	defer db.Exec(ctx, "drop table notes")

	// For a migration.
	sql, err := schema.RLS(ctx, db, Notes)
	switch {
	case errors.Is(err, schema.ErrNoRLS):
		log.Print(err) // go without it
	case err != nil:
		log.Fatal(err)
	default:
		if _, err := db.Exec(ctx, sql); err != nil {
			log.Fatal(err)
		}
		// At start-up, as the role of the service.
		if err := schema.Check(ctx, db, schema.Exposed, schema.WithRLS(Notes)...); err != nil {
			log.Print(err)
		}
	}

	// In a request. CockroachDB knows such settings since v21.2.
	ann, err := owner.For(CustomerID("ann"))
	if err != nil {
		log.Fatal(err)
	}
	settings, err := ann.Settings()
	if err != nil {
		log.Fatal(err)
	}
	var options []txn.Option
	for name, value := range settings {
		options = append(options, txn.Setting(name, value))
		fmt.Println(name, value)
	}
	fmt.Println(len(options)) // txn.Run(ctx, db, f, options...)
	// Output:
	// rowkeeper.schema_test_customerid ann
	// 1
}

// In a test, testing.T is the TestingT.
func ExampleVerifyT() {
	testSchema := func(t schema.TestingT, db owner.DB) {
		schema.VerifyT(t, db, Notes)

		// Or ignore some findings.
		findings, err := schema.Verify(t.Context(), db, Notes)
		if err != nil {
			t.Errorf("%v", err)
		}
		for _, f := range findings {
			if f.Severity > schema.Advice {
				t.Errorf("%s", f.String())
			}
		}
	}
	fmt.Printf("%T\n", testSchema)
	// Output: func(schema.TestingT, owner.DB)
}
