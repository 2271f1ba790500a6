package ownertest_test

import (
	"context"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/rowkeeper/rowkeeper/owner"
	"github.com/rowkeeper/rowkeeper/owner/ownertest"
)

type UserID int64

type Account struct {
	ID     int64  `db:"id"      owner:"pk"`
	UserID UserID `db:"user_id" owner:"owner"`
	Name   string `db:"name"`
}

var Accounts = owner.MustTable[Account, UserID]("accounts")

type Summary struct {
	Name  string `db:"name"`
	Count int64  `db:"*" owner:"count"`
}

var Summaries = owner.MustView[Summary](Accounts)

var (
	t          testing.TB   // of the test
	pool       ownertest.DB // such as a *pgxpool.Pool
	alice, bob owner.Scope[UserID]
)

// In a test, with rows that Run makes.
func ExampleRun() {
	ownertest.Run(t, pool, alice, bob, nil,
		ownertest.Table(Accounts, ownertest.PrimaryKey), // the database makes the ids
		ownertest.Select("summaries", Summaries.In),
	)
}

// With rows that the service makes.
func ExampleRun_seed() {
	seed := func(ctx context.Context, tx pgx.Tx, who owner.Scope[UserID]) error {
		return Accounts.In(who).Insert(ctx, tx, &Account{Name: "savings"})
	}
	ownertest.Run(t, pool, alice, bob, seed, ownertest.Table(Accounts, ownertest.PrimaryKey))
}

// accounts_name_key may reveal that a name is taken.
func ExampleTable() {
	ownertest.Run(t, pool, alice, bob, nil, ownertest.Table(Accounts, ownertest.PrimaryKey, "accounts_name_key"))
}

// Savings accounts, as the service selects them.
func ExampleSelect() {
	name := owner.Column(Accounts, func(a *Account) *string { return &a.Name })
	savings := func(who owner.Scope[UserID]) owner.Select[Account, UserID] {
		return Accounts.In(who).Where(name.HasPrefix("sav"))
	}
	ownertest.Run(t, pool, alice, bob, nil, ownertest.Table(Accounts), ownertest.Select("savings", savings))
}
