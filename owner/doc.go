// Package owner builds SQL statements that cannot leave the rows of one owner, such as a
// user or a tenant, in the tables of a multi-tenant service. They run through pgx v5, on
// PostgreSQL and CockroachDB. A column holds the owner, or a parent row has it.
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
// [Table.In] leads to every statement: [Select] reads rows and pages, [Scoped] inserts,
// updates and deletes. [Column] makes columns for conditions and assignments. [MustTable]
// lists the tags, such as version for optimistic locking; [MustThrough] is for children.
//
// No statement reads, counts, changes or returns a row of another owner, whatever
// conditions and keys it is given, except what a [SharedTable] or a [Grant] declares
// readable. Every statement needs a [Scope], which only [For] makes, never from a zero
// value. A missing row and a row of another owner give the same [ErrNotFound], which is
// documented with the other errors to tell apart.
//
// Statements trust the declarations. Package [github.com/rowkeeper/rowkeeper/owner/schema]
// compares these with the live schema: call its VerifyT in a test. It also writes policies
// of row-level security. A unique constraint that does not begin with the owner column,
// and a foreign key to another owner's row, reveal by their violations that a row exists.
// Triggers, rules, views and ON DELETE CASCADE do what they do. Packages rawsql, for SQL by
// hand, and across, for the rows of many owners, are outside the promise.
package owner
