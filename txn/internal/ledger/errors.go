package ledger

import (
	"time"

	"github.com/rowkeeper/rowkeeper/errs/kind"
)

// Errors of calls that execute a request once; see package once.
var (
	ErrKeyReused error = &onceError{"the key was used for another request", kind.KeyReused, 0}
	ErrInFlight  error = &onceError{"a call with the same key is under way", kind.InFlight, time.Second}
)

// KeyError reports that a key is not text of 1 to 255 bytes.
type KeyError struct{ reason string }

func (e *KeyError) Error() string { return "the key " + e.reason }

// Kind returns errs.Malformed.
func (e *KeyError) Kind() kind.Kind { return kind.Malformed }

// Fields has the reason, with the code missing_idempotency_key or
// invalid_idempotency_key, for package errs. The place of the key is not known.
func (e *KeyError) Fields() []kind.FieldError {
	code := "invalid_idempotency_key"
	if e.reason == reasonEmpty {
		code = "missing_idempotency_key"
	}
	return []kind.FieldError{{Code: code, Detail: "The idempotency key " + e.reason + "."}}
}

const reasonEmpty = "is empty"

type onceError struct {
	text  string
	kind  kind.Kind
	after time.Duration
}

func (e *onceError) Error() string             { return e.text }
func (e *onceError) Kind() kind.Kind           { return e.kind }
func (e *onceError) RetryAfter() time.Duration { return e.after }
