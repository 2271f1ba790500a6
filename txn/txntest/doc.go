// Package txntest is for the tests of functions that are given to txn.RunInTx:
// do they bear being run again, and what do their callers make of a COMMIT
// whose outcome is unknown? On a database at rest a conflict never comes. Here
// it comes where the test wants it, every time.
//
// The one call wraps the test's own database, and the result stands where the
// pool stood:
//
//	func TestTransfer(t *testing.T) {
//		db := txntest.New(t, pool, txntest.ConflictAt(2))
//		err := bank.Transfer(ctx, db, alice, bob, 30) // calls txn.Run(ctx, db, …)
//		// Now look, through the pool, that 30 was moved once.
//	}
//
// [EachConflict] does this for every statement in turn and for COMMIT, and is
// what most tests want. [Rerun] is for a whole suite: whatever commits has been
// rolled back and run again.
//
// [Pool] is for every test of a function: what it sends on the pool instead of on
// the Tx, and so outside the transaction, fails the test. Only a pool that is made
// so can tell; for one with a configuration of its own there is txn.GuardPool.
//
// # What is real
//
// All statements go to the database, and nothing else is needed. Where a fault
// is met the real transaction ends as it would have: a conflict leaves it
// failed, with everything rolled back, so an error that the function hides or
// swallows has the same consequences as in production. Only the SQLSTATE is
// made up, and the message of the error says so. Connections go back clean.
//
// # What to keep in mind
//
// The code under test must take a txn.DB, not a *pgxpool.Pool. A struct that
// embeds both a pool and a [DB] needs a Begin and a BeginTx of its own, which call
// those of the DB. A fault that was not met fails the test, so what goes past the
// DB is noticed.
//
// Prepare your tables through the pool: faults are for the transactions begun
// through the DB. Transactions begun at the same time share its faults in the
// order in which they begin, so give each test a DB of its own.
//
// Statements are what Exec, Query, QueryRow and CopyFrom send, and each query of a
// batch. Savepoints, Prepare and large objects are not counted and meet no
// conflict; what is sent on the transaction's Conn is not seen at all.
//
// A transaction that met a conflict does not commit any more. A savepoint may
// undo the error, and on PostgreSQL sometimes the conflict with it; here COMMIT
// fails then, as it does on CockroachDB.
package txntest
