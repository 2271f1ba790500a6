package owner

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"slices"

	"github.com/rowkeeper/rowkeeper/errs/kind"
	"github.com/rowkeeper/rowkeeper/internal/strictjson"
	"github.com/rowkeeper/rowkeeper/owner/internal/core"
	"github.com/rowkeeper/rowkeeper/owner/internal/pgvalue"
)

// A PatchError reports which members of a patch were refused, and why. Its kind is
// Invalid. The reasons are codes for clients:
//
//	nothing_to_change  there are no members
//	unknown_field      no column has that name, or clients may not know it
//	read_only_field    the service sets the column: owner, key, version, server
//	wrong_type         the value does not fit the column
//
// A member that is not well formed has one of the codes of jsonbody.Decode instead:
// duplicate_field, invalid_characters, too_deep, malformed_json.
type PatchError struct {
	Field  string // a JSON Pointer to the first, such as "/balance"; "" for the whole patch
	Reason string // why the first was refused, such as "unknown_field"

	faults []strictjson.Fault // all of them, if Patch returned the error
}

const (
	patchEmpty     = "nothing_to_change"
	patchUnknown   = "unknown_field"
	patchReadOnly  = "read_only_field"
	patchWrongType = "wrong_type"
)

func (e *PatchError) Error() string {
	text := fmt.Sprintf("owner: patch: %q: %s", e.Field, e.Reason)
	if more := len(e.faults) - 1; more > 0 {
		text += fmt.Sprintf(", and %d more", more)
	}
	return text
}

// Kind returns errs.Invalid.
func (e *PatchError) Kind() kind.Kind { return kind.Invalid }

// Fields returns all refused members, each with its reason as the code, for package
// errs.
func (e *PatchError) Fields() []kind.FieldError {
	if e.faults == nil {
		return []kind.FieldError{{Pointer: e.Field, Code: e.Reason, Detail: patchTexts[e.Reason]}}
	}
	fields := make([]kind.FieldError, len(e.faults))
	for i, f := range e.faults {
		fields[i] = kind.FieldError{Pointer: f.Pointer, Code: f.Code, Detail: f.Detail}
	}
	return fields
}

// patchTexts are the texts for clients.
var patchTexts = map[string]string{
	patchEmpty:     "The request changes nothing.",
	patchUnknown:   "This field is not known.",
	patchReadOnly:  "This field cannot be changed.",
	patchWrongType: "This value is of the wrong type.",
}

// Patch converts a JSON object from a client into assignments for [Update.Set].
// Decode the request body into a map[string]json.RawMessage for it. Each member
// becomes the value of the column whose field has exactly that name in the JSON of a
// row; the option "string" of the tag is respected. The columns of a named embedded
// struct are in an object of that name.
//
// Clients can change only columns without a special tag and those tagged default.
// Other members, and values that do not fit, are refused with a [*PatchError] that
// names all of them in alphabetical order; nothing is ignored silently, also within a
// value. A hidden column, and a field with the tag json:"-", are unknown fields. null
// becomes NULL, for columns that can hold it.
func (t *Table[R, O]) Patch(members map[string]json.RawMessage) ([]Assignment[R], error) {
	if t == nil || t.def == nil {
		return nil, core.Misuse("the table was not made by MustTable")
	}
	p := patch{table: t.def, values: map[*core.Column]any{}}
	p.take(members, t.def.Row, nil, nil)
	if len(p.values) == 0 && p.faults == nil {
		p.refuse(patchEmpty, nil)
	}
	if p.faults != nil {
		return nil, &PatchError{Field: p.faults[0].Pointer, Reason: p.faults[0].Code, faults: p.faults}
	}
	var out []Assignment[R] // in the order of the columns, so the text is stable
	for _, c := range t.def.Readable {
		if arg, ok := p.values[c]; ok {
			out = append(out, Assignment[R]{untyped: core.Assignment{Column: c, Arg: arg}})
		}
	}
	return out, nil
}

// patch collects the assignments from the members of an object.
type patch struct {
	table  *core.Table
	values map[*core.Column]any
	faults []strictjson.Fault
}

func (p *patch) refuse(reason string, at []string) {
	p.add([]strictjson.Fault{{Pointer: strictjson.Pointer(at...), Code: reason, Detail: patchTexts[reason]}})
}

func (p *patch) add(faults []strictjson.Fault) {
	p.faults = append(p.faults, faults[:min(len(faults), strictjson.MaxFaults-len(p.faults))]...)
}

// take assigns the members of an object to the fields of a struct type. The struct is
// at that index in the row, and at those names in the document.
func (p *patch) take(members map[string]json.RawMessage, of reflect.Type, index []int, names []string) {
	fields := strictjson.Fields(of)
	for _, name := range slices.Sorted(maps.Keys(members)) {
		at := append(slices.Clone(names), name)
		f, ok := fields[name]
		f.Index = append(slices.Clone(index), f.Index...)
		c := readableAt(p.table, f.Index)
		switch {
		case ok && c != nil && (c.Fixed() || c.Server):
			p.refuse(patchReadOnly, at)
		case ok && c != nil:
			p.assign(c, members[name], f, at)
		case ok && holdsColumns(p.table, f.Index):
			var inner map[string]json.RawMessage
			if faults := strictjson.CheckMember(members[name], strictjson.Field{Type: reflect.TypeOf(inner)}, at...); faults != nil {
				p.add(faults)
			} else if err := json.Unmarshal(members[name], &inner); err != nil {
				p.refuse(patchWrongType, at)
			} else {
				p.take(inner, f.Type, f.Index, at)
			}
		default:
			p.refuse(patchUnknown, at)
		}
	}
}

// assign assigns the value of a member to a column.
func (p *patch) assign(c *core.Column, value json.RawMessage, f strictjson.Field, at []string) {
	field := reflect.New(c.Type)
	if string(bytes.TrimSpace(value)) == "null" && c.Nullable {
		arg := pgvalue.Argument(field.Elem())
		if null, err := pgvalue.IsNull(arg); err != nil || !null {
			arg = nil
		}
		p.values[c] = arg
		return
	}
	if faults := strictjson.CheckMember(value, f, at...); faults != nil {
		p.add(faults)
		return
	}
	if err := strictjson.Decode(value, f, field.Interface()); err != nil {
		p.refuse(patchWrongType, at)
		return
	}
	p.values[c] = pgvalue.Argument(field.Elem())
}

// readableAt returns the readable column at that index in the row, or nil.
func readableAt(t *core.Table, index []int) *core.Column {
	if i := slices.IndexFunc(t.Readable, func(c *core.Column) bool { return slices.Equal(c.Index, index) }); i >= 0 {
		return t.Readable[i]
	}
	return nil
}

// holdsColumns reports whether the field at that index contains readable columns.
func holdsColumns(t *core.Table, index []int) bool {
	return slices.ContainsFunc(t.Readable, func(c *core.Column) bool {
		return len(c.Index) > len(index) && slices.Equal(c.Index[:len(index)], index)
	})
}
