package schema_test

import (
	"context"
	"fmt"
	"log"
	"testing"

	"github.com/rowkeeper/rowkeeper/errs"
	"github.com/rowkeeper/rowkeeper/errs/schema"
	"github.com/rowkeeper/rowkeeper/internal/devdb/dbtest"
)

func ExampleVerify() {
	catalog := errs.NewCatalog(
		errs.Constraint("users_email_key").Code("email_taken").Field("/email"),
		errs.Constraint("users_nick_key").Code("nick_taken").Field("/nick"),
	)

	ctx := context.Background()
	db := dbtest.Example() // or pgxpool.New(ctx, url)
	defer db.Close()
	_, err := db.Exec(ctx, `create table users (
		id uuid primary key default gen_random_uuid(),
		email text not null,
		age bigint,
		constraint users_email_key unique (email),
		constraint users_age_check check (age >= 18))`)
	if err != nil {
		log.Fatal(err)
	}

	findings, err := schema.Verify(ctx, db, catalog)
	if err != nil {
		log.Fatal(err)
	}
	for _, f := range findings { // in a test: VerifyT
		switch f.Kind {
		case schema.MissingRule:
			fmt.Printf("%v for %s: %s\n", f.Kind, f.Name, f.Add)
		default:
			fmt.Printf("%v: %s\n", f.Kind, f.Drop)
		}
	}
	// Output:
	// stale rule: errs.Constraint("users_nick_key")
	// missing rule for users_age_check: errs.Constraint("users_age_check").On("users").Code("age_invalid").Field("/age"),
}

func ExampleVerifyT() {
	catalog := errs.NewCatalog(errs.Constraint("users_email_key").Code("email_taken").Field("/email"))
	_ = func(t *testing.T) { // TestCatalog of an application
		db := dbtest.Example() // or pgxpool.New, after the migrations
		defer db.Close()
		schema.VerifyT(t, db, catalog,
			schema.Finding{Kind: schema.MissingRule, Table: "audit_log"}, // no client writes to it
		)
	}
}
