package across_test

import (
	"context"
	"fmt"
	"log"

	"github.com/jackc/pgx/v5"

	"github.com/rowkeeper/rowkeeper/internal/devdb/dbtest"
	"github.com/rowkeeper/rowkeeper/owner/across"
)

func exampleDB() (context.Context, *dbtest.DB) {
	ctx := context.Background()
	db := dbtest.Example()
	if _, err := db.Exec(ctx, ddl+Audit.SQL()); err != nil { // in a migration, for example
		log.Fatal(err)
	}
	return ctx, db
}

func ExampleStatement_Exec() {
	ctx, db := exampleDB()
	defer db.Close()
	err := pgx.BeginFunc(ctx, db, func(tx pgx.Tx) error {
		n, err := Bonus.Exec(ctx, tx, "job:bonus", "yearly bonus", across.Args{"amount": 2})
		fmt.Println(n, err)
		return err
	})
	if err != nil {
		log.Fatal(err)
	}

	var record string
	err = db.QueryRow(ctx, `select concat(actor, ', ', reason, ', ', statement, ', ', row_count::text) from owner_audit`).Scan(&record)
	fmt.Println(record, err)
	// Output:
	// 3 <nil>
	// job:bonus, yearly bonus, bonus, 3 <nil>
}

// The rows are shown only when their record is committed.
func ExampleQuery() {
	ctx, db := exampleDB()
	defer db.Close()
	var totals []total
	err := pgx.BeginFunc(ctx, db, func(tx pgx.Tx) (err error) {
		totals, err = across.Query(ctx, tx, Balances, "ann@support", "an auditor asked", nil, pgx.RowToStructByPos[total])
		return err
	})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(totals)
	// Output: [{42 300} {43 300}]
}

func ExampleAudit_MustStatement() {
	ctx, db := exampleDB()
	defer db.Close()
	closing := Audit.MustStatement("close accounts", `delete from accounts where user_id = @user`)
	err := pgx.BeginFunc(ctx, db, func(tx pgx.Tx) error {
		_, err := closing.Exec(ctx, tx, "", "the customer left", across.Args{"user": 42})
		return err
	})
	fmt.Println(err)
	// Output: across: statement "close accounts" by "" for "the customer left": the actor is nobody: blank, or zero
}

func ExampleAudit_NewStatement() {
	_, err := Audit.NewStatement("tidy", `truncate accounts`)
	fmt.Println(err)
	// Output: across: statement "tidy": at byte 0: a statement begins with one of select, with, insert, upsert, update, delete, merge
}

func ExampleMustAudit() {
	audit := across.MustAudit("ops.owner_audit")
	fmt.Println(audit.SQL())
	// Output:
	// create table "ops"."owner_audit" (
	// 	"id" uuid primary key default gen_random_uuid(),
	// 	"at" timestamptz not null,
	// 	"actor" text not null check ("actor" <> ''),
	// 	"reason" text not null check ("reason" <> ''),
	// 	"statement" text not null check ("statement" <> ''),
	// 	"text_sha256" text not null,
	// 	"row_count" bigint not null
	// )
}

func ExampleNewAudit() {
	_, err := across.NewAudit("db.ops.owner_audit")
	fmt.Println(err)
	// Output: across: audit table "db.ops.owner_audit": the name must be "table" or "schema.table"
}
