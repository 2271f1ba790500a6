package once

import "github.com/rowkeeper/rowkeeper/txn/internal/ledger"

// Errors of calls with a [Key]. A call that returns one has committed nothing.
var (
	// ErrKeyReused reports that the key was used for another request. It maps to HTTP
	// 422 by its Kind.
	ErrKeyReused = ledger.ErrKeyReused

	// ErrInFlight reports that a call with the same key is in progress and that this
	// call was not to wait, or that too many calls wait already. It maps to HTTP 409,
	// which may be retried, by its Kind.
	ErrInFlight = ledger.ErrInFlight
)

// KeyError reports that the key is empty, longer than 255 bytes, not UTF-8 or contains
// NUL. Nothing was sent. It maps to HTTP 400 by its Kind, as clients choose keys; the
// problem details have the reason and the code missing_idempotency_key or
// invalid_idempotency_key.
type KeyError = ledger.KeyError

// ResultTooLargeError reports that a result takes more than 256 KiB as JSON. Nothing
// was committed.
type ResultTooLargeError = ledger.ResultTooLargeError
