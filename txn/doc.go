// Package txn runs a function in a database transaction, runs it again when the
// database says so, and never says a wrong word about the outcome.
//
//	account, err := txn.RunInTx(ctx, pool, func(ctx context.Context, tx *txn.Tx) (Account, error) {
//		// read, decide, write: all with tx
//	})
//
// It is for CockroachDB and PostgreSQL through pgx v5, and goes around code
// that exists: [Tx] is a [pgx.Tx].
//
// # What it promises
//
// The transaction is SERIALIZABLE unless [Isolation] says otherwise, so what
// the function read has not changed when its writes are committed. A conflict
// (SQLSTATE 40001, 40P01, or 40003 before COMMIT) of a statement sent through the Tx, or of COMMIT,
// rolls back and runs the function again, the first time at once, then after a
// random wait without a connection or lock being held, until [MaxElapsed],
// [MaxAttempts] or the context ends it.
//
// An error means that nothing was committed, unless it is a
// [*OutcomeUnknownError] or a [*CommittedError].
//
// # What to keep in mind
//
// The function may run more than once. What it does outside the transaction
// (mails, messages, variables that it adds to) happens as often. Assign results
// inside the function, or return them.
//
// Statements count only when they go through the Tx: one that goes through the
// pool is outside the transaction.
//
// BEGIN, COMMIT and ROLLBACK as SQL text are not for the function. Where they are
// seen nothing more is sent and the call fails. Not seen are ROLLBACK AND CHAIN,
// text of several statements that ends with another one, and such a COMMIT whose
// answer was lost with the connection.
//
// A function that ignores the error of a statement cannot commit what came
// before it: the server has rolled that back. The call then returns that error,
// or runs the function again if it was a conflict.
package txn
