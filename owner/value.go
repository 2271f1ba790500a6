package owner

import (
	"database/sql"
	"database/sql/driver"
	"reflect"
	"time"
	"unsafe"

	"github.com/jackc/pgx/v5/pgtype"

	"github.com/rowkeeper/rowkeeper/owner/internal/pgvalue"
)

// inspect stores properties of the column's type, so that statements need not examine
// each value.
func (c *column) inspect() {
	t := c.typ
	c.takesNull = scansNull(t)
	if t.Implements(pgvalue.Valuer) {
		c.nullable = zeroIsNull(t)
		return
	}
	c.viaPointer = reflect.PointerTo(t).Implements(pgvalue.Valuer)
	switch k := t.Kind(); {
	case c.viaPointer:
		c.nullable = zeroIsNull(t)
	case t == reflect.TypeFor[time.Time](),
		k >= reflect.Bool && k <= reflect.Float64, k == reflect.String,
		k == reflect.Array && t.Elem().Kind() == reflect.Uint8:
		c.plain = !t.Implements(reflect.TypeFor[interface{ IsNull() bool }]()) && !t.Implements(reflect.TypeFor[pgtype.ArrayGetter]())
		c.nullable = !c.plain
	default:
		c.nullable = zeroIsNull(t)
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

// pointer returns the address of the column's field in a row.
func (c *column) pointer(row unsafe.Pointer) reflect.Value {
	return reflect.NewAt(c.typ, unsafe.Add(row, c.offset))
}

// fields appends the addresses of a row's columns, to scan into.
func (t *table) fields(to []any, row unsafe.Pointer) []any {
	for _, c := range t.readable {
		to = append(to, c.pointer(row).Interface())
	}
	return to
}

// argument returns the argument to pass to pgx for v. If only *V has the Value
// method, pgx would not find it on a V.
func argument[V any](v V) any {
	if _, ok := any(v).(driver.Valuer); ok {
		return v
	}
	if p, ok := any(&v).(driver.Valuer); ok {
		return p
	}
	return v
}

// isText reports whether a column of type t can be matched by LIKE.
func isText(t reflect.Type) bool {
	return pgvalue.Elem(t).Kind() == reflect.String || t.Implements(reflect.TypeFor[pgtype.TextValuer]())
}

// isNumeric reports whether values of type t can be added.
func isNumeric(t reflect.Type) bool {
	return isInteger(pgvalue.Elem(t)) || pgvalue.Elem(t).Kind() == reflect.Float32 || pgvalue.Elem(t).Kind() == reflect.Float64 ||
		t.Implements(reflect.TypeFor[pgtype.Int64Valuer]()) ||
		t.Implements(reflect.TypeFor[pgtype.Float64Valuer]()) ||
		t.Implements(reflect.TypeFor[pgtype.NumericValuer]())
}

func isInteger(t reflect.Type) bool { return t.Kind() >= reflect.Int && t.Kind() <= reflect.Uint64 }
