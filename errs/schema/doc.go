// Package schema compares an errs.Catalog with a live database, CockroachDB or
// PostgreSQL: it finds constraints without a rule, and rules without a constraint. A
// renamed constraint or a new one then fails a test, and no client gets a response
// without the field at fault.
//
//	package app_test
//
//	import (
//		"os"
//		"testing"
//
//		"github.com/jackc/pgx/v5/pgxpool"
//
//		"github.com/rowkeeper/rowkeeper/errs"
//		"github.com/rowkeeper/rowkeeper/errs/schema"
//	)
//
//	var catalog = errs.NewCatalog( // the application's own
//		errs.Constraint("users_email_key").Code("email_taken").Field("/email"),
//	)
//
//	func TestCatalog(t *testing.T) {
//		db, err := pgxpool.New(t.Context(), os.Getenv("DATABASE_URL")) // after the migrations
//		if err != nil {
//			t.Fatal(err)
//		}
//		defer db.Close()
//		schema.VerifyT(t, db, catalog)
//	}
//
// Each [Finding] has the Go source of the rules to add, and of the one to drop. On
// PostgreSQL partitions need rules of their own, unless errs.Catalog.WithPartitions lets
// the rules of their table hold for them.
package schema
