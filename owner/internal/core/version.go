package core

import (
	"fmt"
	"reflect"
	"strconv"
	"strings"
	"unsafe"
)

// A Version is the version that a row must have, if one is given.
type Version struct {
	given bool
	n     int64
	err   error
}

// At returns the version n.
func At(n int64) Version { return Version{given: true, n: n} }

// IfMatch returns the version in the If-Match header of a request.
func IfMatch(header string) Version {
	n, whatever, err := parseIfMatch(header)
	return Version{given: !whatever, n: n, err: err}
}

func (v Version) check(t *Table) error {
	switch {
	case v.err != nil:
		return v.err
	case v.given && t.Version == nil:
		return t.noVersion()
	case v.given && v.n <= 0:
		return fmt.Errorf("%w (table %s)", ErrNoVersion, t.Name)
	}
	return nil
}

func (t *Table) noVersion() error {
	return Misuse("table %s: no field is the version: add a tag owner:\"version\"", t.Name)
}

func (v Version) write(s *Statement, t *Table) {
	if !v.given {
		return
	}
	n := v.n
	field := reflect.New(t.Version.Type).Elem()
	if field.CanInt() && field.OverflowInt(n) || isUint(field) && field.OverflowUint(uint64(n)) {
		n = 0 // a version that no row has, and that the column can be compared with
	}
	s.text(" and ")
	s.column(t.Version)
	s.text(" = ")
	s.param(n)
}

// ETag returns the strong entity tag of the row's version, or "" if it has none.
func (t *Table) ETag(row unsafe.Pointer) string {
	if t == nil || t.Version == nil || row == nil {
		return ""
	}
	v := t.Version.Pointer(row).Elem()
	if isUint(v) {
		return etag(int64(v.Uint()))
	}
	return etag(v.Int())
}

// ParseIfMatch parses the If-Match header of a request for a row of the table.
func (t *Table) ParseIfMatch(header string) (version int64, whatever bool, err error) {
	if t == nil {
		return 0, false, Misuse("the table was not made by MustTable")
	}
	if t.Version == nil {
		return 0, false, t.noVersion()
	}
	return parseIfMatch(header)
}

func etag(version int64) string {
	if version <= 0 {
		return ""
	}
	return `"` + strconv.FormatInt(version, 10) + `"`
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
