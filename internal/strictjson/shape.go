package strictjson

import (
	"database/sql/driver"
	"encoding"
	"encoding/json"
	"fmt"
	"reflect"
	"sync"
	"time"
)

// form is the way in which encoding/json decodes a type.
type form int

const (
	whatever form = iota // takes any value as it is
	itself               // decodes itself
	anything             // an interface without methods
	object
	mapping
	list
	array
	text
	boolean
	signed
	unsigned
	floating
	number // json.Number
	closed // takes nothing: an interface with methods, a function
)

// shape is the knowledge about a type.
type shape struct {
	form      form
	typ       reflect.Type // behind its pointers
	nullable  bool
	unmarshal bool // implements json.Unmarshaler
	fields    map[string]Field
	plainKeys bool // of a map: names are its keys as they are
}

// pointersMax is for a type that points at itself, for which encoding/json never
// ends.
const pointersMax = 8

var (
	rawMessageType  = reflect.TypeFor[json.RawMessage]()
	numberType      = reflect.TypeFor[json.Number]()
	anyType         = reflect.TypeFor[any]()
	unmarshalerType = reflect.TypeFor[json.Unmarshaler]()
	textType        = reflect.TypeFor[encoding.TextUnmarshaler]()

	shapes sync.Map // reflect.Type to *shape
	free   = &shape{form: whatever, nullable: true}
)

// shapeOf returns the shape of a type. A nil type takes anything.
func shapeOf(t reflect.Type) *shape {
	if t == nil {
		return free
	}
	if known, ok := shapes.Load(t); ok {
		return known.(*shape)
	}
	s := newShape(t)
	shapes.Store(t, s)
	return s
}

func newShape(t reflect.Type) *shape {
	s := &shape{}
	for i := 0; t.Kind() == reflect.Pointer && i < pointersMax; i++ {
		s.nullable, t = true, t.Elem()
	}
	s.typ = t
	pointer := reflect.PointerTo(t)
	s.unmarshal = pointer.Implements(unmarshalerType)
	s.nullable = s.nullable || takesNull(t)
	switch k := t.Kind(); {
	case t == rawMessageType:
		s.form = whatever
	case t == numberType: // it decodes itself under the experiment jsonv2
		s.form = number
	case decodesItself(t):
		s.form = itself
	case k == reflect.Interface && t.NumMethod() == 0:
		s.form = anything
	case k == reflect.Struct:
		s.form, s.fields = object, Fields(t)
	case k == reflect.Map:
		s.form = mapping
		s.plainKeys = t.Key().Kind() == reflect.String && !reflect.PointerTo(t.Key()).Implements(textType)
	case k == reflect.Slice:
		s.form = list
	case k == reflect.Array:
		s.form = array
	case k == reflect.String:
		s.form = text
	case k == reflect.Bool:
		s.form = boolean
	case k >= reflect.Int && k <= reflect.Int64:
		s.form = signed
	case k >= reflect.Uint && k <= reflect.Uintptr:
		s.form = unsigned
	case k == reflect.Float32, k == reflect.Float64:
		s.form = floating
	default:
		s.form = closed
	}
	return s
}

func decodesItself(t reflect.Type) bool {
	p := reflect.PointerTo(t)
	return p.Implements(unmarshalerType) || p.Implements(textType) || readsItself(p)
}

// takesNull reports whether null has a meaning for a type that is no pointer. By
// convention an Unmarshaler accepts null and does nothing, which leaves a zero
// value that nobody sent. So only one that stands for a nullable column counts.
func takesNull(t reflect.Type) (null bool) {
	if t.Kind() == reflect.Interface || t == rawMessageType {
		return true
	}
	if !decodesItself(t) {
		return false
	}
	defer func() {
		if recover() != nil { // a Value method that expects more than a zero
			null = false
		}
	}()
	valuer, ok := reflect.New(t).Interface().(driver.Valuer)
	if !ok {
		return false
	}
	v, err := valuer.Value()
	return v == nil && err == nil
}

// expected describes the values that the type takes, for a client, or returns "".
func (s *shape) expected() string {
	words := s.words()
	if words != "" && s.nullable {
		words += " or null"
	}
	return words
}

func (s *shape) words() string {
	switch s.form {
	case object, mapping:
		return "an object"
	case list:
		if s.typ.Elem().Kind() == reflect.Uint8 {
			return "a text in Base64"
		}
		return "a list"
	case array:
		return fmt.Sprintf("a list of length %d", s.typ.Len())
	case text:
		return "a text"
	case boolean:
		return "true or false"
	case signed:
		bits := s.typ.Bits()
		return fmt.Sprintf("a whole number from %d to %d", int64(-1)<<(bits-1), int64(1)<<(bits-1)-1)
	case unsigned:
		return fmt.Sprintf("a whole number from 0 to %d", ^uint64(0)>>(64-s.typ.Bits()))
	case floating, anything, number:
		return "a number in range"
	}
	if s.typ == reflect.TypeFor[time.Time]() {
		return "a time such as 2006-01-02T15:04:05Z"
	}
	return ""
}
