package errs

import (
	"bytes"
	"encoding"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"reflect"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Limits of DecodeJSON.
const (
	MaxBody  = 64 << 10 // bytes
	MaxDepth = 32       // objects and arrays in each other
)

// DecodeJSON reads the body of a request into a T, strictly. Each refusal is an
// [*Error] that says what is wrong and by a JSON Pointer where:
//
//   - 413 too_large: a body over [MaxBody] bytes;
//   - 400 unreadable_body, malformed_json, trailing_data, invalid_characters (no UTF-8), too_deep
//     (beyond [MaxDepth]), duplicate_field;
//   - 422 unknown_field (also one that differs in case), wrong_type (also null
//     for what is no pointer).
//
// That a field is missing is not seen: it keeps its zero value.
func DecodeJSON[T any](w http.ResponseWriter, r *http.Request) (T, error) {
	var v, zero T
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, MaxBody))
	if err != nil {
		var tooLarge *http.MaxBytesError
		if errors.As(err, &tooLarge) {
			return zero, New(TooLarge, Cause(err))
		}
		return zero, refuse(Malformed, "unreadable_body", "The request could not be read.", "", err)
	}
	if !utf8.Valid(body) {
		return zero, refuse(Malformed, "invalid_characters", "The request is not valid UTF-8.", "", nil)
	}
	var raw json.RawMessage
	dec := json.NewDecoder(bytes.NewReader(body))
	if err := dec.Decode(&raw); err != nil {
		return zero, refuse(Malformed, "malformed_json", "The request is not valid JSON.", "", err)
	}
	if _, err := dec.Token(); err != io.EOF {
		return zero, refuse(Malformed, "trailing_data", "There is something behind the JSON value.", "", nil)
	}
	if err := decode(raw, reflect.ValueOf(&v).Elem(), "", 1); err != nil {
		return zero, err
	}
	return v, nil
}

// decode is json.Unmarshal, but it refuses what that lets pass, and knows where
// it is. raw is valid JSON.
func decode(raw json.RawMessage, v reflect.Value, at string, depth int) error {
	if depth > MaxDepth {
		return refuse(Malformed, "too_deep", "The request is nested too deeply.", at, nil)
	}
	if v.Kind() == reflect.Pointer {
		if string(raw) == "null" {
			v.SetZero()
			return nil
		}
		v.Set(reflect.New(v.Type().Elem()))
		return decode(raw, v.Elem(), at, depth)
	}
	if decodesItself(v) {
		return unmarshal(raw, v, at)
	}
	switch v.Kind() {
	case reflect.Struct:
		return decodeStruct(raw, v, at, depth)
	case reflect.Slice:
		if v.Type().Elem().Kind() == reflect.Uint8 {
			return unmarshal(raw, v, at) // base64
		}
		return decodeSlice(raw, v, at, depth)
	case reflect.Interface:
		return decodeAny(raw, v, at, depth)
	case reflect.Array:
		return decodeArray(raw, v, at, depth)
	case reflect.Map:
		return decodeMap(raw, v, at, depth)
	}
	return unmarshal(raw, v, at)
}

func decodesItself(v reflect.Value) bool {
	switch v.Addr().Interface().(type) {
	case json.Unmarshaler, encoding.TextUnmarshaler:
		return true
	}
	return false
}

func unmarshal(raw json.RawMessage, v reflect.Value, at string) error {
	if string(raw) == "null" && v.Kind() != reflect.Interface {
		return wrongType(at, nil)
	}
	if err := json.Unmarshal(raw, v.Addr().Interface()); err != nil {
		return wrongType(at, err)
	}
	return nil
}

func decodeStruct(raw json.RawMessage, v reflect.Value, at string, depth int) error {
	fields := jsonFields(v.Type())
	return eachMember(raw, at, func(name, at string, value json.RawMessage) error {
		f, ok := fields[name]
		if !ok {
			return refuse(Invalid, "unknown_field", "This field is not known.", at, nil)
		}
		if f.quoted {
			var s string
			if err := json.Unmarshal(value, &s); err != nil || !json.Valid([]byte(s)) || strings.TrimSpace(s) != s {
				return wrongType(at, err)
			}
			value = json.RawMessage(s)
		}
		return decode(value, fieldByIndex(v, f.index), at, depth+1)
	})
}

// decodeAny looks into what goes into an interface, for names that come twice.
func decodeAny(raw json.RawMessage, v reflect.Value, at string, depth int) error {
	var inner reflect.Value
	switch raw[0] {
	case '{':
		inner = reflect.New(reflect.TypeFor[map[string]any]()).Elem()
	case '[':
		inner = reflect.New(reflect.TypeFor[[]any]()).Elem()
	default:
		return unmarshal(raw, v, at)
	}
	if !inner.Type().AssignableTo(v.Type()) {
		return wrongType(at, nil)
	}
	if err := decode(raw, inner, at, depth); err != nil {
		return err
	}
	v.Set(inner)
	return nil
}

func decodeMap(raw json.RawMessage, v reflect.Value, at string, depth int) error {
	v.Set(reflect.MakeMap(v.Type()))
	return eachMember(raw, at, func(name, at string, value json.RawMessage) error {
		key, err := mapKey(v.Type().Key(), name)
		if err != nil {
			return wrongType(at, err)
		}
		if v.MapIndex(key).IsValid() { // another spelling of it
			return refuse(Malformed, "duplicate_field", "This field is there twice.", at, nil)
		}
		elem := reflect.New(v.Type().Elem()).Elem()
		if err := decode(value, elem, at, depth+1); err != nil {
			return err
		}
		v.SetMapIndex(key, elem)
		return nil
	})
}

