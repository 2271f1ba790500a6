package rawsql_test

import (
	"context"
	"fmt"
	"log"

	"github.com/jackc/pgx/v5"

	"github.com/rowkeeper/rowkeeper/internal/devdb/dbtest"
	"github.com/rowkeeper/rowkeeper/owner"
	"github.com/rowkeeper/rowkeeper/owner/rawsql"
)

var (
	LongNames = rawsql.MustFragment[Account](`length(name) > @most or balance > 10 * length(name)`)
	TopUp     = rawsql.MustStatement[UserID](`update accounts set balance = greatest(balance, @least) where user_id = @owner`)
	Richest   = rawsql.MustStatement[UserID](`select id, balance from accounts where user_id = @owner order by balance desc limit 1`)
)

func exampleDB() (context.Context, *dbtest.DB, owner.Scope[UserID]) {
	ctx := context.Background()
	db := dbtest.Example()
	if _, err := db.Exec(ctx, ddl); err != nil {
		log.Fatal(err)
	}
	me, err := owner.For(UserID(42))
	if err != nil {
		log.Fatal(err)
	}
	return ctx, db, me
}

func ExampleMustFragment() {
	ctx, db, me := exampleDB()
	defer db.Close()
	accounts, err := Accounts.In(me).Where(LongNames.With(rawsql.Args{"most": 20})).OrderBy(ID.Asc()).All(ctx, db)
	fmt.Println(accounts, err)
	// Output: [{1 42 savings 100} {2 42 it's 200}] <nil>
}

func ExampleNewFragment() {
	_, err := rawsql.NewFragment[Account](`name = 'x') or (true`)
	fmt.Println(err)
	_, err = rawsql.NewFragment[Account](`id in (select account_id from payments)`)
	fmt.Println(err)
	// Output:
	// rawsql: fragment "name = 'x') or (true": at byte 10: ')' closes nothing
	// rawsql: fragment "id in (select account_id from payments)": at byte 7: there must be no subquery: select
}

func ExampleFragment_With() {
	ctx, db, me := exampleDB()
	defer db.Close()
	_, err := Accounts.In(me).Where(LongNames.With(rawsql.Args{"mots": 20})).All(ctx, db)
	fmt.Println(err)
	// Output: rawsql: fragment "length(name) > @most or balance >": no argument for @most; no parameter for the argument "mots"
}

func ExampleMustStatement() {
	ctx, db, me := exampleDB()
	defer db.Close()
	n, err := TopUp.Exec(ctx, db, me, rawsql.Args{"least": 150})
	fmt.Println(n, err)
	rows, err := Richest.Query(ctx, db, me, nil)
	if err != nil {
		log.Fatal(err)
	}
	type top struct{ ID, Balance int64 }
	richest, err := pgx.CollectOneRow(rows, pgx.RowToStructByPos[top])
	fmt.Println(richest, err)
	// Output:
	// 2 <nil>
	// {2 200} <nil>
}

func ExampleNewStatement() {
	_, err := rawsql.NewStatement[UserID](`delete from accounts where id = @id`)
	fmt.Println(err)
	// Output: rawsql: statement "delete from accounts where id =": it has no @owner, so it is not kept to anybody's rows
}
