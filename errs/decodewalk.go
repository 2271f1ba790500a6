package errs

import (
	"bytes"
	"database/sql/driver"
	"encoding"
	"encoding/json"
	"errors"
	"reflect"
	"strconv"
	"strings"
	"unicode/utf16"
)

// walker goes through valid JSON beside the type that it is for, and refuses
// what that type does not take. A nil type takes anything: it decodes itself.
type walker struct {
	json []byte
	pos  int
}

// place is where the walker is. It is spelled out only for a refusal: a body may
// have many places with long names.
type place struct {
	parent *place
	named  bool // a member of an object, or else an item of an array
	name   string
	index  int
}

// pointerMax bounds what of a client's names comes back to it, and into the log.
const pointerMax = 512

// pointer names the place, or if that takes too long one around it.
func (p *place) pointer() string {
	at, _ := p.render()
	return at
}

func (p *place) render() (at string, whole bool) {
	if p == nil {
		return "", true
	}
	before, whole := p.parent.render()
	name := strconv.Itoa(p.index)
	if p.named {
		name = escapePointer(p.name)
	}
	if !whole || len(before)+1+len(name) > pointerMax {
		return before, false
	}
	return before + "/" + name, true
}

// pointersMax is for a type that points at itself, for which encoding/json never
// ends.
const pointersMax = 8

var (
	rawMessageType = reflect.TypeFor[json.RawMessage]()
	anyType        = reflect.TypeFor[any]()
)

// value checks the value at the walker's position. depth counts the objects and
// arrays around it.
func (k *walker) value(t reflect.Type, at *place, depth int) error {
	k.space()
	first := k.json[k.pos]
	start := k.pos
	nullable := false
	for i := 0; t != nil && t.Kind() == reflect.Pointer && i < pointersMax; i++ {
		nullable, t = true, t.Elem()
	}
	if first == 'n' {
		k.literal()
		if nullable || takesNull(t) {
			return nil
		}
		return wrongType(at, errors.New("null"))
	}
	if t != nil && t.Kind() == reflect.Pointer {
		return wrongType(at, errors.New("too many pointers"))
	}

	leaf := t // what encoding/json is asked about, for a value whole
	inner := t
	switch {
	case t == nil:
		leaf = nil
	case decodesItself(t):
		inner = nil
	case t.Kind() == reflect.Interface && t.NumMethod() == 0:
		if first == '{' || first == '[' {
			leaf = nil
		}
	case t.Kind() == reflect.Struct && first == '{', t.Kind() == reflect.Map && first == '{',
		t.Kind() == reflect.Array && first == '[',
		t.Kind() == reflect.Slice && first == '[':
		leaf = nil
	default:
		inner = nil
	}

	switch first {
	case '{', '[':
		if depth == MaxDepth {
			return tooDeep(at.pointer(), nil)
		}
		if leaf != nil && inner == nil && !decodesItself(t) {
			return wrongType(at, nil)
		}
		inside := k.array
		if first == '{' {
			inside = k.object
		}
		if err := inside(inner, at, depth+1); err != nil {
			return err
		}
	case '"':
		if _, err := k.text(at); err != nil {
			return err
		}
	default:
		k.literal()
	}
	if leaf != nil {
		if err := json.Unmarshal(k.json[start:k.pos], reflect.New(leaf).Interface()); err != nil {
			return wrongType(at, &undecoded{leaf, err})
		}
	}
	return nil
}

func (k *walker) object(t reflect.Type, at *place, depth int) error {
	var fields map[string]jsonField
	if t != nil && t.Kind() == reflect.Struct {
		fields = jsonFields(t)
	}
	seen := map[string]bool{}
	keys := map[any]bool{} // of a map: other spellings count as well
	k.pos++                // {
	for k.space(); k.json[k.pos] != '}'; k.space() {
		name, err := k.text(at) // a name that cannot be said has no place
		if err != nil {
			return err
		}
		here := &place{parent: at, name: name, named: true}
		if seen[name] {
			return duplicate(here)
		}
		seen[name] = true
		k.space()
		k.pos++ // :
		err = nil
		switch {
		case t == nil:
			err = k.value(nil, here, depth)
		case t.Kind() == reflect.Struct:
			f, ok := fields[name]
			if !ok {
				return refuse(Invalid, "unknown_field", "This field is not known.", here.pointer(), nil)
			}
			if f.quoted {
				err = k.quoted(f.typ, here, depth)
			} else {
				err = k.value(f.typ, here, depth)
			}
		case t.Kind() == reflect.Map:
			key, keyErr := mapKey(t.Key(), name)
			if keyErr != nil {
				return wrongType(here, &undecoded{t.Key(), keyErr})
			}
			if keys[key] {
				return duplicate(here)
			}
			keys[key] = true
			err = k.value(t.Elem(), here, depth)
		default:
			err = k.value(anyType, here, depth)
		}
		if err != nil {
			return err
		}
		if k.space(); k.json[k.pos] == ',' {
			k.pos++
		}
	}
	k.pos++
	return nil
}

