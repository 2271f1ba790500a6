package owner

import (
	"fmt"

	"github.com/rowkeeper/rowkeeper/errs/kind"
)

// The errors to tell apart with errors.Is. They are returned with the name of
// the table around them, and each has a method Kind, by which package errs
// knows what to answer.
//
// Misuse, such as a key of the wrong type, is a plain error that begins with
// "owner: " and says what to do; then nothing was sent to the database. An
// error of the database is wrapped, so errors.As finds its *pgconn.PgError.
var (
	// ErrNotFound says that the owner has no such row. Whether the row is
	// missing or belongs to somebody else cannot be told from it.
	ErrNotFound error = &sentinel{"owner: not found", kind.NotFound}

	// ErrUnscoped says that there is no owner to act for: the value given to
	// [For] identifies nobody, or the [Scope] was not made by [For]. It is a
	// bug of the service, not a fault of the client.
	ErrUnscoped error = &sentinel{"owner: no owner in scope", kind.Internal}

	// ErrOtherOwner says that the row to insert names an owner who is not the
	// one in scope.
	ErrOtherOwner error = &sentinel{"owner: the row names another owner", kind.Forbidden}

	// ErrTooMany says that there are more rows than the call may touch.
	ErrTooMany error = &sentinel{"owner: too many rows", kind.Internal}

	// ErrStale says that the owner's row is there, but no longer in the version
	// that was given; see [Update.At].
	ErrStale error = &sentinel{"owner: the row has changed since it was read", kind.Stale}

	// ErrNoVersion says that no version was given where one is needed: At was
	// called with zero or less, or the If-Match header is missing.
	ErrNoVersion error = &requestError{
		sentinel{"owner: no version was given", kind.PreconditionRequired},
		kind.FieldError{Header: "If-Match", Code: "precondition_required", Detail: "Please say in the If-Match header which version you mean."},
	}

	// ErrReference says that a foreign key points at no row of the owner's.
	// Whether there is no such row or it belongs to somebody else cannot be told
	// from it.
	ErrReference error = &sentinel{"owner: a reference points at no row of the owner's", kind.ReferenceNotFound}
)

type sentinel struct {
	text string
	kind kind.Kind
}

func (e *sentinel) Error() string { return e.text }

func (e *sentinel) Kind() kind.Kind { return e.kind }

// requestError is a sentinel that knows which part of the request is at fault.
type requestError struct {
	sentinel
	field kind.FieldError
}

func (e *requestError) Fields() []kind.FieldError { return []kind.FieldError{e.field} }

func misuse(format string, args ...any) error {
	return fmt.Errorf("owner: "+format, args...)
}
