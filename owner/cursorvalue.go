package owner

import (
	"database/sql/driver"
	"encoding/json"
	"fmt"
	"math"
	"reflect"
	"strconv"
	"time"
	"unicode/utf8"
)

// JSON has no form for some values of floats, and changes texts that are not
// UTF-8. In a cursor the former are texts; the latter are refused.

var (
	marshalerType   = reflect.TypeFor[json.Marshaler]()
	unmarshalerType = reflect.TypeFor[json.Unmarshaler]()
)

// canonical is the same for two arguments only if they are the same value.
func canonical(arg any) ([]byte, error) {
	if v, ok := arg.(driver.Valuer); ok {
		value, err := v.Value()
		if err != nil {
			return nil, err
		}
		arg = value
	}
	if at, ok := arg.(time.Time); ok {
		arg = at.UTC()
	}
	switch v := reflect.Indirect(reflect.ValueOf(arg)); {
	case v.IsValid() && v.Kind() == reflect.String:
		return fmt.Appendf(nil, "%T %q", arg, v.String()), nil
	case v.IsValid() && v.CanFloat():
		return fmt.Appendf(nil, "%T %v", arg, v.Float()), nil
	}
	b, err := json.Marshal(arg)
	return fmt.Appendf(nil, "%T %s", arg, b), err
}

// cursorValue is a value as JSON keeps it.
func cursorValue(field reflect.Value) (any, error) {
	v := reflect.Indirect(field)
	switch {
	case !v.IsValid() || v.Type().Implements(marshalerType):
	case v.Kind() == reflect.String && !utf8.ValidString(v.String()):
		return nil, misuse("a text is not UTF-8")
	case v.CanFloat() && (math.IsNaN(v.Float()) || math.IsInf(v.Float(), 0)):
		return strconv.FormatFloat(v.Float(), 'g', -1, 64), nil
	}
	return field.Interface(), nil
}

// fromCursor puts a value back into a field.
func fromCursor(raw json.RawMessage, field reflect.Value) error {
	var text string
	t := elem(field.Type())
	float := t.Kind() == reflect.Float32 || t.Kind() == reflect.Float64
	if !float || reflect.PointerTo(t).Implements(unmarshalerType) || json.Unmarshal(raw, &text) != nil || text == "" {
		return json.Unmarshal(raw, field.Addr().Interface())
	}
	n, err := strconv.ParseFloat(text, 64)
	if field.Kind() == reflect.Pointer {
		field.Set(reflect.New(t))
	}
	reflect.Indirect(field).SetFloat(n)
	return err
}
