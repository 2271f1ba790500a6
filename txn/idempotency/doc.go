// Package idempotency implements HTTP's Idempotency-Key header on top of
// once.Key. A client that got no answer repeats its request with the same key and
// gets the answer that it missed. The effects of the request and its response are
// committed in one transaction.
//
//	package main
//
//	import (
//		"context"
//		"log"
//		"net/http"
//		"os"
//
//		"github.com/jackc/pgx/v5/pgxpool"
//		"github.com/rowkeeper/rowkeeper/errs"
//		"github.com/rowkeeper/rowkeeper/txn"
//		"github.com/rowkeeper/rowkeeper/txn/idempotency"
//	)
//
//	func main() {
//		pool, err := pgxpool.New(context.Background(), os.Getenv("DATABASE_URL"))
//		if err != nil {
//			log.Fatal(err)
//		}
//		userOf := func(r *http.Request) (string, error) { return "alice", nil } // as authenticated
//		transfers := idempotency.Handler(pool, "transfers", userOf,
//			func(ctx context.Context, tx *txn.Tx, r *http.Request) (idempotency.Response, error) {
//				return idempotency.JSON(http.StatusCreated, "done")
//			})
//		http.Handle("POST /transfers", errs.NewCatalog().Handler(transfers))
//		log.Fatal(http.ListenAndServe(":8080", nil))
//	}
//
// The package follows draft-ietf-httpapi-idempotency-key-header-07. Status, body and
// header fields of a [Response] are replayed byte for byte; a replay also has the
// header field [ReplayedHeader]. Anything else written to the http.ResponseWriter,
// for example by middleware, is not stored.
//
// An error is not stored: the key stays free, and a repeated request is executed
// again. Return a Response for a refusal that is to be final.
//
// The table of [once.Schema] must exist. Rows are kept for
// [once.Ledger.Retention]; state that time in your API's documentation.
package idempotency
