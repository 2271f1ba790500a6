package schema_test

import (
	"context"
	"fmt"
	"log"
	"os"
	"testing"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/rowkeeper/rowkeeper/errs"
	"github.com/rowkeeper/rowkeeper/errs/schema"
)

func ExampleVerify() {
	catalog := errs.NewCatalog(
		errs.Constraint("users_email_key").Code("email_taken").Field("/email"),
		errs.Constraint("users_nick_key").Code("nick_taken").Field("/nick"),
	)

	ctx := context.Background()
	pool, err := pgxpool.New(ctx, os.Getenv("DATABASE_URL"))
	if err != nil {
		log.Fatal(err)
	}
	defer pool.Close()
	_, err = pool.Exec(ctx, `create table users (
		id uuid primary key default gen_random_uuid(),
		email text not null,
		age bigint,
		constraint users_email_key unique (email),
		constraint users_age_check check (age >= 18))`)
	if err != nil {
		log.Fatal(err)
	}

	findings, err := schema.Verify(ctx, pool, catalog)
	if err != nil {
		log.Fatal(err)
	}
	for _, f := range findings { // in a test: VerifyT
		switch f.Kind {
		case schema.MissingRule:
			fmt.Printf("%v for %s: %s\n", f.Kind, f.Name, f.Add)
		case schema.StaleRule:
			fmt.Printf("%v: %s\n", f.Kind, f.Drop)
		case schema.WrongRule, schema.SharedName:
			fmt.Printf("%v: %s\n", f.Kind, f.Problem)
		}
	}

	if _, err := pool.Exec(ctx, "drop table users"); err != nil {
		log.Fatal(err)
	}
	// Output:
	// stale rule: errs.Constraint("users_nick_key")
	// missing rule for users_age_check: errs.Constraint("users_age_check").On("users").Code("age_invalid").Field("/age"),
}

// A test of the service, after its migrations.
func ExampleVerifyT() {
	catalog := errs.NewCatalog( // the service's own
		errs.Constraint("users_email_key").Code("email_taken").Field("/email"),
	)
	testCatalog := func(t *testing.T) {
		pool, err := pgxpool.New(t.Context(), os.Getenv("DATABASE_URL"))
		if err != nil {
			t.Fatal(err)
		}
		defer pool.Close()
		schema.VerifyT(t, pool, catalog,
			schema.Finding{Kind: schema.MissingRule, Table: "audit_log"}, // no client writes to it
		)
	}
	_ = testCatalog // go test runs it
}
