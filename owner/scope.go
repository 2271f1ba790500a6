package owner

import (
	"database/sql/driver"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"unicode"

	"github.com/jackc/pgx/v5"

	"github.com/rowkeeper/rowkeeper/owner/internal/pgvalue"
)

// A Scope is the owner for whom statements run. Only [For] makes one; every statement
// refuses the zero Scope with [ErrUnscoped].
//
// A Scope does not prove who the caller is: make it from the result of
// authentication, never from a field of the request.
type Scope[O comparable] struct {
	owner O
	id    identity
}

// identity is an owner in the form that statements use: a value and its arguments,
// which for a [Member] are those of tenant and user. The arguments are those that For
// checked. n is 0 if For did not make the scope.
type identity struct {
	n     int
	value [2]any
	arg   [2]any
}

// For returns the scope of owner o. For a [Member] it checks both parts.
//
// It refuses, with [ErrUnscoped], a value that may stand for "nobody" or "everybody":
//   - the zero value, a blank string, and zeros in any form: "0", the all-zero
//     UUID as bytes or as text;
//   - a driver.Valuer that yields NULL, an error, or one of the above;
//   - types that cannot name an owner: pointers, interfaces, bools, floats,
//     structs that are not a driver.Valuer, arrays of anything but bytes.
//
// For an owner that is a UUID, define a struct around the UUID type of your choice,
// which then has its methods for pgx and for JSON:
//
//	type UserID struct{ uuid.UUID }
//
// A type that is defined as type UserID uuid.UUID has none of these methods, and pgx
// cannot send it in the modes exec and simple protocol.
func For[O comparable](o O) (Scope[O], error) {
	if m, ok := any(o).(member); ok {
		id, err := m.identity()
		if err != nil {
			return Scope[O]{}, err
		}
		return Scope[O]{owner: o, id: id}, nil
	}
	arg, err := checkedOwner(o)
	if err != nil {
		return Scope[O]{}, err
	}
	return Scope[O]{owner: o, id: identity{n: 1, value: [2]any{o}, arg: [2]any{arg}}}, nil
}

// Owner returns the owner, or the zero value for the zero Scope.
func (s Scope[O]) Owner() O { return s.owner }

func (s Scope[O]) check() error {
	if s.id.n == 0 {
		return fmt.Errorf("%w: the scope was not made by owner.For", ErrUnscoped)
	}
	return nil
}

var rewriterType = reflect.TypeFor[pgx.QueryRewriter]()

// unfitType returns why no value of type t can name an owner, or "".
func unfitType(t reflect.Type) string {
	if reflect.PointerTo(t).Implements(rewriterType) || t == reflect.TypeFor[pgx.QueryExecMode]() {
		return fmt.Sprintf("an owner cannot be of type %s, which pgx takes for an option", t)
	}
	switch k := t.Kind(); k {
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64,
		reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64,
		reflect.String:
		return ""
	case reflect.Array, reflect.Struct:
		if k == reflect.Array && t.Elem().Kind() == reflect.Uint8 || reflect.PointerTo(t).Implements(pgvalue.Valuer) {
			return ""
		}
		return fmt.Sprintf("an owner cannot be of type %s, which is no driver.Valuer", t)
	default:
		return fmt.Sprintf("an owner cannot be of type %s, of kind %s", t, k)
	}
}

// checkedOwner returns the argument to send for o. For a driver.Valuer it is the
// value that was checked: a second call might return another one.
func checkedOwner[O comparable](o O) (any, error) {
	if reason := unfitType(reflect.TypeFor[O]()); reason != "" {
		return nil, fmt.Errorf("%w: %s", ErrUnscoped, reason)
	}
	v := reflect.ValueOf(o)
	if reason := nobody(v); reason != "" {
		return nil, fmt.Errorf("%w: the owner is %s", ErrUnscoped, reason)
	}
	valuer, ok := argument(o).(driver.Valuer)
	if !ok {
		return o, nil
	}
	value, err := valuer.Value()
	if err != nil {
		return nil, fmt.Errorf("%w: the owner's Value method failed: %w", ErrUnscoped, err)
	}
	if value == nil {
		return nil, fmt.Errorf("%w: the owner's Value method yields nil", ErrUnscoped)
	}
	if text, ok := value.([]byte); ok {
		value = slices.Clone(text)
	}
	v = reflect.ValueOf(value)
	if v.Type() != reflect.TypeFor[[]byte]() {
		if reason := unfitType(v.Type()); reason != "" {
			return nil, fmt.Errorf("%w: the owner's Value method yields a value of type %s", ErrUnscoped, v.Type())
		}
	}
	if reason := nobody(v); reason != "" {
		return nil, fmt.Errorf("%w: the owner's Value method yields %s", ErrUnscoped, reason)
	}
	return value, nil
}

// nobody returns why v names no owner, or "".
func nobody(v reflect.Value) string {
	switch {
	case v.IsZero():
		return "the zero value"
	case !v.Comparable() && v.Kind() != reflect.Slice:
		return "a value that cannot be compared"
	case v.Kind() == reflect.String && !strings.ContainsFunc(v.String(), visible):
		return "blank"
	case v.Kind() == reflect.String && zeros(v.String()):
		return "all zero"
	case v.Kind() == reflect.Slice:
		// The bytes may be binary, for which visible has no meaning.
		s := string(v.Bytes())
		if strings.TrimSpace(s) == "" || strings.Trim(s, "\x00") == "" || zeros(s) {
			return "blank or all zero"
		}
	}
	return ""
}

func visible(r rune) bool { return unicode.IsGraphic(r) && !unicode.IsSpace(r) }

// zeros reports whether s is the text of a zero number or UUID.
func zeros(s string) bool {
	s = strings.TrimPrefix(strings.ToLower(strings.TrimSpace(s)), "urn:uuid:")
	return strings.Contains(s, "0") && strings.Trim(s, "0+-.{}") == ""
}
