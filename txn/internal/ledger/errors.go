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

type onceError struct {
	text  string
	kind  kind.Kind
	after time.Duration
}

func (e *onceError) Error() string             { return e.text }
func (e *onceError) Kind() kind.Kind           { return e.kind }
func (e *onceError) RetryAfter() time.Duration { return e.after }
