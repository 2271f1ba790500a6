// Package idempotency is the Idempotency-Key header of HTTP on top of [txn.Once]: a
// client that got no answer makes the same request again, with the same key, and
// gets the answer that it missed. What the request did and what is answered are
// committed in one transaction.
//
//	transfers := idempotency.Handler(pool, "transfers", userOf,
//		func(ctx context.Context, tx *txn.Tx, r *http.Request) (idempotency.Response, error) {
//			// decode r, work with tx
//			return idempotency.JSON(http.StatusCreated, transfer)
//		})
//	http.Handle("POST /transfers", catalog.Handler(transfers))
//
// It follows draft-ietf-httpapi-idempotency-key-header-07. Status, body and the
// header fields of a [Response] come back as they were, byte for byte, and a replay
// has the header field [ReplayedHeader] on top. What is set
// on the http.ResponseWriter besides, by middleware say, is not stored.
//
// An error is not stored: the key stays free, and a request that is made again is
// carried out again. A refusal that is to be final is a Response.
//
// The ledger of [txn.LedgerSchema] has to be there. Its rows are kept for
// [txn.Ledger.Retention]; say in your API how long that is.
package idempotency
