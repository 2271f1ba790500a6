// Package trace observes the transactions of package txn: a Tracer sees calls, attempts,
// retries, commits and waits, and Log is one that logs them to log/slog.
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
//		"github.com/rowkeeper/rowkeeper/txn/trace"
//	)
//
//	func main() {
//		ctx := context.Background()
//		pool, err := pgxpool.New(ctx, os.Getenv("DATABASE_URL"))
//		if err != nil {
//			log.Fatal(err)
//		}
//		db := txn.New(pool, txn.Trace(trace.Log{})) // for every call with db
//		err = txn.Run(ctx, db, func(ctx context.Context, tx *txn.Tx) error {
//			_, err := tx.Exec(ctx, "update accounts set balance = balance + 10 where id = 1")
//			return err
//		}, txn.Name("deposit"))
//		if err != nil {
//			log.Fatal(err)
//		}
//	}
//
// [Log] is silent about a commit unless its Logger has level Debug. Tracers of pgx, such as
// otelpgx, see the statements, and can be used beside a [Tracer].
package trace
