package errs

import "github.com/rowkeeper/rowkeeper/internal/kind"

// Kind says what an error means to whoever made the request. The zero value is
// Internal. A Kind is itself an error: errors.Is(err, errs.AlreadyExists), and
// it may be returned as it is: return errs.NotFound.
//
// An error of any type is understood by [Catalog.Translate] if it has a method
// Kind() errs.Kind.
type Kind = kind.Kind

// The kinds, with their HTTP status. One from 500 up never blames the client;
// those of 503 and 429, and InFlight, may be sent again unchanged, and say when by
// Retry-After.
const (
	Internal       = kind.Internal       // 500: an engineer must act
	OutcomeUnknown = kind.OutcomeUnknown // 500: nobody knows whether it was saved
	Unavailable    = kind.Unavailable    // 503: the database cannot be reached
	Contention     = kind.Contention     // 503: other transactions kept winning
	Timeout        = kind.Timeout        // 504: it took too long
	Canceled       = kind.Canceled       // 499: the caller went away

	Malformed            = kind.Malformed            // 400: the request cannot be understood
	Unauthenticated      = kind.Unauthenticated      // 401: who is asking?
	Forbidden            = kind.Forbidden            // 403: not allowed
	NotFound             = kind.NotFound             // 404: not there, or not the caller's
	MethodNotAllowed     = kind.MethodNotAllowed     // 405: not with this method
	Conflict             = kind.Conflict             // 409: at odds with existing data
	AlreadyExists        = kind.AlreadyExists        // 409: taken
	StillReferenced      = kind.StillReferenced      // 409: others point at it
	Stale                = kind.Stale                // 412: changed since it was read
	TooLarge             = kind.TooLarge             // 413: more than is accepted
	Invalid              = kind.Invalid              // 422: a value is not allowed
	Required             = kind.Required             // 422: a value is missing
	ReferenceNotFound    = kind.ReferenceNotFound    // 422: it points at nothing
	PreconditionRequired = kind.PreconditionRequired // 428: say which version you mean
	TooManyRequests      = kind.TooManyRequests      // 429: slow down
	KeyReused            = kind.KeyReused            // 422: an idempotency key that stands for another request
	InFlight             = kind.InFlight             // 409: the same request is still being carried out
)
