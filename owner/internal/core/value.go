package core

import (
	"database/sql"
	"reflect"
	"time"

	"github.com/jackc/pgx/v5/pgtype"

	"github.com/rowkeeper/rowkeeper/owner/internal/pgvalue"
)

// inspect stores properties of the column's type, so that statements need not examine
// each value.
func (c *Column) inspect() {
	t := c.Type
	c.takesNull = scansNull(t)
	if t.Implements(pgvalue.Valuer) {
		c.Nullable = zeroIsNull(t)
		return
	}
	switch k := t.Kind(); {
	case reflect.PointerTo(t).Implements(pgvalue.Valuer): // only the pointer has a Value method
		c.Nullable = zeroIsNull(t)
	case t == reflect.TypeFor[time.Time](),
		k >= reflect.Bool && k <= reflect.Float64, k == reflect.String,
		k == reflect.Array && t.Elem().Kind() == reflect.Uint8:
		c.Plain = !t.Implements(reflect.TypeFor[interface{ IsNull() bool }]()) && !t.Implements(reflect.TypeFor[pgtype.ArrayGetter]())
		c.Nullable = !c.Plain
	default:
		c.Nullable = zeroIsNull(t)
	}
}

// zeroIsNull reports whether the zero value of t is sent as NULL: such a type can
// also hold a NULL that is read.
func zeroIsNull(t reflect.Type) (null bool) {
	defer func() {
		if recover() != nil { // a Value method that does not expect a zero value
			null = true
		}
	}()
	null, err := pgvalue.IsNull(pgvalue.Argument(reflect.New(t).Elem()))
	return null || err != nil
}

// scansNull reports whether t reads NULL by its own Scan method, as a UUID does,
// whose zero value then stands for NULL.
func scansNull(t reflect.Type) (null bool) {
	defer func() {
		if recover() != nil {
			null = false
		}
	}()
	s, ok := reflect.New(t).Interface().(sql.Scanner)
	return ok && s.Scan(nil) == nil
}

// isText reports whether a column of type t can be matched by LIKE.
func isText(t reflect.Type) bool {
	return pgvalue.Elem(t).Kind() == reflect.String || t.Implements(reflect.TypeFor[pgtype.TextValuer]())
}

// IsNumeric reports whether values of type t can be added.
func IsNumeric(t reflect.Type) bool {
	return isInteger(pgvalue.Elem(t)) || pgvalue.Elem(t).Kind() == reflect.Float32 || pgvalue.Elem(t).Kind() == reflect.Float64 ||
		t.Implements(reflect.TypeFor[pgtype.Int64Valuer]()) ||
		t.Implements(reflect.TypeFor[pgtype.Float64Valuer]()) ||
		t.Implements(reflect.TypeFor[pgtype.NumericValuer]())
}

func isInteger(t reflect.Type) bool { return t.Kind() >= reflect.Int && t.Kind() <= reflect.Uint64 }
