// Package schema compares the declarations of package owner with the live schema of a
// database, PostgreSQL or CockroachDB, and writes policies of row-level security. [Verify]
// finds declarations that are not true in the database, and schemas that are dangerous or
// slow, such as a unique constraint or a foreign key without the owner. Each [Finding] has
// the SQL that fixes it. Call [VerifyT] in a test that runs after the migrations:
//
//	package store
//
//	import (
//		"os"
//		"testing"
//
//		"github.com/jackc/pgx/v5/pgxpool"
//		"github.com/rowkeeper/rowkeeper/owner"
//		"github.com/rowkeeper/rowkeeper/owner/schema"
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
//	func TestSchema(t *testing.T) {
//		pool, err := pgxpool.New(t.Context(), os.Getenv("DATABASE_URL")) // after the migrations
//		if err != nil {
//			t.Fatal(err)
//		}
//		defer pool.Close()
//		schema.VerifyT(t, pool, Accounts)
//	}
//
// [Check] does the same at start-up, and fails only for findings of a given severity.
//
// [RLS] writes policies of row-level security as a second wall, for SQL that does not
// come from package owner. Transactions then need [owner.Scope.Settings], and [WithRLS]
// makes Verify check the policies. On CockroachDB it fails with [ErrNoRLS].
//
// Only the system catalogs are read, and nothing is changed. The effects of triggers,
// rules and views are not examined. Verify again after a later migration.
package schema
