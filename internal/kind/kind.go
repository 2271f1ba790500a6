// Package kind holds the kinds of error that txn, owner and errs share, so
// that none of them has to import another. It is public as errs.Kind.
package kind

import "net/http"

// Kind says what an error means to whoever made the request. The zero value
// is Internal, so whatever nobody classified is an honest 500.
//
// A Kind is itself an error, whose text is safe to show.
type Kind uint8

// The kinds, with their HTTP status. Those from 500 up never blame the client.
const (
	Internal             Kind = iota // 500: an engineer must act
	OutcomeUnknown                   // 500: nobody knows whether it was saved; never 503, which proxies resend
	Unavailable                      // 503: the database cannot be reached
	Contention                       // 503: other transactions kept winning
	Timeout                          // 504: it took too long
	Canceled                         // 499: the caller went away
	Malformed                        // 400: the request cannot be understood
	Unauthenticated                  // 401: who is asking?
	Forbidden                        // 403: not allowed
	NotFound                         // 404: not there, or not the caller's
	MethodNotAllowed                 // 405: not with this method
	Conflict                         // 409: at odds with existing data
	AlreadyExists                    // 409: taken
	StillReferenced                  // 409: others point at it
	Stale                            // 412: changed since it was read
	TooLarge                         // 413: more than is accepted
	Invalid                          // 422: a value is not allowed
	Required                         // 422: a value is missing
	ReferenceNotFound                // 422: it points at nothing
	PreconditionRequired             // 428: say which version you mean
	TooManyRequests                  // 429: slow down
	KeyReused                        // 422: an idempotency key that stands for another request
	InFlight                         // 409: the same request is still being carried out
	count
)

// statusClientClosedRequest is nginx's; no client ever sees it.
const statusClientClosedRequest = 499

var table = [count]struct {
	code   string
	status int
	text   string
	resend bool
}{
	Internal:             {"internal", http.StatusInternalServerError, "Internal error.", false},
	OutcomeUnknown:       {"outcome_unknown", http.StatusInternalServerError, "We could not confirm whether this was saved.", false},
	Unavailable:          {"unavailable", http.StatusServiceUnavailable, "The service is temporarily unavailable.", true},
	Contention:           {"contention", http.StatusServiceUnavailable, "The service is busy. Please try again.", true},
	Timeout:              {"timeout", http.StatusGatewayTimeout, "The request took too long.", false},
	Canceled:             {"canceled", statusClientClosedRequest, "The request was canceled.", false},
	Malformed:            {"malformed", http.StatusBadRequest, "A value has the wrong format.", false},
	Unauthenticated:      {"unauthenticated", http.StatusUnauthorized, "Please sign in.", false},
	Forbidden:            {"forbidden", http.StatusForbidden, "You do not have access.", false},
	NotFound:             {"not_found", http.StatusNotFound, "Not found.", false},
	MethodNotAllowed:     {"method_not_allowed", http.StatusMethodNotAllowed, "This method is not allowed here.", false},
	Conflict:             {"conflict", http.StatusConflict, "The request conflicts with existing data.", false},
	AlreadyExists:        {"already_exists", http.StatusConflict, "An item with this value already exists.", false},
	StillReferenced:      {"still_referenced", http.StatusConflict, "This item is still in use.", false},
	Stale:                {"stale", http.StatusPreconditionFailed, "This item has changed in the meantime.", false},
	TooLarge:             {"too_large", http.StatusRequestEntityTooLarge, "The request is too large.", false},
	Invalid:              {"invalid", http.StatusUnprocessableEntity, "A value is not allowed.", false},
	Required:             {"required", http.StatusUnprocessableEntity, "A required value is missing.", false},
	ReferenceNotFound:    {"reference_not_found", http.StatusUnprocessableEntity, "A referenced item does not exist.", false},
	PreconditionRequired: {"precondition_required", http.StatusPreconditionRequired, "Please say which version you mean.", false},
	TooManyRequests:      {"too_many_requests", http.StatusTooManyRequests, "Too many requests. Please slow down.", true},
	KeyReused:            {"key_reused", http.StatusUnprocessableEntity, "This idempotency key was used for another request.", false},
	InFlight:             {"in_flight", http.StatusConflict, "The same request is still being carried out.", true},
}

func (k Kind) known() Kind {
	if k >= count {
		return Internal
	}
	return k
}

// Code is the kind's name for machines, such as "already_exists".
func (k Kind) Code() string { return table[k.known()].code }

// String is Code.
func (k Kind) String() string { return k.Code() }

// Status is the HTTP status.
func (k Kind) Status() int { return table[k.known()].status }

// Error is a constant text that is safe to show to anybody.
func (k Kind) Error() string { return table[k.known()].text }

// Resend reports whether the same request may succeed later, unchanged.
func (k Kind) Resend() bool { return table[k.known()].resend }

// Kind is k, so that a Kind is understood like any error with this method.
func (k Kind) Kind() Kind { return k.known() }
