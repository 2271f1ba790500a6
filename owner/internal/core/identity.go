package core

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

// An Identity is an owner in the form that statements use: a value and its arguments,
// which for an owner.Member are those of tenant and user. The arguments are those that
// owner.For checked. N is 0 if that did not make the scope.
type Identity struct {
	N     int
	Value [2]any
	Arg   [2]any
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

// Check refuses an identity that owner.For did not make.
func (id *Identity) Check() error {
	if id.N == 0 {
		return fmt.Errorf("%w: the scope was not made by owner.For", ErrUnscoped)
	}
	return nil
}

// OwnerArgument returns the argument to send for an owner of that type. arg is what
// pgx takes for the value. If that is a driver.Valuer, the argument is the value that
// was checked: a second call might return another one.
func OwnerArgument(t reflect.Type, owner, arg any) (any, error) {
	if reason := unfitType(t); reason != "" {
		return nil, fmt.Errorf("%w: %s", ErrUnscoped, reason)
	}
	v := reflect.ValueOf(owner)
	if reason := nobody(v); reason != "" {
		return nil, fmt.Errorf("%w: the owner is %s", ErrUnscoped, reason)
	}
	valuer, ok := arg.(driver.Valuer)
	if !ok {
		return owner, nil
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
