package owner

import (
	"context"
	"fmt"
	"reflect"

	"github.com/jackc/pgx/v5"

	"github.com/rowkeeper/rowkeeper/owner/internal/bridge"
)

// What package ownertest needs of a Table, a Scope, a Select and so on without
// knowing their types.
type (
	definer    interface{ definition() *table }
	identified interface{ identified() identity }
	querier    interface{ untypedQuery() query }
)

func (t *Table[R, O]) definition() *table {
	if t == nil {
		return nil
	}
	return t.def
}

func (s Scope[O]) identified() identity { return s.id }

func (s Select[R, O]) untypedQuery() query { return s.q }

func (c *Condition[R]) fill(with cond)        { c.cond = with }
func (o *Order[R]) fill(with order)           { o.order = with }
func (a *Assignment[R]) fill(with assignment) { a.assignment = with }
func (k *Key[R]) fill(with *unique)           { k.u = with }

func fill[T any](into any, with T) { into.(interface{ fill(T) }).fill(with) }

func init() {
	bridge.Describe = func(t any) *bridge.Table { return describe(t.(definer).definition(), map[*table]*bridge.Table{}) }
	bridge.Owner = func(scope any) (values, args []any) {
		id := scope.(identified).identified()
		return id.value[:id.n], id.arg[:id.n]
	}
	bridge.Equal = func(into, t any, column int, value reflect.Value) {
		c := columnOf(t, column)
		arg := valueArgument(value)
		if null, err := isNull(arg); null || err != nil {
			fill(into, cond{node: nullness{c, " is null"}, err: err})
			return
		}
		fill(into, cond{col: c, op: " = ", arg: arg})
	}
	bridge.Points = func(into, t any, reference int) {
		fill(into, cond{node: &exists{ref: t.(definer).definition().references[reference], toward: true}})
	}
	bridge.Order = func(into, t any, column int) { fill(into, order{col: columnOf(t, column)}) }
	bridge.Assign = func(into, t any, column int, value reflect.Value) {
		fill(into, assignment{col: columnOf(t, column), arg: valueArgument(value)})
	}
	bridge.Key = func(into, t any, unique int) { fill(into, t.(definer).definition().uniques[unique]) }
	bridge.Aggregate = func(ctx context.Context, db, rows, t any, column int, function string) (any, error) {
		q, c := rows.(querier).untypedQuery(), columnOf(t, column)
		dest := reflect.New(reflect.PointerTo(c.typ))
		if function == "avg" {
			dest = reflect.ValueOf(new(*float64))
		}
		err := q.scalar(ctx, db.(DB), function+"("+c.quoted+")", dest.Interface())
		return dest.Elem().Interface(), err
	}
	bridge.Cursor = func(cursors, rows, row any) (string, error) {
		q := rows.(querier).untypedQuery()
		if err := q.total(); err != nil {
			return "", err
		}
		c := cursors.(*Cursors)
		seal, err := c.seal(&q)
		if err != nil {
			return "", err
		}
		at := make(position, len(q.order))
		for i, o := range q.order {
			if at[i], err = written(o.col.pointer(reflect.ValueOf(row).UnsafePointer()).Elem()); err != nil {
				return "", err
			}
		}
		return c.make(seal, at), nil
	}
}

// written is a value as pgx writes it as text.
func written(field reflect.Value) (*string, error) {
	t, ok := types.TypeForValue(field.Interface())
	if !ok {
		text := fmt.Sprint(field.Interface())
		return &text, nil
	}
	b, err := types.Encode(t.OID, pgx.TextFormatCode, fieldArgument(field), nil)
	if b == nil || err != nil {
		return nil, err
	}
	text := string(b)
	return &text, nil
}

func columnOf(t any, at int) *column { return t.(definer).definition().columns[at] }

func valueArgument(v reflect.Value) any {
	field := reflect.New(v.Type()).Elem()
	field.Set(v)
	return fieldArgument(field)
}

// describe keeps what it has described, since tables can refer to each other.
func describe(t *table, done map[*table]*bridge.Table) *bridge.Table {
	if t == nil || done[t] != nil {
		return done[t]
	}
	out := &bridge.Table{ID: t, Name: t.name, Quoted: t.quoted, Shared: t.shared}
	done[t] = out
	out.Through = describe(t.through, done)
	at := map[*column]*bridge.Column{}
	for i, c := range t.columns {
		at[c] = &bridge.Column{
			At: i, Name: c.name, Quoted: c.quoted, JSON: c.json, Index: c.index, Type: c.typ,
			Readable: !c.hidden, Writable: !c.hidden && !c.server && !c.fixed(), Fixed: c.fixed(), Optional: c.optional(), Numeric: isNumeric(c.typ),
		}
		out.Columns = append(out.Columns, at[c])
	}
	described := func(columns []*column) (out []*bridge.Column) {
		for _, c := range columns {
			out = append(out, at[c])
		}
		return out
	}
	out.Owners, out.Key, out.Parent = described(t.owners), described(t.key), described(t.parent)
	if t.version != nil {
		out.Version = at[t.version]
	}
	for _, r := range t.references {
		out.References = append(out.References, bridge.Reference{Parent: describe(r.parent, done), From: described(r.from)})
	}
	for _, u := range t.uniques {
		out.Uniques = append(out.Uniques, described(u.target))
	}
	return out
}
