package owner

import (
	"reflect"
	"slices"
	"unsafe"

	"github.com/rowkeeper/rowkeeper/owner/internal/core"
)

// A TableOption is a part of the declaration of a table with rows R: [Unique],
// [References], or the address of a [Forward]. A nil option, and one that does not fit
// the table, is an error of the declaration.
type TableOption[R any] interface {
	declare(R, *core.Declaration)
}

type tableOption[R any] func(*core.Declaration)

func (o tableOption[R]) declare(_ R, d *core.Declaration) { o(d) }

// apply applies the options to a table whose columns are known.
func apply[R any](d *core.Declaration, options []TableOption[R]) {
	var row R
	for _, o := range options {
		if o == nil {
			d.Problem("an option is nil")
			continue
		}
		o.declare(row, d)
	}
}

// columnsAt returns the columns of the fields whose addresses the functions return,
// or nil if something is wrong with them.
func columnsAt[R any](d *core.Declaration, option string, fields []func(row *R) any) []*core.Column {
	if len(fields) == 0 {
		d.Problem("%s: at least one field is needed", option)
		return nil
	}
	row := new(R)
	var out []*core.Column
	for _, field := range fields {
		if field == nil {
			d.Problem("%s: a function is nil", option)
			return nil
		}
		p := field(row)
		c := d.Table.ColumnAt(unsafe.Pointer(row), p)
		switch {
		case c == nil:
			d.Problem("%s: the function must return the address of a field of its %s that has a db tag; it returned another %T",
				option, reflect.TypeFor[R](), p)
			return nil
		case slices.Contains(out, c):
			d.Problem("%s: column %s comes twice", option, c)
			return nil
		}
		out = append(out, c)
	}
	return out
}
