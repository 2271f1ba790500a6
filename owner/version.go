package owner

import (
	"fmt"
	"reflect"
	"strconv"
	"strings"
	"unsafe"

	"github.com/rowkeeper/rowkeeper/errs/kind"
)

// version is the version that a row must have, if one is given.
type version struct {
	given bool
	n     int64
	err   error
}

// At restricts the update to the row in version n, the one that was read. Otherwise
// the error is [ErrStale]. A version of zero or less is refused with [ErrNoVersion].
func (u Update[R, O]) At(n int64) Update[R, O] {
	u.at = version{given: true, n: n}
	return u
}

// At restricts the delete to the row in version n; see [Update.At].
func (d Delete[R, O]) At(n int64) Delete[R, O] {
	d.at = version{given: true, n: n}
	return d
}

// IfMatch is like [Update.At] with the If-Match header of a request, in which the
// client returns the value of [Table.ETag]; see [Table.ParseIfMatch] for the errors. With "*" any
// version matches, but the row must exist.
func (u Update[R, O]) IfMatch(header string) Update[R, O] {
	u.at = matching(header)
	return u
}

// IfMatch is like [Delete.At] with the If-Match header of a request; see
// [Update.IfMatch].
func (d Delete[R, O]) IfMatch(header string) Delete[R, O] {
	d.at = matching(header)
	return d
}

func matching(header string) version {
	n, whatever, err := parseIfMatch(header)
	return version{given: !whatever, n: n, err: err}
}

func (v version) check(t *table) error {
	switch {
	case v.err != nil:
		return v.err
	case v.given && t.version == nil:
		return t.noVersion()
	case v.given && v.n <= 0:
		return fmt.Errorf("%w (table %s)", ErrNoVersion, t.name)
	}
	return nil
}

func (t *table) noVersion() error {
	return misuse("table %s: no field is the version: add a tag owner:\"version\"", t.name)
}

func (v version) write(s *statement, t *table) {
	if !v.given {
		return
	}
	n := v.n
	field := reflect.New(t.version.typ).Elem()
	if field.CanInt() && field.OverflowInt(n) || isUint(field) && field.OverflowUint(uint64(n)) {
		n = 0 // a version that no row has, and that the column can be compared with
	}
	s.text(" and ")
	s.column(t.version)
	s.text(" = ")
	s.param(n)
}

// ETag returns the strong entity tag of the row's version, for the header of that
// name. It returns "" if the version is zero or less, and for a table without one.
func (t *Table[R, O]) ETag(row *R) string {
	if t == nil || t.def == nil || t.def.version == nil || row == nil {
		return ""
	}
	v := t.def.version.pointer(unsafe.Pointer(row)).Elem()
	if isUint(v) {
		return etag(int64(v.Uint()))
	}
	return etag(v.Int())
}

func etag(version int64) string {
	if version <= 0 {
		return ""
	}
	return `"` + strconv.FormatInt(version, 10) + `"`
}

// ParseIfMatch parses the If-Match header of a request: one entity tag made by
// [Table.ETag], or "*", for which whatever is true. An empty header is [ErrNoVersion].
// A tag that ETag never makes, such as a weak one, cannot be current and is [ErrStale].
// Any other text, and a list of several tags, is an error with the kind Malformed. It
// is for SQL by hand: [Update.IfMatch] and [Delete.IfMatch] call it.
func (t *Table[R, O]) ParseIfMatch(header string) (version int64, whatever bool, err error) {
	if t == nil || t.def == nil {
		return 0, false, misuse("the table was not made by MustTable")
	}
	if t.def.version == nil {
		return 0, false, t.def.noVersion()
	}
	return parseIfMatch(header)
}

func parseIfMatch(header string) (version int64, whatever bool, err error) {
	header = strings.Trim(header, " \t")
	switch header {
	case "":
		return 0, false, ErrNoVersion
	case "*":
		return 0, true, nil
	}
	tag, weak := strings.CutPrefix(header, "W/")
	if len(tag) < 2 || tag[0] != '"' || tag[len(tag)-1] != '"' || strings.ContainsFunc(tag[1:len(tag)-1], notInTag) {
		return 0, false, errIfMatch
	}
	n, err := strconv.ParseInt(tag[1:len(tag)-1], 10, 64)
	if err != nil || weak || etag(n) != tag {
		return 0, false, ErrStale
	}
	return n, false, nil
}

func notInTag(r rune) bool { return r <= ' ' || r == '"' || r == 0x7f }

var errIfMatch error = &requestError{
	sentinel{"owner: If-Match must be one entity tag or *", kind.Malformed},
	kind.FieldError{Header: "If-Match", Code: "invalid_if_match", Detail: "The If-Match header must be one entity tag or *."},
}
