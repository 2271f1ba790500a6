package main

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/rowkeeper/rowkeeper/errs"
	"github.com/rowkeeper/rowkeeper/owner"
	"github.com/rowkeeper/rowkeeper/txn"
)

// Account is a row of accounts, and its form for clients.
type Account struct {
	UserID    UserID    `db:"user_id"    owner:"owner,pk" json:"-"`
	ID        ID        `db:"id"         owner:"pk"       json:"id"`
	Name      string    `db:"name"                        json:"name"`
	Balance   int64     `db:"balance"    owner:"server"   json:"balance"`
	CreatedAt time.Time `db:"created_at" owner:"default"  json:"created_at"`
}

// Transfer is a row of transfers, and its form for clients.
type Transfer struct {
	UserID    UserID    `db:"user_id"    owner:"owner,pk" json:"-"`
	ID        ID        `db:"id"         owner:"pk"       json:"id"`
	From      ID        `db:"from_id"                     json:"from"`
	To        ID        `db:"to_id"                       json:"to"`
	Amount    int64     `db:"amount"                      json:"amount"`
	CreatedAt time.Time `db:"created_at" owner:"default"  json:"created_at"`
}

var (
	accounts    = owner.MustTable[Account, UserID]("accounts")
	accountID   = owner.Column(accounts, func(a *Account) *ID { return &a.ID })
	accountName = owner.Column(accounts, func(a *Account) *string { return &a.Name })
	balance     = owner.Column(accounts, func(a *Account) *int64 { return &a.Balance })

	transfers   = owner.MustTable[Transfer, UserID]("transfers")
	transferID  = owner.Column(transfers, func(t *Transfer) *ID { return &t.ID })
	transferred = owner.Column(transfers, func(t *Transfer) *time.Time { return &t.CreatedAt })
)

// catalog maps the constraints of the schema to errors for clients.
var catalog = errs.NewCatalog(
	errs.Constraint("accounts_name_key").Code("account_name_taken").Field("/name").Message("You already have an account of this name."),
	errs.Constraint("accounts_balance_check").Code("insufficient_funds").Field("/amount").Message("There is not enough money in the account."),
	errs.Constraint("accounts_balance_limit").Code("balance_too_large").Field("/amount").Message("The account cannot hold that much."),
)

const (
	maxAmount    = 1_000_000_000_000 // cents
	maxName      = 100               // characters
	maxAccounts  = 100               // of one user
	maxTransfers = 100               // in one list
)

type bank struct{ db *txn.Runner }

func (b bank) openAccount(ctx context.Context, me owner.Scope[UserID], name string) (Account, error) {
	return txn.RunInTx(ctx, b.db, func(ctx context.Context, tx *txn.Tx) (Account, error) {
		n, err := accounts.In(me).Count(ctx, tx)
		if err != nil {
			return Account{}, err
		}
		if n >= maxAccounts {
			return Account{}, errs.New(errs.Conflict, errs.Code("too_many_accounts"), errs.Message("You have as many accounts as you may have."))
		}
		a := Account{Name: name}
		err = accounts.In(me).Insert(ctx, tx, &a)
		return a, err
	}, txn.Name("open account"))
}

func (b bank) listAccounts(ctx context.Context, me owner.Scope[UserID]) ([]Account, error) {
	return read(ctx, b, "list accounts", func(ctx context.Context, tx *txn.Tx) ([]Account, error) {
		return accounts.In(me).OrderBy(accountName.Asc()).All(ctx, tx)
	})
}

func (b bank) account(ctx context.Context, me owner.Scope[UserID], id ID) (Account, error) {
	return read(ctx, b, "get account", func(ctx context.Context, tx *txn.Tx) (Account, error) {
		a, err := accounts.In(me).Get(ctx, tx, id)
		return a, accountNotFound(err, "")
	})
}

// deposit and transfer are parts of a transaction that also stores their answer.

func deposit(ctx context.Context, tx *txn.Tx, me owner.Scope[UserID], id ID, amount int64) (Account, error) {
	if err := accounts.In(me).Update(id).Set(balance.Add(amount)).Exec(ctx, tx); err != nil {
		return Account{}, accountNotFound(err, "")
	}
	return accounts.In(me).Get(ctx, tx, id)
}

func transfer(ctx context.Context, tx *txn.Tx, me owner.Scope[UserID], from, to ID, amount int64) (Transfer, error) {
	// Lock both, always in the same order, so that no two transfers wait for each
	// other in a circle.
	both, err := accounts.In(me).Where(accountID.In(from, to)).OrderBy(accountID.Asc()).ForUpdate().All(ctx, tx)
	if err != nil {
		return Transfer{}, err
	}
	is := func(id ID) func(Account) bool { return func(a Account) bool { return a.ID == id } }
	switch {
	case !slices.ContainsFunc(both, is(from)):
		return Transfer{}, accountNotFound(owner.ErrNotFound, "/from")
	case !slices.ContainsFunc(both, is(to)):
		return Transfer{}, accountNotFound(owner.ErrNotFound, "/to")
	}
	if err := accounts.In(me).Update(from).Set(balance.Add(-amount)).Exec(ctx, tx); err != nil {
		return Transfer{}, err
	}
	if err := accounts.In(me).Update(to).Set(balance.Add(amount)).Exec(ctx, tx); err != nil {
		return Transfer{}, err
	}
	t := Transfer{From: from, To: to, Amount: amount}
	err = transfers.In(me).Insert(ctx, tx, &t)
	return t, err
}

// listTransfers returns the newest transfers first, at most maxTransfers.
func (b bank) listTransfers(ctx context.Context, me owner.Scope[UserID]) ([]Transfer, error) {
	return read(ctx, b, "list transfers", func(ctx context.Context, tx *txn.Tx) ([]Transfer, error) {
		return transfers.In(me).OrderBy(transferred.Desc(), transferID.Asc()).Limit(maxTransfers).All(ctx, tx)
	})
}

func read[T any](ctx context.Context, b bank, name string, fn func(context.Context, *txn.Tx) (T, error)) (T, error) {
	return txn.RunInTx(ctx, b.db, fn, txn.ReadOnly(), txn.Name(name))
}

// accountNotFound names the field of an account that is missing or not the
// caller's: owner does not distinguish these, and neither does the answer.
func accountNotFound(err error, field string) error {
	if !errors.Is(err, owner.ErrNotFound) {
		return err
	}
	opts := []errs.Option{errs.Code("account_not_found"), errs.Message("There is no such account."), errs.Cause(err)}
	if field != "" {
		opts = append(opts, errs.Field(field))
	}
	return errs.New(errs.NotFound, opts...)
}
