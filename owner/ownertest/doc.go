// Package ownertest tests, against the real schema and declarations of a service, that an
// owner cannot reach the rows of another one.
//
//	package store
//
//	import (
//		"os"
//		"testing"
//
//		"github.com/jackc/pgx/v5/pgxpool"
//		"github.com/rowkeeper/rowkeeper/owner"
//		"github.com/rowkeeper/rowkeeper/owner/ownertest"
//	)
//
//	type UserID int64
//
//	type Account struct { // usually in another file
//		ID     int64  `db:"id"      owner:"pk"`
//		UserID UserID `db:"user_id" owner:"owner"`
//	}
//
//	var Accounts = owner.MustTable[Account, UserID]("accounts")
//
//	func TestOwnership(t *testing.T) {
//		pool, err := pgxpool.New(t.Context(), os.Getenv("DATABASE_URL")) // for tests
//		if err != nil {
//			t.Fatal(err)
//		}
//		defer pool.Close()
//		alice, _ := owner.For(UserID(1))
//		bob, _ := owner.For(UserID(2))
//		ownertest.Run(t, pool, alice, bob, nil, ownertest.Table(Accounts, ownertest.PrimaryKey))
//	}
//
// It finds problems that the builders of package owner cannot see: a column that does not
// hold the owner, a view, trigger or ON DELETE CASCADE that reaches further, a foreign key
// that was not declared with owner.References, and a unique constraint that does not begin
// with the owner, unless it is named: here clients do not choose the [PrimaryKey]. SQL that
// is written by hand is not tested. See [Run] for the method and its limits.
package ownertest
