package owner

import (
	"cmp"
	"reflect"
	"unsafe"

	"github.com/rowkeeper/rowkeeper/owner/internal/core"
)

// A ColumnOf is a column of the rows R that holds values of type V. It makes the
// conditions, orders and assignments of statements. Make one with [Column], once, as
// a package variable. A column of another row type, or a value of another type than
// V, does not compile.
//
// Comparisons follow SQL: a column that is NULL is neither equal nor unequal to
// anything, so [ColumnOf.Ne] and [ColumnOf.NotIn] do not find it. A comparison with a
// value that is NULL, such as a nil pointer, would never be true and is an error of
// the statement; use [ColumnOf.IsNull].
type ColumnOf[R, V any] struct {
	_   [0]func(R, V) // prevents conversion between instantiations
	col *core.Column
}

// Column returns the column of a table for a field:
//
//	var Name = owner.Column(Accounts, func(a *Account) *string { return &a.Name })
//
// It panics unless the function returns the address of a field of its argument that
// is a column.
func Column[R, V any](of Declared[R], field func(row *R) *V) ColumnOf[R, V] {
	t := defined(of)
	if t == nil {
		panic(core.Misuse("Column of a table that was not made by MustTable"))
	}
	row := new(R)
	p := field(row)
	if p == nil {
		panic(core.Misuse("table %s: the function given to Column returned nil", t.Name))
	}
	if c := t.ColumnAt(unsafe.Pointer(row), p); c != nil {
		return ColumnOf[R, V]{col: c}
	}
	panic(core.Misuse("table %s: the function given to Column must return the address of a field of its %s that has a db tag; it returned another %s",
		t.Name, reflect.TypeFor[R](), reflect.TypeFor[V]()))
}

// AnyColumn is a column of the rows R with values of any type. Only [ColumnOf]
// implements it.
type AnyColumn[R any] interface {
	column(R) *core.Column
}

func (c ColumnOf[R, V]) column(R) *core.Column { return c.col }

// Eq is true if the column equals v.
func (c ColumnOf[R, V]) Eq(v V) Condition[R] { return c.compare(" = ", v) }

// Ne is true if the column is neither v nor NULL.
func (c ColumnOf[R, V]) Ne(v V) Condition[R] { return c.compare(" <> ", v) }

// Lt is true if the column is less than v.
func (c ColumnOf[R, V]) Lt(v V) Condition[R] { return c.compare(" < ", v) }

// Le is true if the column is less than or equal to v.
func (c ColumnOf[R, V]) Le(v V) Condition[R] { return c.compare(" <= ", v) }

// Gt is true if the column is greater than v.
func (c ColumnOf[R, V]) Gt(v V) Condition[R] { return c.compare(" > ", v) }

// Ge is true if the column is greater than or equal to v.
func (c ColumnOf[R, V]) Ge(v V) Condition[R] { return c.compare(" >= ", v) }

// In is true if the column equals one of the values. Without values it is false.
func (c ColumnOf[R, V]) In(values ...V) Condition[R] {
	if c.col != nil && len(values) == 0 {
		return Or[R]()
	}
	return c.among(" in (", values)
}

// NotIn is true if the column is not NULL and equals none of the values. Without
// values it is an error of the statement: a list that is empty by mistake would match
// every row.
func (c ColumnOf[R, V]) NotIn(values ...V) Condition[R] {
	if c.col != nil && len(values) == 0 {
		return failing[R](core.Misuse("column %s: NotIn needs at least one value", c.col))
	}
	return c.among(" not in (", values)
}

// IsNull is true if the column is NULL.
func (c ColumnOf[R, V]) IsNull() Condition[R] { return c.null(" is null") }

// IsNotNull is true if the column is not NULL.
func (c ColumnOf[R, V]) IsNotNull() Condition[R] { return c.null(" is not null") }

// Contains is true if the column contains the text. The match is case-sensitive, and
// the wildcards of LIKE stand for themselves. The type of the column must be a kind
// of string, a pointer to one, or pgtype.Text.
func (c ColumnOf[R, V]) Contains(text string) Condition[R] { return c.like("%", text, "%") }

// HasPrefix is true if the column begins with the text; see [ColumnOf.Contains].
func (c ColumnOf[R, V]) HasPrefix(text string) Condition[R] { return c.like("", text, "%") }

// HasSuffix is true if the column ends with the text; see [ColumnOf.Contains].
func (c ColumnOf[R, V]) HasSuffix(text string) Condition[R] { return c.like("%", text, "") }

// Asc sorts by the column in ascending order. NULL counts as greater than all values
// on every engine, so it comes last. If V can hold NULL, a plain index on the column
// does not serve the order.
func (c ColumnOf[R, V]) Asc() Order[R] { return Order[R]{untyped: core.Order{Column: c.col}} }

// Desc sorts by the column in descending order, so NULL comes first; see
// [ColumnOf.Asc].
func (c ColumnOf[R, V]) Desc() Order[R] {
	return Order[R]{untyped: core.Order{Column: c.col, Desc: true}}
}

// Set assigns v, which may be NULL.
func (c ColumnOf[R, V]) Set(v V) Assignment[R] {
	return Assignment[R]{untyped: core.Assignment{Column: c.col, Arg: argument(v)}}
}

// Add adds delta to the current value of the column, so two concurrent updates both
// count, at any isolation level. The column must be numeric: a kind of integer or
// float, or a numeric type of pgtype. NULL stays NULL.
func (c ColumnOf[R, V]) Add(delta V) Assignment[R] {
	if c.col == nil {
		return Assignment[R]{}
	}
	arg, err := c.argument(delta)
	return Assignment[R]{untyped: core.Add(c.col, arg, err)}
}

// argument refuses NULL.
func (c ColumnOf[R, V]) argument(v V) (any, error) {
	if c.col.Plain {
		return v, nil
	}
	return c.col.Comparable(argument(v))
}

func (c ColumnOf[R, V]) compare(op string, v V) Condition[R] {
	if c.col == nil {
		return failing[R](core.ErrNoColumn)
	}
	arg, err := c.argument(v)
	return Condition[R]{untyped: core.Compare(c.col, op, arg, err)}
}

func (c ColumnOf[R, V]) among(op string, values []V) Condition[R] {
	if c.col == nil {
		return failing[R](core.ErrNoColumn)
	}
	args := make([]any, len(values))
	var err error
	for i, v := range values {
		var e error
		args[i], e = c.argument(v)
		err = cmp.Or(err, e)
	}
	return Condition[R]{untyped: core.Among(c.col, op, args, err)}
}

func (c ColumnOf[R, V]) null(op string) Condition[R] {
	if c.col == nil {
		return failing[R](core.ErrNoColumn)
	}
	return Condition[R]{untyped: core.Null(c.col, op)}
}

func (c ColumnOf[R, V]) like(before, text, after string) Condition[R] {
	if c.col == nil {
		return failing[R](core.ErrNoColumn)
	}
	return Condition[R]{untyped: core.Like(c.col, before, text, after)}
}
