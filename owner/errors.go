package owner

import "github.com/rowkeeper/rowkeeper/owner/internal/core"

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
	ErrNotFound error = core.ErrNotFound

	// ErrUnscoped reports that there is no owner: the value given to [For] identifies
	// nobody, or the [Scope] was not made by [For]. It is a bug of the service, not a
	// fault of the client.
	ErrUnscoped error = core.ErrUnscoped

	// ErrOtherOwner reports that the row to insert names another owner than the one
	// in scope.
	ErrOtherOwner error = core.ErrOtherOwner

	// ErrTooMany reports that there are more rows than the call may touch.
	ErrTooMany error = core.ErrTooMany

	// ErrStale reports that the owner's row exists, but no longer in the given
	// version; see [Update.At].
	ErrStale error = core.ErrStale

	// ErrNoVersion reports that a required version is missing: At was called with
	// zero or less, or the request has no If-Match header.
	ErrNoVersion error = core.ErrNoVersion

	// ErrReference reports that a foreign key points at no row of the owner's. It
	// does not reveal whether that row is missing or belongs to another owner.
	ErrReference error = core.ErrReference

	// ErrCursor reports that a cursor was not made for this owner, table, order and
	// conditions. Its kind is Invalid, and the parameter at fault is "cursor".
	ErrCursor error = core.ErrCursor
)
