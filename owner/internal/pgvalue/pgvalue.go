// Package pgvalue determines what pgx sends for a value of a Go type.
package pgvalue

import (
	"database/sql/driver"
	"reflect"

	"github.com/jackc/pgx/v5/pgtype"
)

// Valuer is the type of driver.Valuer.
var Valuer = reflect.TypeFor[driver.Valuer]()

// Argument returns the argument to pass to pgx for a field, which must be
// addressable. If only the pointer has the Value method, pgx would not find it on the
// value.
func Argument(field reflect.Value) any {
	v := field.Interface()
	if _, ok := v.(driver.Valuer); ok {
		return v
	}
	if p, ok := field.Addr().Interface().(driver.Valuer); ok {
		return p
	}
	return v
}

// IsNull reports whether pgx would send arg as NULL.
func IsNull(arg any) (bool, error) {
	if arg == nil {
		return true, nil
	}
	v := reflect.ValueOf(arg)
	switch v.Kind() {
	case reflect.Pointer, reflect.Map, reflect.Slice:
		if v.IsNil() {
			return true, nil
		}
	}
	switch a := arg.(type) {
	case driver.Valuer:
		value, err := a.Value()
		if err != nil {
			return false, err
		}
		return value == nil, nil
	case interface{ IsNull() bool }: // ranges, multiranges and composites of pgtype
		return a.IsNull(), nil
	case pgtype.ArrayGetter:
		return a.Dimensions() == nil, nil
	}
	if v.Kind() == reflect.Pointer {
		return IsNull(v.Elem().Interface())
	}
	return false, nil
}

// Elem returns the type that t points at, or t if it is not a pointer.
func Elem(t reflect.Type) reflect.Type {
	if t.Kind() == reflect.Pointer {
		return t.Elem()
	}
	return t
}
