// Package owner builds SQL statements that cannot leave the rows of one owner: a
// user, a tenant or an account. It is for tables with a column that holds the
// owner, on PostgreSQL and CockroachDB through pgx v5.
//
//	package store
//
//	import (
//		"context"
//
//		"github.com/rowkeeper/rowkeeper/owner"
//	)
//
//	type UserID int64
//
//	type Account struct {
//		ID     int64  `db:"id"      owner:"pk"`
//		UserID UserID `db:"user_id" owner:"owner"`
//		Name   string `db:"name"`
//	}
//
//	var Accounts = owner.MustTable[Account, UserID]("accounts")
//
//	func GetAccount(ctx context.Context, db owner.DB, user UserID, id int64) (Account, error) {
//		me, err := owner.For(user) // the authenticated caller
//		if err != nil {
//			return Account{}, err
//		}
//		return Accounts.In(me).Get(ctx, db, id)
//	}
//
// No statement reads, counts, changes or returns a row of another owner, whatever
// conditions and keys it is given, except what a [SharedTable] or a [Grant] declares
// readable. Every statement needs a [Scope], which only [For] makes, never from a zero
// value. A missing row and a row of another owner give the same [ErrNotFound].
//
// Statements trust the declarations. Package [github.com/rowkeeper/rowkeeper/owner/schema]
// compares these with the live schema: call its VerifyT in a test after the migrations.
// Triggers, rules, views and ON DELETE CASCADE do what they do. A unique constraint that
// does not begin with the owner column, and a foreign key to another owner's row, reveal
// by their violations that a row exists. Packages rawsql, for SQL by hand, and across, for
// the rows of many owners, are outside the promise; their imports show where they are used.
//
// Misuse never reaches the database: it is an error that begins with "owner: ", or a panic
// if a package variable is declared wrongly. [ErrNotFound] lists the errors to tell apart.
package owner
