package ownertest

import (
	"context"
	"reflect"

	"github.com/jackc/pgx/v5"

	"github.com/rowkeeper/rowkeeper/owner"
	"github.com/rowkeeper/rowkeeper/owner/internal/access"
	"github.com/rowkeeper/rowkeeper/owner/internal/core"
	"github.com/rowkeeper/rowkeeper/owner/internal/pgvalue"
)

// target is a row of the stranger's, with the scope that tries to reach it.
type target[R any, O comparable] struct {
	table *owner.Table[R, O]
	def   *core.Table
	in    owner.Scoped[R, O] // in the scope mine
	world *world[O]
	own   R
	row   R
}

func value[R any](row *R, c *core.Column) reflect.Value {
	return reflect.ValueOf(row).Elem().FieldByIndex(c.Index)
}

func (t target[R, O]) key(row *R) []any {
	var key []any
	for _, c := range t.def.Key {
		key = append(key, value(row, c).Interface())
	}
	return key
}

func (t target[R, O]) equal(c *core.Column, row *R) owner.Condition[R] {
	arg := argument(value(row, c))
	if null, err := pgvalue.IsNull(arg); err == nil && null {
		return t.column(c).IsNull()
	}
	return t.column(c).Eq(arg)
}

func (t target[R, O]) column(c *core.Column) owner.ColumnOf[R, any] {
	var out owner.ColumnOf[R, any]
	access.Owner.Set(&out, c)
	return out
}

// argument returns an argument for a column of any type with the value of a field,
// and does not follow later changes of the field.
func argument(field reflect.Value) any {
	copied := reflect.New(field.Type()).Elem()
	copied.Set(field)
	return pgvalue.Argument(copied)
}

func (t target[R, O]) equals(columns []*core.Column, row *R) owner.Condition[R] {
	var all []owner.Condition[R]
	for _, c := range columns {
		all = append(all, t.equal(c, row))
	}
	return owner.And(all...)
}

func (t target[R, O]) set(c *core.Column, to reflect.Value) owner.Assignment[R] {
	return t.column(c).Set(argument(to))
}

// conditions returns conditions that only the stranger's rows meet, or that try to
// reach everything.
func (t target[R, O]) conditions() map[string]owner.Condition[R] {
	out := map[string]owner.Condition[R]{
		"its key":                owner.And(t.keyOrAll()...),
		"its key, or anything":   owner.Or(owner.And(t.keyOrAll()...), owner.And[R]()),
		"all that is not my own": owner.Not(t.equals(t.def.Key, &t.own)),
	}
	if len(t.def.Owners) > 0 {
		out["its owner"] = t.equals(t.def.Owners, &t.row)
	}
	return out
}

// keyOrAll returns the conditions of the key. A table whose only key is the owner has
// none, and one row for each owner.
func (t target[R, O]) keyOrAll() []owner.Condition[R] {
	if len(t.def.Key) == 0 {
		return []owner.Condition[R]{t.equals(t.def.Owners, &t.row)}
	}
	return []owner.Condition[R]{t.equals(t.def.Key, &t.row)}
}

// assignable returns the columns that an update may set.
func (t target[R, O]) assignable() []*core.Column {
	var out []*core.Column
	for _, c := range t.def.Columns {
		if !c.Fixed() {
			out = append(out, c)
		}
	}
	return out
}

func read(name string, run func(ctx context.Context, tx pgx.Tx) (any, error)) probe {
	return probe{name: name, kind: reading, run: run}
}

func count(name string, run func(ctx context.Context, tx pgx.Tx) (any, error)) probe {
	return probe{name: name, kind: counting, run: run}
}

func write(name string, run func(ctx context.Context, tx pgx.Tx) error) probe {
	return probe{name: name, kind: writing, run: func(ctx context.Context, tx pgx.Tx) (any, error) { return nil, run(ctx, tx) }}
}
