package rawsql_test

import (
	"testing"

	"github.com/rowkeeper/rowkeeper/internal/devdb/dbtest"
	"github.com/rowkeeper/rowkeeper/owner"
	"github.com/rowkeeper/rowkeeper/owner/internal/miscompile"
	"github.com/rowkeeper/rowkeeper/owner/internal/ownerkit"
)

func TestMain(m *testing.M) { dbtest.Main(m) }

func TestMistakesDoNotCompile(t *testing.T) {
	t.Parallel()
	miscompile.Check(t, "testdata/compile/compile.go")
}

type (
	UserID   int64
	TenantID string
	Staff    = owner.Member[TenantID, UserID]
)

type Account struct {
	ID      int64  `db:"id" owner:"pk"`
	UserID  UserID `db:"user_id" owner:"owner"`
	Name    string `db:"name"`
	Balance int64  `db:"balance"`
}

type Payment struct {
	ID      int64 `db:"id" owner:"pk"`
	Account int64 `db:"account_id" owner:"parent"`
	Amount  int64 `db:"amount"`
}

type Balances struct {
	Name  string `db:"name"`
	Total int64  `db:"balance" owner:"sum"`
}

type Draft struct {
	Tenant TenantID `db:"tenant_id" owner:"tenant"`
	User   UserID   `db:"user_id" owner:"owner"`
	ID     int64    `db:"id" owner:"pk"`
	Text   string   `db:"text"`
}

type Country struct {
	Code string `db:"code" owner:"pk"`
}

var (
	Accounts  = owner.MustTable[Account, UserID]("accounts")
	ID        = owner.Column(Accounts, func(a *Account) *int64 { return &a.ID })
	Name      = owner.Column(Accounts, func(a *Account) *string { return &a.Name })
	Balance   = owner.Column(Accounts, func(a *Account) *int64 { return &a.Balance })
	ByName    = owner.MustView[Balances](Accounts)
	Payments  = owner.MustThrough[Payment]("payments", Accounts)
	OfAccount = owner.ReferenceOf(Accounts, owner.Column(Payments, func(p *Payment) *int64 { return &p.Account }))
	Drafts    = owner.MustTable[Draft, Staff]("drafts")
	Countries = owner.MustShared[Country]("countries")
)

// Alice has accounts 1 and 2, Bob 3 and 4, with the same names and balances.
const ddl = ownerkit.AccountsDDL + ";" + ownerkit.CountriesDDL + `;
create table payments (id bigint primary key, account_id bigint not null references accounts on delete cascade, amount bigint not null);
create table drafts (id bigint primary key, tenant_id text not null, user_id bigint not null, text text not null);
insert into accounts (id, user_id, name, balance) values (1, 42, 'savings', 100), (2, 42, 'it''s', 200), (3, 43, 'savings', 100), (4, 43, 'it''s', 200);
insert into payments values (10, 1, 7), (20, 2, 9), (30, 3, 7), (40, 4, 9);
insert into drafts values (1, 'acme', 42, 'a'), (2, 'acme', 43, 'b'), (3, 'other', 42, 'c')`

var (
	me    = ownerkit.Scope(UserID(ownerkit.Alice))
	staff = ownerkit.Scope(Staff{Tenant: "acme", User: ownerkit.Alice})
)

// requireOthersUnchanged fails if a row of Bob or of another tenant has changed or is
// gone.
func requireOthersUnchanged(t *testing.T, db *dbtest.DB) {
	t.Helper()
	ownerkit.RequireRows(t, db, 2, `accounts where (id, user_id, name, balance) in ((3, 43, 'savings', 100), (4, 43, 'it''s', 200))`)
	ownerkit.RequireRows(t, db, 2, `payments where (id, account_id, amount) in ((30, 3, 7), (40, 4, 9))`)
	ownerkit.RequireRows(t, db, 2, `drafts where (id, tenant_id, user_id, text) in ((2, 'acme', 43, 'b'), (3, 'other', 42, 'c'))`)
}

func ids(accounts []Account) []int64 {
	out := []int64{}
	for _, a := range accounts {
		out = append(out, a.ID)
	}
	return out
}
