package ledger

import (
	"encoding"
	"encoding/json"
	"reflect"
	"strings"
	"unicode"
)

// jsonTypes checks types for parts of their values that encoding/json omits without an
// error: two values that differ only there have the same JSON, and neither decodes to
// what it was.
//
// A type that encodes itself is trusted: what its method omits cannot be seen.
type jsonTypes struct {
	anyInterface bool // interfaces with methods are accepted, as they need not be decoded
	seen         map[jsonType]bool
}

// jsonType is a type in a place. Methods of pointers are called if the place is
// addressable.
type jsonType struct {
	reflect.Type
	addressable bool
}

var (
	marshaler     = reflect.TypeFor[json.Marshaler]()
	textMarshaler = reflect.TypeFor[encoding.TextMarshaler]()
)

// encodesItself reports whether encoding/json calls a method of the type.
func (t jsonType) encodesItself() bool {
	for _, m := range []reflect.Type{marshaler, textMarshaler} {
		if t.Implements(m) || t.addressable && t.Kind() != reflect.Pointer && reflect.PointerTo(t.Type).Implements(m) {
			return true
		}
	}
	return false
}

// elem returns the type of what a value of type t contains or points to.
func (t jsonType) elem() jsonType {
	switch t.Kind() {
	case reflect.Array:
		return jsonType{t.Elem(), t.addressable}
	case reflect.Map:
		return jsonType{t.Elem(), false}
	}
	return jsonType{t.Elem(), true}
}

// check returns why JSON cannot distinguish values of type t, or nil.
func (c *jsonTypes) check(t jsonType) error {
	if c.seen[t] {
		return nil
	}
	if c.seen == nil {
		c.seen = make(map[jsonType]bool)
	}
	c.seen[t] = true
	switch t.Kind() {
	case reflect.Interface:
		if t.NumMethod() > 0 && !c.anyInterface {
			return untold("is of type %v, an interface with methods, into which nothing can be decoded", t)
		}
		return nil // its contents are checked with the value
	case reflect.Pointer: // its methods are those of the pointed-to type
		return c.check(t.elem())
	}
	if t.encodesItself() {
		return checkEmbedded(t)
	}
	switch t.Kind() {
	case reflect.Array, reflect.Slice, reflect.Map:
		return at("[]", c.check(t.elem()))
	case reflect.Struct:
		return c.checkFields(t, map[string]bool{}, map[reflect.Type]bool{})
	}
	return nil
}

// checkEmbedded refuses a struct whose encoding method is promoted from an embedded
// field, as the method ignores the other fields.
func checkEmbedded(t jsonType) error {
	if t.Kind() != reflect.Struct {
		return nil
	}
	for i := range t.NumField() {
		f := t.Field(i)
		if !f.Anonymous || !(jsonType{f.Type, true}).encodesItself() {
			continue
		}
		for j := range t.NumField() {
			if j != i && !holdsNothing(t.Field(j)) {
				return at("."+t.Field(j).Name, untold("is beside an embedded %v, whose method encodes all of %v", f.Type, t))
			}
		}
	}
	return nil
}

// checkFields checks the fields of a struct and those of its embedded structs, which
// encoding/json treats as fields of its own. names holds the names in use.
func (c *jsonTypes) checkFields(t jsonType, names map[string]bool, embedded map[reflect.Type]bool) error {
	embedded[t.Type] = true
	for i := range t.NumField() {
		f := t.Field(i)
		if err := c.checkField(t, f, names, embedded); err != nil {
			return at("."+f.Name, err)
		}
	}
	return nil
}

func (c *jsonTypes) checkField(t jsonType, f reflect.StructField, names map[string]bool, embedded map[reflect.Type]bool) error {
	in, name := pointee(f.Type), nameInJSON(f)
	unexported := !f.IsExported() && !(f.Anonymous && in.Kind() == reflect.Struct)
	leftOut := f.Tag.Get("json") == "-"
	switch {
	case (unexported || leftOut) && holdsNothing(f):
		return nil
	case unexported:
		return untold("is not exported")
	case leftOut:
		return untold("is left out by its tag")
	case name == "" && embedded[in]:
		return untold("is embedded a second time")
	case name == "":
		return c.checkFields(jsonType{in, t.addressable || in != f.Type}, names, embedded)
	case names[name]:
		return untold("has a name in JSON, %q, that another field has", name)
	}
	names[name] = true
	return c.check(jsonType{f.Type, t.addressable})
}

// holdsNothing reports whether a field carries no information.
func holdsNothing(f reflect.StructField) bool { return f.Name == "_" || f.Type.Size() == 0 }

// pointee returns the type that an unnamed pointer type points to, or t itself.
func pointee(t reflect.Type) reflect.Type {
	if t.Kind() == reflect.Pointer && t.Name() == "" {
		return t.Elem()
	}
	return t
}

// nameInJSON returns the name of a field in JSON, or "" if its own fields take its
// place, whatever methods it has.
func nameInJSON(f reflect.StructField) string {
	name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
	switch {
	case validName(name):
		return name
	case f.Anonymous && pointee(f.Type).Kind() == reflect.Struct:
		return ""
	}
	return f.Name
}

// validName reports whether encoding/json accepts a name in a tag.
func validName(name string) bool {
	for _, r := range name {
		if !unicode.IsLetter(r) && !unicode.IsDigit(r) && !strings.ContainsRune("!#$%&()*+-./:;<=>?@[]^_{|}~ ", r) {
			return false
		}
	}
	return name != ""
}