func (k *walker) array(t reflect.Type, at *place, depth int) error {
	elem := t
	if t != nil && t.Kind() != reflect.Interface {
		elem = t.Elem()
	}
	k.pos++ // [
	n := 0
	for k.space(); k.json[k.pos] != ']'; k.space() {
		if err := k.value(elem, &place{parent: at, index: n}, depth); err != nil {
			return err
		}
		n++
		if k.space(); k.json[k.pos] == ',' {
			k.pos++
		}
	}
	k.pos++
	if t != nil && t.Kind() == reflect.Array && n != t.Len() {
		return wrongType(at, nil)
	}
	return nil
}

// quoted checks a value for the option "string" of a json tag: JSON in a string.
func (k *walker) quoted(t reflect.Type, at *place, depth int) error {
	k.space()
	if k.json[k.pos] == 'n' {
		return k.value(t, at, depth)
	}
	if k.json[k.pos] != '"' {
		return wrongType(at, nil)
	}
	s, err := k.text(at)
	if err != nil {
		return err
	}
	if !json.Valid([]byte(s)) || s == "null" || strings.Trim(s, " \t\r\n") != s {
		return wrongType(at, nil)
	}
	return (&walker{json: []byte(s)}).value(t, at, depth)
}

func (k *walker) space() {
	for k.pos < len(k.json) && strings.IndexByte(" \t\r\n", k.json[k.pos]) >= 0 {
		k.pos++
	}
}

// literal passes a number, true, false or null.
func (k *walker) literal() {
	for k.pos < len(k.json) && strings.IndexByte(",]} \t\r\n", k.json[k.pos]) < 0 {
		k.pos++
	}
}

// text passes a string, and refuses what cannot be stored or would not be what
// the client sent.
func (k *walker) text(at *place) (string, error) {
	start := k.pos
	escapes := false
	for k.pos++; k.json[k.pos] != '"'; k.pos++ {
		if k.json[k.pos] == '\\' {
			escapes = true
			k.pos++
		}
	}
	k.pos++
	raw := k.json[start:k.pos]
	if !escapes {
		return string(raw[1 : len(raw)-1]), nil
	}
	if !storable(raw) {
		return "", refuse(Malformed, "invalid_characters", "The text contains characters that cannot be stored.", at.pointer(), nil)
	}
	var s string
	err := json.Unmarshal(raw, &s)
	return s, err
}

// storable reports whether the escapes of a string are without a NUL and
// without half of a surrogate pair.
func storable(raw []byte) bool {
	for i := 0; i < len(raw); i++ {
		if raw[i] != '\\' {
			continue
		}
		i++
		if raw[i] != 'u' {
			continue
		}
		c := escaped(raw[i+1:])
		i += 4
		switch {
		case c == 0:
			return false
		case !utf16.IsSurrogate(c):
		case !bytes.HasPrefix(raw[i+1:], []byte(`\u`)), utf16.DecodeRune(c, escaped(raw[i+3:])) == '\uFFFD':
			return false
		default:
			i += 6
		}
	}
	return true
}

// escaped reads the four digits of a \u.
func escaped(digits []byte) rune {
	n, _ := strconv.ParseUint(string(digits[:4]), 16, 16)
	return rune(n)
}

func decodesItself(t reflect.Type) bool {
	p := reflect.PointerTo(t)
	return p.Implements(reflect.TypeFor[json.Unmarshaler]()) || p.Implements(reflect.TypeFor[encoding.TextUnmarshaler]())
}

// takesNull reports whether null has a meaning to a type that is no pointer. By
// custom an Unmarshaler takes null and does nothing, which leaves a zero value
// that nobody sent; only one that stands for a nullable column is believed.
func takesNull(t reflect.Type) bool {
	if t == nil || t.Kind() == reflect.Interface || t == rawMessageType {
		return true
	}
	if !decodesItself(t) {
		return false
	}
	valuer, ok := reflect.New(t).Interface().(driver.Valuer)
	if !ok {
		return false
	}
	v, err := valuer.Value()
	return v == nil && err == nil
}

// mapKey is what encoding/json makes of a name as the key of a map.
func mapKey(t reflect.Type, name string) (any, error) {
	object, err := json.Marshal(map[string]any{name: nil})
	if err != nil {
		return nil, err
	}
	m := reflect.New(reflect.MapOf(t, anyType))
	if err := json.Unmarshal(object, m.Interface()); err != nil {
		return nil, err
	}
	keys := m.Elem().MapKeys()
	if len(keys) != 1 {
		return nil, errors.New("no key of this type")
	}
	return keys[0].Interface(), nil
}

// undecoded keeps the client's value, which encoding/json's error may hold, out
// of logs.
type undecoded struct {
	into  reflect.Type
	cause error
}

func (u *undecoded) Error() string { return "value does not decode into " + u.into.String() }
func (u *undecoded) Unwrap() error { return u.cause }

func wrongType(at *place, cause error) error {
	return refuse(Invalid, "wrong_type", wrongTypeText, at.pointer(), cause)
}

func duplicate(at *place) error {
	return refuse(Malformed, "duplicate_field", "This field is there twice.", at.pointer(), nil)
}
