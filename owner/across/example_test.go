package across_test

import (
	"context"
	"fmt"
	"log"
	"os"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/rowkeeper/rowkeeper/owner/across"
)

var (
	journal  = across.MustAudit("support_audit")
	interest = journal.MustStatement("interest", `update savings set balance = balance + @amount where balance > 0`)
	sums     = journal.MustStatement("sums", `select user_id, sum(balance)::bigint from savings group by user_id order by user_id`)
)

// bank connects to the database and creates accounts of users 42 and 43, and the table of
// records. The function that it returns drops them.
func bank(ctx context.Context) (db *pgxpool.Pool, drop func()) {
	db, err := pgxpool.New(ctx, os.Getenv("DATABASE_URL"))
	if err != nil {
		log.Fatal(err)
	}
	_, err = db.Exec(ctx, journal.SQL()+`;
		create table savings (id bigint primary key, user_id bigint not null, balance bigint not null);
		insert into savings values (1, 42, 100), (2, 42, 200), (3, 43, 300)`)
	if err != nil {
		log.Fatal(err)
	}
	return db, func() {
		if _, err := db.Exec(ctx, "drop table savings; drop table support_audit"); err != nil {
			log.Fatal(err)
		}
		db.Close()
	}
}

// A job changes the rows of all users, and leaves a record.
func ExampleStatement_Exec() {
	ctx := context.Background()
	db, drop := bank(ctx)
	defer drop()
	err := pgx.BeginFunc(ctx, db, func(tx pgx.Tx) error {
		n, err := interest.Exec(ctx, tx, "job:interest", "yearly interest", across.Args{"amount": 2})
		fmt.Println(n, err)
		return err
	})
	if err != nil {
		log.Fatal(err)
	}

	var record string
	err = db.QueryRow(ctx, `select concat(actor, ', ', reason, ', ', statement, ', ', row_count::text) from support_audit`).Scan(&record)
	fmt.Println(record, err)
	// Output:
	// 3 <nil>
	// job:interest, yearly interest, interest, 3 <nil>
}

// The rows are shown only when their record is committed.
func ExampleQuery() {
	ctx := context.Background()
	db, drop := bank(ctx)
	defer drop()
	type total struct{ User, Sum int64 }
	var totals []total
	err := pgx.BeginFunc(ctx, db, func(tx pgx.Tx) (err error) {
		totals, err = across.Query(ctx, tx, sums, "ann@support", "an auditor asked", nil, pgx.RowToStructByPos[total])
		return err
	})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(totals)
	// Output: [{42 300} {43 300}]
}

// An actor that is nobody is refused.
func ExampleAudit_MustStatement() {
	ctx := context.Background()
	db, drop := bank(ctx)
	defer drop()
	closing := journal.MustStatement("close accounts", `delete from savings where user_id = @user`)
	err := pgx.BeginFunc(ctx, db, func(tx pgx.Tx) error {
		_, err := closing.Exec(ctx, tx, "", "the customer left", across.Args{"user": 42})
		return err
	})
	fmt.Println(err)
	// Output: across: statement "close accounts" by "" for "the customer left": the actor is nobody: blank, or zero
}

func ExampleAudit_NewStatement() {
	_, err := journal.NewStatement("tidy", `truncate savings`)
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
