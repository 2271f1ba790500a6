package core

import (
	"fmt"
	"reflect"
	"strconv"
	"strings"

	"github.com/rowkeeper/rowkeeper/owner/internal/pgvalue"
)

// keyArguments checks the values of a key and converts them to the types of their
// fields.
func (t *Table) keyArguments(key []any) ([]any, error) {
	if len(key) != len(t.Key) {
		want := make([]string, len(t.Key))
		for i, c := range t.Key {
			want[i] = fmt.Sprintf("%s %s", c.Name, c.Type)
		}
		given := counted(len(key), "value was", "values were")
		return nil, Misuse("table %s: the key is (%s), but %s given", t.Name, strings.Join(want, ", "), given)
	}
	if t.isKey(key) {
		return key, nil
	}
	args := make([]any, len(key))
	for i, c := range t.Key {
		field := reflect.New(c.Type).Elem()
		if !assignKey(field, reflect.ValueOf(key[i])) {
			return nil, Misuse("table %s: the key column %s wants %s, got %T", t.Name, c.Name, c.Type, key[i])
		}
		args[i] = pgvalue.Argument(field)
		switch null, err := pgvalue.IsNull(args[i]); {
		case err != nil:
			return nil, Misuse("table %s: the key column %s: %w", t.Name, c.Name, err)
		case null:
			return nil, Misuse("table %s: the key column %s wants %s, got NULL", t.Name, c.Name, c.Type)
		}
	}
	return args, nil
}

// counted returns a number with what there are so many of, for messages.
func counted(n int, one, several string) string {
	if n == 1 {
		return "1 " + one
	}
	return strconv.Itoa(n) + " " + several
}

// isKey reports whether the values have the types of their fields and cannot be NULL.
func (t *Table) isKey(values []any) bool {
	for i, c := range t.Key {
		if !c.Plain || reflect.TypeOf(values[i]) != c.Type {
			return false
		}
	}
	return true
}

// assignKey sets field to v if v has its type or is an integer that fits. Different
// named types do not mix: the id of one kind of row is not that of another.
func assignKey(field, v reflect.Value) bool {
	if !v.IsValid() {
		return false
	}
	if v.Type() == field.Type() {
		field.Set(v)
		return true
	}
	if v.Type().PkgPath() != "" && field.Type().PkgPath() != "" {
		return false
	}
	var signed int64
	var unsigned uint64
	switch {
	case v.CanInt():
		signed, unsigned = v.Int(), uint64(v.Int())
	case isUint(v):
		signed, unsigned = int64(v.Uint()), v.Uint()
	default:
		return false
	}
	// Between int64 and uint64 a value is lost if the sign bit is set.
	lost := signed < 0
	switch {
	case field.CanInt():
		if lost && isUint(v) || field.OverflowInt(signed) {
			return false
		}
		field.SetInt(signed)
	case isUint(field):
		if lost && v.CanInt() || field.OverflowUint(unsigned) {
			return false
		}
		field.SetUint(unsigned)
	default:
		return false
	}
	return true
}

func isUint(v reflect.Value) bool { return v.CanUint() && v.Kind() != reflect.Uintptr }
