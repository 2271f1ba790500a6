package main

import (
	"cmp"
	"fmt"
	"math"
	"reflect"
	"strings"
)

// truth is SQL's: a comparison with NULL is neither true nor false.
type truth int8

const (
	no truth = iota
	unknown
	yes
)

func truthOf(b bool) truth {
	if b {
		return yes
	}
	return no
}

func (t truth) not() truth { return yes - t }

// value converts a field to the value that the oracle compares: nil, int64,
// float64, string or bool.
func value(v any) any {
	rv := reflect.ValueOf(v)
	if rv.Kind() == reflect.Pointer {
		if rv.IsNil() {
			return nil
		}
		rv = rv.Elem()
	}
	switch {
	case rv.CanInt():
		return rv.Int()
	case rv.CanFloat():
		return rv.Float()
	case rv.Kind() == reflect.String:
		return rv.String()
	case rv.Kind() == reflect.Bool:
		return rv.Bool()
	}
	panic(fmt.Sprintf("a field of type %T", v))
}

// compare orders two values as the engine does. NaN equals itself; it is the
// greatest number for PostgreSQL, and the least for CockroachDB.
func compare(a, b any, cockroach bool) int {
	switch a := a.(type) {
	case int64:
		return cmp.Compare(a, b.(int64))
	case string:
		return strings.Compare(a, b.(string))
	case bool:
		return cmp.Compare(truthOf(a), truthOf(b.(bool)))
	case float64:
		b := b.(float64)
		if !cockroach && math.IsNaN(a) != math.IsNaN(b) {
			return cmp.Compare(truthOf(math.IsNaN(a)), truthOf(math.IsNaN(b)))
		}
		return cmp.Compare(a, b)
	}
	panic(fmt.Sprintf("a value of type %T", a))
}

// order compares for ORDER BY, where NULL is the greatest value.
func order(a, b any, cockroach bool) int {
	if a == nil || b == nil {
		return cmp.Compare(truthOf(a == nil), truthOf(b == nil))
	}
	return compare(a, b, cockroach)
}

func equal(a, b any) bool { return a != nil && b != nil && compare(a, b, false) == 0 }
