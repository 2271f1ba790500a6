package owner

import (
	"fmt"
	"reflect"
	"slices"
	"unsafe"
)

// A TableOption is a part of the declaration of a table with rows R: [Unique],
// [References], or the address of a [Forward]. A nil option, and one that does not fit
// the table, is an error of the declaration.
type TableOption[R any] interface {
	declare(R, *declaration)
}

type tableOption[R any] func(*declaration)

func (o tableOption[R]) declare(_ R, d *declaration) { o(d) }

// declaration is a table that is being declared. Nothing outside the table changes
// before it is known to be right.
type declaration struct {
	table    *table
	problems []string
	awaits   []awaiting
	defines  []*forward
}

func (d *declaration) problem(format string, args ...any) {
	d.problems = append(d.problems, fmt.Sprintf(format, args...))
}

// apply applies the options to a table whose columns are known.
func apply[R any](d *declaration, options []TableOption[R]) {
	var row R
	for _, o := range options {
		if o == nil {
			d.problem("an option is nil")
			continue
		}
		o.declare(row, d)
	}
	for _, f := range d.defines {
		d.checkAwaited(f)
	}
}

// columnsAt returns the columns of the fields whose addresses the functions return,
// or nil if something is wrong with them.
func columnsAt[R any](d *declaration, option string, fields []func(row *R) any) []*column {
	if len(fields) == 0 {
		d.problem("%s: at least one field is needed", option)
		return nil
	}
	row := new(R)
	var out []*column
	for _, field := range fields {
		if field == nil {
			d.problem("%s: a function is nil", option)
			return nil
		}
		p := field(row)
		c := d.table.columnAt(unsafe.Pointer(row), p)
		switch {
		case c == nil:
			d.problem("%s: the function must return the address of a field of its %s that has a db tag; it returned another %T",
				option, reflect.TypeFor[R](), p)
			return nil
		case slices.Contains(out, c):
			d.problem("%s: column %s comes twice", option, c)
			return nil
		}
		out = append(out, c)
	}
	return out
}
