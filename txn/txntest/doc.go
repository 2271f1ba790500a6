// Package txntest tests functions that are passed to txn.RunInTx: whether they may
// run again, and how their callers handle a COMMIT whose outcome is unknown. It
// produces serialization failures (SQLSTATE 40001), which do not occur on an idle
// database, at chosen places. The result of [New] wraps the test's own database and
// replaces the pool:
//
//	package main
//
//	import (
//		"context"
//		"os"
//		"testing"
//
//		"github.com/rowkeeper/rowkeeper/txn"
//		"github.com/rowkeeper/rowkeeper/txn/txntest"
//	)
//
//	func TestDeposit(t *testing.T) {
//		pool := txntest.Pool(t, os.Getenv("DATABASE_URL"))
//		db := txntest.New(t, pool, txntest.ConflictAt(1))
//		err := txn.Run(t.Context(), db, func(ctx context.Context, tx *txn.Tx) error {
//			_, err := tx.Exec(ctx, "update accounts set balance = balance + 10 where id = 1")
//			return err
//		})
//		if err != nil {
//			t.Error(err)
//		}
//		// check, through the pool, that 10 was added once
//	}
//
// [EachConflict] does this for every statement in turn and for COMMIT; most tests
// use it. [Rerun] is for a whole suite: every transaction that commits is first
// rolled back and run again. [Pool] makes a pool that fails the test if a function
// sends a statement on the pool and not on the Tx.
//
// All statements go to the database; nothing else is needed. When a fault is met,
// the real transaction ends as it would in production: a conflict leaves it failed,
// with everything rolled back, so an error that the function hides or ignores has
// the same consequences. Only the SQLSTATE is made up, and the error message says
// so. Connections go back clean.
//
// The code under test must take a txn.DB, not a *pgxpool.Pool. Prepare tables through
// the pool: faults apply to transactions begun through the [DB]. A fault that was not
// met fails the test, so statements that bypass the DB are noticed.
package txntest
