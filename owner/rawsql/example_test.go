package rawsql_test

import (
	"context"
	"fmt"
	"log"
	"os"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/rowkeeper/rowkeeper/owner"
	"github.com/rowkeeper/rowkeeper/owner/rawsql"
)

type CustomerID int64

type Wallet struct {
	ID       int64      `db:"id"          owner:"pk"`
	Customer CustomerID `db:"customer_id" owner:"owner"`
	Name     string     `db:"name"`
	Balance  int64      `db:"balance"`
}

var (
	Wallets  = owner.MustTable[Wallet, CustomerID]("wallets")
	WalletID = owner.Column(Wallets, func(w *Wallet) *int64 { return &w.ID })

	LongNames = rawsql.MustFragment[Wallet](`length(name) > @most or balance > 10 * length(name)`)
	TopUp     = rawsql.MustStatement[CustomerID](`update wallets set balance = greatest(balance, @least) where customer_id = @owner`)
	Richest   = rawsql.MustStatement[CustomerID](`select id, balance from wallets where customer_id = @owner order by balance desc limit 1`)
)

// customer returns the scope of a customer, as the authentication of a service does.
func customer(id CustomerID) owner.Scope[CustomerID] {
	scope, err := owner.For(id)
	if err != nil {
		log.Fatal(err)
	}
	return scope
}

// bank connects to the database and creates three wallets: 1 and 2 of customer 42, and 3
// of customer 43. The function that it returns drops them.
func bank(ctx context.Context) (db *pgxpool.Pool, drop func()) {
	db, err := pgxpool.New(ctx, os.Getenv("DATABASE_URL"))
	if err != nil {
		log.Fatal(err)
	}
	_, err = db.Exec(ctx, `create table wallets (id bigint primary key, customer_id bigint not null, name text not null, balance bigint not null);
		insert into wallets values (1, 42, 'savings', 100), (2, 42, 'it''s', 200), (3, 43, 'savings', 100)`)
	if err != nil {
		log.Fatal(err)
	}
	return db, func() {
		if _, err := db.Exec(ctx, "drop table wallets"); err != nil {
			log.Fatal(err)
		}
		db.Close()
	}
}

func ExampleMustFragment() {
	ctx := context.Background()
	db, drop := bank(ctx)
	defer drop()
	me := customer(42)
	wallets, err := Wallets.In(me).Where(LongNames.With(rawsql.Args{"most": 20})).OrderBy(WalletID.Asc()).All(ctx, db)
	fmt.Println(wallets, err)
	// Output: [{1 42 savings 100} {2 42 it's 200}] <nil>
}

// Text that could end the condition of the owner, or look past it, is refused.
func ExampleNewFragment() {
	_, err := rawsql.NewFragment[Wallet](`name = 'x') or (true`)
	fmt.Println(err)
	_, err = rawsql.NewFragment[Wallet](`id in (select account_id from payments)`)
	fmt.Println(err)
	// Output:
	// rawsql: fragment "name = 'x') or (true": at byte 10: ')' closes nothing
	// rawsql: fragment "id in (select account_id from payments)": at byte 7: there must be no subquery: select
}

// An argument that is misspelled is an error.
func ExampleFragment_With() {
	ctx := context.Background()
	db, drop := bank(ctx)
	defer drop()
	me := customer(42)
	_, err := Wallets.In(me).Where(LongNames.With(rawsql.Args{"mots": 20})).All(ctx, db)
	fmt.Println(err)
	// Output: rawsql: fragment "length(name) > @most or balance >": no argument for @most; no parameter for the argument "mots"
}

func ExampleMustStatement() {
	ctx := context.Background()
	db, drop := bank(ctx)
	defer drop()
	me := customer(42)
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

// A statement that is not about the owner is refused.
func ExampleNewStatement() {
	_, err := rawsql.NewStatement[CustomerID](`delete from wallets where id = @id`)
	fmt.Println(err)
	// Output: rawsql: statement "delete from wallets where id =": it has no @owner, so it is not kept to anybody's rows
}
