package owner

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"

	"github.com/rowkeeper/rowkeeper/internal/kind"
)

// A PatchError says which member of a patch was refused, and why. Its kind is
// Invalid.
type PatchError struct {
	Field  string // a JSON Pointer, such as "/balance"; "" where it is the whole
	Reason string // a constant, such as "unknown_field"
}

// The reasons of a [PatchError].
const (
	PatchEmpty     = "nothing_to_change" // no members
	PatchUnknown   = "unknown_field"     // no column has that name, or clients may not know it
	PatchReadOnly  = "read_only_field"   // the service sets the column: owner, key, version, server
	PatchWrongType = "wrong_type"        // the value does not fit the column
)

func (e *PatchError) Error() string { return fmt.Sprintf("owner: patch: %q: %s", e.Field, e.Reason) }

// Kind is errs.Invalid.
func (e *PatchError) Kind() kind.Kind { return kind.Invalid }

// Fields has the member, with the reason as its code, for package errs.
func (e *PatchError) Fields() []kind.FieldError {
	return []kind.FieldError{{Pointer: e.Field, Code: e.Reason, Detail: patchTexts[e.Reason]}}
}

// patchTexts are what clients are told.
var patchTexts = map[string]string{
	PatchEmpty:     "The request changes nothing.",
	PatchUnknown:   "This field is not known.",
	PatchReadOnly:  "This field cannot be changed.",
	PatchWrongType: "This value is of the wrong type.",
}

// Patch turns the JSON object that a client sent into assignments, for
// [Update.Set]: each member becomes the value of the column whose field has that
// name in JSON, exactly. Decode the request's body into a
// map[string]json.RawMessage for it.
//
// Clients can change columns without a special tag only, and those tagged
// default. Members for any others, and values that do not fit, are refused with a
// [*PatchError] that names the first of them, in the order of the alphabet;
// nothing is ignored silently. A hidden column, and a field with the tag json:"-",
// is not known. null is for columns that can be NULL.
func (t *Table[R, O]) Patch(members map[string]json.RawMessage) ([]Assignment[R], error) {
	if t == nil || t.def == nil {
		return nil, misuse("the table was not made by MustTable or NewTable")
	}
	if len(members) == 0 {
		return nil, &PatchError{Reason: PatchEmpty}
	}
	values := map[*column]any{}
	for _, name := range slices.Sorted(maps.Keys(members)) {
		refused := func(reason string) error { return &PatchError{Field: pointer(name), Reason: reason} }
		i := slices.IndexFunc(t.def.readable, func(c *column) bool { return c.json != "" && c.json == name })
		if i < 0 {
			return nil, refused(PatchUnknown)
		}
		c := t.def.readable[i]
		if c.fixed() || c.server {
			return nil, refused(PatchReadOnly)
		}
		field := reflect.New(c.typ)
		null := string(bytes.TrimSpace(members[name])) == "null"
		if null && !c.nullable || json.Unmarshal(members[name], field.Interface()) != nil {
			return nil, refused(PatchWrongType)
		}
		values[c] = fieldArgument(field.Elem())
	}
	var out []Assignment[R] // in the order of the columns, so that the text is stable
	for _, c := range t.def.readable {
		if arg, ok := values[c]; ok {
			out = append(out, Assignment[R]{assignment: assignment{col: c, arg: arg}})
		}
	}
	return out, nil
}

// pointer is the JSON Pointer to a member of the document (RFC 6901).
func pointer(name string) string {
	return "/" + strings.NewReplacer("~", "~0", "/", "~1").Replace(name)
}
