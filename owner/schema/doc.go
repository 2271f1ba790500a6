// Package schema compares what was declared with package owner with the live schema
// of a database: PostgreSQL or CockroachDB.
//
// Package owner believes its declarations: that the column tagged owner holds the
// owner, that the columns tagged pk are unique, that a foreign key leads where a
// reference says. [Verify] finds what is not so in the database, and much that is
// merely dangerous or slow, such as a unique constraint or a foreign key without the
// owner. Each [Finding] has the SQL that mends it. Call [VerifyT] in a test that runs
// after the migrations:
//
//	package store
//
//	import (
//		"os"
//		"testing"
//
//		"github.com/jackc/pgx/v5/pgxpool"
//
//		"github.com/rowkeeper/rowkeeper/owner"
//		"github.com/rowkeeper/rowkeeper/owner/schema"
//	)
//
//	type Account struct { // the application's own
//		ID     int64 `db:"id" owner:"pk"`
//		UserID int64 `db:"user_id" owner:"owner"`
//	}
//
//	var Accounts = owner.MustTable[Account, int64]("accounts")
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
// [Check] does the same at start-up, and fails only for what is severe enough.
//
// [RLS] writes policies of row-level security as a second wall, for SQL that does
// not come from package owner. Transactions then need [owner.Scope.Settings], and
// [WithRLS] has Verify look after the policies. CockroachDB has no row-level security
// that serves, and [ErrNoRLS] says so.
//
// Only the system catalogs are read, and nothing is changed. What triggers, rules and
// views do is not looked at. A migration that runs later is not seen: verify again
// after it.
package schema
