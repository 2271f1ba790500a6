package owner

import (
	"database/sql/driver"
	"reflect"

	"github.com/jackc/pgx/v5/pgtype"
)

// argument is what to give to pgx for v. Where only *V has the Value method,
// pgx would not find it on a V.
func argument[V any](v V) any {
	if _, ok := any(v).(driver.Valuer); ok {
		return v
	}
	if p, ok := any(&v).(driver.Valuer); ok {
		return p
	}
	return v
}

// fieldArgument is argument for a field of a row.
func fieldArgument(field reflect.Value) any {
	v := field.Interface()
	if _, ok := v.(driver.Valuer); ok {
		return v
	}
	if p, ok := field.Addr().Interface().(driver.Valuer); ok {
		return p
	}
	return v
}

// isNull reports whether pgx would send arg as NULL.
func isNull(arg any) (bool, error) {
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
		return isNull(v.Elem().Interface())
	}
	return false, nil
}

// isText reports whether a column of type t can be matched by LIKE.
func isText(t reflect.Type) bool {
	return elem(t).Kind() == reflect.String || t.Implements(reflect.TypeFor[pgtype.TextValuer]())
}

// isNumeric reports whether values of type t can be added.
func isNumeric(t reflect.Type) bool {
	switch k := elem(t).Kind(); {
	case k >= reflect.Int && k <= reflect.Uint64, k == reflect.Float32, k == reflect.Float64:
		return true
	}
	return t.Implements(reflect.TypeFor[pgtype.Int64Valuer]()) ||
		t.Implements(reflect.TypeFor[pgtype.Float64Valuer]()) ||
		t.Implements(reflect.TypeFor[pgtype.NumericValuer]())
}

func elem(t reflect.Type) reflect.Type {
	if t.Kind() == reflect.Pointer {
		return t.Elem()
	}
	return t
}
