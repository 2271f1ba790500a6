package core

import (
	"errors"
	"fmt"

	"github.com/rowkeeper/rowkeeper/errs/kind"
)

// The errors of package owner to tell apart with errors.Is, which documents them.
var (
	ErrNotFound   error = &sentinel{"owner: not found", kind.NotFound}
	ErrUnscoped   error = &sentinel{"owner: no owner in scope", kind.Internal}
	ErrOtherOwner error = &sentinel{"owner: the row names another owner", kind.Forbidden}
	ErrTooMany    error = &sentinel{"owner: too many rows", kind.Internal}
	ErrStale      error = &sentinel{"owner: the row has changed since it was read", kind.Stale}
	ErrNoVersion  error = &requestError{
		sentinel{"owner: no version was given", kind.PreconditionRequired},
		kind.FieldError{Header: "If-Match", Code: "precondition_required", Detail: "Please say in the If-Match header which version you mean."},
	}
	ErrReference error = &sentinel{"owner: a reference points at no row of the owner's", kind.ReferenceNotFound}
	ErrCursor    error = &requestError{
		sentinel{"owner: the cursor is not valid here", kind.Invalid},
		kind.FieldError{Parameter: "cursor", Code: "invalid_cursor", Detail: "The cursor is not valid here."},
	}
)

// errPageSize is the sentinel for a page size out of range; the error that wraps it
// names the range.
var errPageSize error = &requestError{
	sentinel{"owner: the size of the page is out of range", kind.Invalid},
	kind.FieldError{Parameter: "size", Code: "out_of_range", Detail: fmt.Sprintf("A page has 1 to %d rows.", MaxRows)},
}

var errIfMatch error = &requestError{
	sentinel{"owner: If-Match must be one entity tag or *", kind.Malformed},
	kind.FieldError{Header: "If-Match", Code: "invalid_if_match", Detail: "The If-Match header must be one entity tag or *."},
}

// ErrNoColumn reports a column that the zero ColumnOf stands for.
var ErrNoColumn = errors.New("owner: the column was not made by owner.Column")

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

// Misuse returns the error of a call that is wrong.
func Misuse(format string, args ...any) error {
	return fmt.Errorf("owner: "+format, args...)
}
