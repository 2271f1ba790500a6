package owner

import (
	"fmt"

	"github.com/rowkeeper/rowkeeper/errs/kind"
)

// Errors to tell apart with errors.Is. They are wrapped with the name of the table, and
// each has a method Kind, from which package errs derives the response. A refused patch
// is a [*PatchError].
//
// Misuse, such as a key of the wrong type, is a plain error that begins with "owner:
// " and says what to do; nothing was sent to the database. An error of the database
// is wrapped, so errors.As finds its *pgconn.PgError.
var (
	// ErrNotFound reports that the owner has no such row. It does not reveal whether
	// the row is missing or belongs to another owner.
	ErrNotFound error = &sentinel{"owner: not found", kind.NotFound}

	// ErrUnscoped reports that there is no owner: the value given to [For] identifies
	// nobody, or the [Scope] was not made by [For]. It is a bug of the service, not a
	// fault of the client.
	ErrUnscoped error = &sentinel{"owner: no owner in scope", kind.Internal}

	// ErrOtherOwner reports that the row to insert names another owner than the one
	// in scope.
	ErrOtherOwner error = &sentinel{"owner: the row names another owner", kind.Forbidden}

	// ErrTooMany reports that there are more rows than the call may touch.
	ErrTooMany error = &sentinel{"owner: too many rows", kind.Internal}

	// ErrStale reports that the owner's row exists, but no longer in the given
	// version; see [Update.At].
	ErrStale error = &sentinel{"owner: the row has changed since it was read", kind.Stale}

	// ErrNoVersion reports that a required version is missing: At was called with
	// zero or less, or the request has no If-Match header.
	ErrNoVersion error = &requestError{
		sentinel{"owner: no version was given", kind.PreconditionRequired},
		kind.FieldError{Header: "If-Match", Code: "precondition_required", Detail: "Please say in the If-Match header which version you mean."},
	}

	// ErrReference reports that a foreign key points at no row of the owner's. It
	// does not reveal whether that row is missing or belongs to another owner.
	ErrReference error = &sentinel{"owner: a reference points at no row of the owner's", kind.ReferenceNotFound}

	// ErrCursor reports that a cursor was not made for this owner, table, order and
	// conditions. Its kind is Invalid, and the parameter at fault is "cursor".
	ErrCursor error = &requestError{
		sentinel{"owner: the cursor is not valid here", kind.Invalid},
		kind.FieldError{Parameter: "cursor", Code: "invalid_cursor", Detail: "The cursor is not valid here."},
	}
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
