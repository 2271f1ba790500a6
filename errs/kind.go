package errs

import "github.com/rowkeeper/rowkeeper/errs/kind"

// Kind classifies an error by what it means to the client. The zero value is
// [Internal]. A Kind is itself an error: it can be returned as it is (return
// errs.NotFound), and errors.Is finds it (errors.Is(err, errs.AlreadyExists)).
//
// [Catalog.Translate] understands an error of any type that has a method
// Kind() errs.Kind. Package errs/kind documents the methods of a Kind; a library can
// import it instead of errs.
type Kind = kind.Kind

// The kinds, with their HTTP status; package kind describes each, and has two more for
// package txn/once. Those from 500 up never blame the client. For 503, 429 and
// kind.InFlight the same request may be sent again, and Retry-After says when. [Status]
// sets a status that is not here.
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
	NotAcceptable        = kind.NotAcceptable        // 406: no such representation
	Conflict             = kind.Conflict             // 409: at odds with existing data
	AlreadyExists        = kind.AlreadyExists        // 409: taken
	StillReferenced      = kind.StillReferenced      // 409: others point at it
	Stale                = kind.Stale                // 412: changed since it was read
	TooLarge             = kind.TooLarge             // 413: more than is accepted
	UnsupportedMediaType = kind.UnsupportedMediaType // 415: not in this format
	Invalid              = kind.Invalid              // 422: a value is not allowed
	Required             = kind.Required             // 422: a value is missing
	ReferenceNotFound    = kind.ReferenceNotFound    // 422: it points at nothing
	PreconditionRequired = kind.PreconditionRequired // 428: say which version you mean
	TooManyRequests      = kind.TooManyRequests      // 429: slow down
)
