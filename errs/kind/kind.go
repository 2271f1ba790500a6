package kind

import "net/http"

// Kind classifies an error by what it means to the client of a service. It
// determines the HTTP status, the code for machines and a public text. A Kind is
// itself an error: it can be returned as it is, and errors.Is finds it.
//
// The zero value is [Internal]. A number that is no Kind of this package counts as
// Internal too.
type Kind uint8

// Kinds from status 500 up never blame the client.
const (
	// Internal (500) means that an engineer must act. It is the kind of every error
	// that nobody classified.
	Internal Kind = iota

	// OutcomeUnknown (500) means that nobody knows whether the request was carried
	// out. It is never 503, because proxies resend a request after a 503.
	OutcomeUnknown

	// Unavailable (503) means that the database or another part of the service cannot
	// be reached. Nothing was carried out; the same request may succeed later.
	Unavailable

	// Contention (503) means that other transactions kept winning. Nothing was carried
	// out; the same request may succeed later.
	Contention

	// Timeout (504) means that the request took too long.
	Timeout

	// Canceled (499) means that the client went away before the response. No client
	// sees the status; it is for logs.
	Canceled

	// Malformed (400) means that the request cannot be understood.
	Malformed

	// Unauthenticated (401) means that the client did not prove who it is.
	Unauthenticated

	// Forbidden (403) means that the client is known and may not do this.
	Forbidden

	// NotFound (404) means that the item does not exist, or belongs to somebody else.
	NotFound

	// MethodNotAllowed (405) means that the resource does not have this method.
	MethodNotAllowed

	// NotAcceptable (406) means that the response is not available in a format that
	// the client accepts.
	NotAcceptable

	// Conflict (409) means that the request is at odds with existing data.
	Conflict

	// AlreadyExists (409) means that a value that must be unique is taken.
	AlreadyExists

	// StillReferenced (409) means that the item cannot go because others refer to it.
	StillReferenced

	// InFlight (409) means that the same request is being carried out right now. It may
	// be sent again, unchanged, to learn the result.
	InFlight

	// Stale (412) means that the item changed after the client read it.
	Stale

	// TooLarge (413) means that the request is larger than the service accepts.
	TooLarge

	// UnsupportedMediaType (415) means that the body is not in an accepted format.
	UnsupportedMediaType

	// Invalid (422) means that a value is understood and not allowed.
	Invalid

	// Required (422) means that a value is missing.
	Required

	// ReferenceNotFound (422) means that the request refers to an item that does not
	// exist.
	ReferenceNotFound

	// KeyReused (422) means that an idempotency key was used for another request.
	KeyReused

	// PreconditionRequired (428) means that the client must say which version of the
	// item it means.
	PreconditionRequired

	// TooManyRequests (429) means that the client must slow down.
	TooManyRequests

	count
)

// statusClientClosedRequest is nginx's; net/http has no name for it.
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
	NotAcceptable:        {"not_acceptable", http.StatusNotAcceptable, "The answer is not available in that format.", false},
	Conflict:             {"conflict", http.StatusConflict, "The request conflicts with existing data.", false},
	AlreadyExists:        {"already_exists", http.StatusConflict, "An item with this value already exists.", false},
	StillReferenced:      {"still_referenced", http.StatusConflict, "This item is still in use.", false},
	InFlight:             {"in_flight", http.StatusConflict, "The same request is still being processed.", true},
	Stale:                {"stale", http.StatusPreconditionFailed, "This item has changed in the meantime.", false},
	TooLarge:             {"too_large", http.StatusRequestEntityTooLarge, "The request is too large.", false},
	UnsupportedMediaType: {"unsupported_media_type", http.StatusUnsupportedMediaType, "This format is not supported.", false},
	Invalid:              {"invalid", http.StatusUnprocessableEntity, "A value is not allowed.", false},
	Required:             {"required", http.StatusUnprocessableEntity, "A required value is missing.", false},
	ReferenceNotFound:    {"reference_not_found", http.StatusUnprocessableEntity, "A referenced item does not exist.", false},
	KeyReused:            {"key_reused", http.StatusUnprocessableEntity, "This key was used for a different request.", false},
	PreconditionRequired: {"precondition_required", http.StatusPreconditionRequired, "Please say which version you mean.", false},
	TooManyRequests:      {"too_many_requests", http.StatusTooManyRequests, "Too many requests. Please slow down.", true},
}

func (k Kind) known() Kind {
	if k >= count {
		return Internal
	}
	return k
}

// Code returns the name for machines, such as "already_exists".
func (k Kind) Code() string { return table[k.known()].code }

// String returns the same as [Kind.Code].
func (k Kind) String() string { return k.Code() }

// Status returns the HTTP status.
func (k Kind) Status() int { return table[k.known()].status }

// Error returns a constant text that is safe to show to anybody.
func (k Kind) Error() string { return table[k.known()].text }

// Resend reports whether the same request, unchanged, may succeed later.
func (k Kind) Resend() bool { return table[k.known()].resend }

// Kind returns k, or [Internal] if k is no Kind of this package. It makes a Kind an
// error with a kind, like those of other packages.
func (k Kind) Kind() Kind { return k.known() }
