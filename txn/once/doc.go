// Package once makes a call of package txn execute a request exactly once, however
// often it is made: with an idempotency key, in the transaction itself.
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
//		"github.com/rowkeeper/rowkeeper/txn/once"
//	)
//
//	type deposit struct{ Account, Amount int64 }
//
//	func main() {
//		ctx := context.Background()
//		pool, err := pgxpool.New(ctx, os.Getenv("DATABASE_URL")) // once.Schema is in its migrations
//		if err != nil {
//			log.Fatal(err)
//		}
//		d := deposit{Account: 1, Amount: 10}
//		err = txn.Run(ctx, pool, func(ctx context.Context, tx *txn.Tx) error {
//			_, err := tx.Exec(ctx, "update accounts set balance = balance + $2 where id = $1",
//				d.Account, d.Amount)
//			return err
//		}, once.Key("deposits/alice", "key-of-the-request", d)) // run it twice: one deposit
//		if err != nil {
//			log.Fatal(err)
//		}
//	}
//
// The call takes the key in the ledger, a table created by [Schema], in the transaction
// of its function, and stores the result with COMMIT. If the key is already taken, the
// call returns the stored result and its function has no effect. [Key] says which
// requests are equal, which results can be stored, and how an unknown outcome is
// resolved.
//
// Package [github.com/rowkeeper/rowkeeper/txn/idempotency] implements HTTP's
// Idempotency-Key header with it.
package once
