package owner

import (
	"unsafe"

	"github.com/rowkeeper/rowkeeper/owner/internal/core"
)

// At restricts the update to the row in version n, the one that was read. Otherwise
// the error is [ErrStale]. A version of zero or less is refused with [ErrNoVersion].
func (u Update[R, O]) At(n int64) Update[R, O] {
	u.untyped.At = core.At(n)
	return u
}

// At restricts the delete to the row in version n; see [Update.At].
func (d Delete[R, O]) At(n int64) Delete[R, O] {
	d.untyped.At = core.At(n)
	return d
}

// IfMatch is like [Update.At] with the If-Match header of a request, in which the
// client returns the value of [Table.ETag]; see [Table.ParseIfMatch] for the errors. With "*" any
// version matches, but the row must exist.
func (u Update[R, O]) IfMatch(header string) Update[R, O] {
	u.untyped.At = core.IfMatch(header)
	return u
}

// IfMatch is like [Delete.At] with the If-Match header of a request; see
// [Update.IfMatch].
func (d Delete[R, O]) IfMatch(header string) Delete[R, O] {
	d.untyped.At = core.IfMatch(header)
	return d
}

// ETag returns the strong entity tag of the row's version, for the header of that
// name. It returns "" if the version is zero or less, and for a table without one.
func (t *Table[R, O]) ETag(row *R) string {
	def, _ := t.declaration()
	return def.ETag(unsafe.Pointer(row))
}

// ParseIfMatch parses the If-Match header of a request: one entity tag made by
// [Table.ETag], or "*", for which whatever is true. An empty header is [ErrNoVersion].
// A tag that ETag never makes, such as a weak one, cannot be current and is [ErrStale].
// Any other text, and a list of several tags, is an error with the kind Malformed. It
// is for SQL by hand: [Update.IfMatch] and [Delete.IfMatch] call it.
func (t *Table[R, O]) ParseIfMatch(header string) (version int64, whatever bool, err error) {
	def, _ := t.declaration()
	return def.ParseIfMatch(header)
}