// mapKey is what encoding/json makes of a name as the key of a map.
func mapKey(t reflect.Type, name string) (reflect.Value, error) {
	object, err := json.Marshal(map[string]any{name: nil})
	if err != nil {
		return reflect.Value{}, err
	}
	m := reflect.New(reflect.MapOf(t, reflect.TypeFor[any]()))
	if err := json.Unmarshal(object, m.Interface()); err != nil {
		return reflect.Value{}, err
	}
	keys := m.Elem().MapKeys()
	if len(keys) != 1 {
		return reflect.Value{}, errors.New("no key of this type")
	}
	return keys[0], nil
}

func decodeSlice(raw json.RawMessage, v reflect.Value, at string, depth int) error {
	items, err := jsonItems(raw)
	if err != nil {
		return wrongType(at, err)
	}
	v.Set(reflect.MakeSlice(v.Type(), len(items), len(items)))
	return decodeItems(items, v, at, depth)
}

// decodeArray wants as many items as the array has.
func decodeArray(raw json.RawMessage, v reflect.Value, at string, depth int) error {
	items, err := jsonItems(raw)
	if err != nil || len(items) != v.Len() {
		return wrongType(at, err)
	}
	return decodeItems(items, v, at, depth)
}

func jsonItems(raw json.RawMessage) ([]json.RawMessage, error) {
	var items []json.RawMessage
	err := json.Unmarshal(raw, &items)
	if err == nil && items == nil {
		err = errors.New("null")
	}
	return items, err
}

func decodeItems(items []json.RawMessage, v reflect.Value, at string, depth int) error {
	for i, item := range items {
		if err := decode(item, v.Index(i), at+"/"+strconv.Itoa(i), depth+1); err != nil {
			return err
		}
	}
	return nil
}

// eachMember calls f for each member of an object, and refuses names that come
// twice.
func eachMember(raw json.RawMessage, at string, f func(name, at string, value json.RawMessage) error) error {
	dec := json.NewDecoder(bytes.NewReader(raw))
	if t, err := dec.Token(); err != nil || t != json.Delim('{') {
		return wrongType(at, err)
	}
	seen := map[string]bool{}
	for dec.More() {
		t, err := dec.Token()
		name, ok := t.(string)
		if err != nil || !ok {
			return wrongType(at, err)
		}
		here := at + "/" + strings.NewReplacer("~", "~0", "/", "~1").Replace(name)
		if seen[name] {
			return refuse(Malformed, "duplicate_field", "This field is there twice.", here, nil)
		}
		seen[name] = true
		var value json.RawMessage
		if err := dec.Decode(&value); err != nil {
			return wrongType(here, err)
		}
		if err := f(name, here, value); err != nil {
			return err
		}
	}
	return nil
}

func wrongType(at string, cause error) error {
	return refuse(Invalid, "wrong_type", "This value is of the wrong type.", at, cause)
}

// refuse names the part of the body at fault, unless it is the whole of it.
func refuse(k Kind, code, message, at string, cause error) error {
	return &Error{kind: k, code: code, message: message, field: at, cause: cause}
}

type jsonField struct {
	index  []int
	quoted bool
}

// jsonFields are the fields of a struct by their JSON names, those of embedded
// structs included.
func jsonFields(t reflect.Type) map[string]jsonField {
	fields := map[string]jsonField{}
	for _, f := range reflect.VisibleFields(t) {
		tag := f.Tag.Get("json")
		name, options, _ := strings.Cut(tag, ",")
		if !f.IsExported() || tag == "-" || !settable(t, f.Index) {
			continue
		}
		if f.Anonymous && name == "" && structOf(f.Type) != nil {
			continue
		}
		if name == "" {
			name = f.Name
		}
		if other, ok := fields[name]; ok && len(other.index) <= len(f.Index) {
			continue
		}
		fields[name] = jsonField{index: f.Index, quoted: options == "string" && quotable(f.Type)}
	}
	return fields
}

// structOf is t or what it points to, if that is a struct.
func structOf(t reflect.Type) reflect.Type {
	if t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	if t.Kind() != reflect.Struct {
		return nil
	}
	return t
}

// settable reports whether a promoted field is one to encoding/json too, which is
// not so for a struct with a name of its own, and whether the structs on the way
// to it can be made: not those behind an embedded pointer to an unexported type.
func settable(t reflect.Type, index []int) bool {
	for _, i := range index[:len(index)-1] {
		f := structOf(t).Field(i)
		if name, _, _ := strings.Cut(f.Tag.Get("json"), ","); name != "" {
			return false // left out, or a member of its own
		}
		if f.Type.Kind() == reflect.Pointer && !f.IsExported() {
			return false
		}
		t = f.Type
	}
	return true
}

// fieldByIndex is reflect's, but makes the structs that embedded pointers lead to.
func fieldByIndex(v reflect.Value, index []int) reflect.Value {
	for _, i := range index {
		if v.Kind() == reflect.Pointer {
			if v.IsNil() {
				v.Set(reflect.New(v.Type().Elem()))
			}
			v = v.Elem()
		}
		v = v.Field(i)
	}
	return v
}

// quotable reports whether the option "string" of a json tag has a meaning.
func quotable(t reflect.Type) bool {
	if t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	switch k := t.Kind(); k {
	case reflect.Bool, reflect.String, reflect.Float32, reflect.Float64:
		return true
	default:
		return k >= reflect.Int && k <= reflect.Uintptr
	}
}
