// Package txn runs functions in SERIALIZABLE transactions of PostgreSQL and CockroachDB
// through pgx v5, retries them after conflicts (SQLSTATE 40001 and 40P01) and lost
// connections, and reports truthfully whether they committed. [Tx] implements [pgx.Tx].
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
// [Batch] save round trips. Calls that conflict queue before BEGIN, as [NoAdmission]
// says. Package [github.com/rowkeeper/rowkeeper/txn/once] executes a request once, even
// if it is repeated after a lost answer. Package
// [github.com/rowkeeper/rowkeeper/txn/txntest] tests functions under conflicts.
//
// The docs folder of the repository lists what each error means (outcomes.md), and
// covers admission, poolers, standbys and failovers.
package txn
