// Package txn runs functions in transactions, retries conflicts and lost
// connections, and reports truthfully whether a transaction committed. It works
// with CockroachDB and PostgreSQL through pgx v5. [Tx] implements [pgx.Tx].
//
//	package main
//
//	import (
//		"context"
//		"log"
//		"os"
//
//		"github.com/jackc/pgx/v5/pgxpool"
//		"github.com/rowkeeper/rowkeeper/txn"
//	)
//
//	func main() {
//		ctx := context.Background()
//		pool, err := pgxpool.New(ctx, os.Getenv("DATABASE_URL"))
//		if err != nil {
//			log.Fatal(err)
//		}
//		err = txn.Run(ctx, pool, func(ctx context.Context, tx *txn.Tx) error {
//			_, err := tx.Exec(ctx, "update accounts set balance = balance + 10 where id = 1")
//			return err
//		})
//		if err != nil {
//			log.Fatal(err) // nothing was committed, unless the error says otherwise
//		}
//	}
//
// Transactions are SERIALIZABLE unless [Isolation] says otherwise, so the rows that a
// function has read are unchanged when its writes commit. [RunInTx] is for functions
// with a result, and documents retries, errors and contexts. An error means that
// nothing was committed, unless it is a [*OutcomeUnknownError] or a
// [*CommittedError].
//
// The function may run more than once: see [Tx] for what it may do. [Tx.Queue] and
// [Batch] save round trips. Calls that conflict queue before BEGIN, as
// [NoAdmission] describes. Package [github.com/rowkeeper/rowkeeper/txn/once] executes a request once,
// even if it is repeated after a lost answer.
// Package [github.com/rowkeeper/rowkeeper/txn/txntest] tests functions under
// conflicts. docs/poolers.md and docs/failover.md of the repository cover poolers,
// standbys and failovers.
//
// # What an error means
//
// The outcome, and whether the function runs again, depends on the error, on the
// result that carries it and, if the connection is lost, on what was sent. The
// first line that holds decides; [RunInTx] explains the terms:
//
//	COMMIT's wait for a synchronous standby was cut short  unknown
//	COMMIT answered with COMMIT, whatever follows          committed
//	COMMIT answered with ROLLBACK                          rolled back
//	XXA00 at COMMIT by CockroachDB                         committed; a *CommittedError
//	BEGIN answered with another tag than BEGIN             unknown; runs again if nothing else was in its packet
//	40001, 40P01                                           rolled back; runs again
//	40003 before COMMIT                                    rolled back; runs again
//	26000, 42P05; 0A000, 08P01 or XX000 for a stale plan   rolled back; runs again up to 8 times
//	no such name or type, where the description may be off rolled back; runs again up to 8 times
//	25P03, 25P04 before COMMIT, or at COMMIT by PostgreSQL rolled back
//	PgBouncer pools statements, so it has no transactions  rolled back
//	FATAL or PANIC before COMMIT                           rolled back; runs again up to 3 times
//	25006 before COMMIT, if OnPgError closed its connection rolled back; runs again up to 3 times
//	any other error before COMMIT                          rolled back
//	25P02, class 23 at COMMIT                              rolled back
//	an ERROR of PostgreSQL's at COMMIT                     rolled back
//	any other answer to COMMIT                             unknown
//	the context ends before COMMIT is sent                 rolled back
//	the connection is lost before COMMIT is sent           rolled back; runs again up to 3 times
//	the connection is lost behind COMMIT                   unknown
package txn
