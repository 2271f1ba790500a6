package errs_test

import (
	"context"
	"fmt"
	"log"

	"github.com/rowkeeper/rowkeeper/errs"
	"github.com/rowkeeper/rowkeeper/internal/devdb/dbtest"
)

func ExampleCatalog_Verify() {
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

	findings, err := catalog.Verify(ctx, db)
	if err != nil {
		log.Fatal(err)
	}
	for _, f := range findings { // in a test: t.Error(f)
		switch f.Kind {
		case errs.MissingRule:
			fmt.Printf("%v for %s: %s\n", f.Kind, f.Name, f.Add)
		default:
			fmt.Printf("%v: %s\n", f.Kind, f.Drop)
		}
	}
	// Output:
	// stale rule: errs.Constraint("users_nick_key")
	// missing rule for users_age_check: errs.Constraint("users_age_check").On("users").Code("age_invalid").Field("/age"),
}
