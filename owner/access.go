package owner

import (
	"context"
	"fmt"
	"reflect"
	"sync"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"

	"github.com/rowkeeper/rowkeeper/owner/internal/access"
	"github.com/rowkeeper/rowkeeper/owner/internal/pgvalue"
)

func init() { access.Owner = accessor{} }

// accessor gives packages schema, rawsql and across access to internals. They do not
// have the type arguments, so it returns the untyped parts of values.
type accessor struct{}

func (s Scope[O]) identified() identity      { return s.id }
func (s Select[R, O]) untypedQuery() query   { return s.q }
func (c *ColumnOf[R, V]) fill(with *column)  { c.col = with }
func (r *Reference[C, P]) fill(w *reference) { r.ref = w }
func (c *cond) become(other cond)            { *c = other }

func (accessor) Values(scope any) (values, args []any) {
	id := scope.(interface{ identified() identity }).identified()
	return id.value[:id.n], id.arg[:id.n]
}

func (accessor) Levels(owner any) int {
	if _, ok := owner.(member); ok {
		return 2
	}
	return 1
}

func (accessor) Fill(into, table any, at int) {
	def, _ := table.(AnyTable).declaration()
	switch into := into.(type) {
	case interface{ fill(*column) }:
		into.fill(def.columns[at])
	case interface{ fill(*reference) }:
		into.fill(def.references[at])
	}
}

func (accessor) Fragment(condition any, f access.Fragment, err error) {
	condition.(interface{ become(cond) }).become(cond{node: fragment{f}, err: err})
}

func (accessor) Aggregate(ctx context.Context, db, rows, table any, column int, function string) (any, error) {
	q := untypedQuery(rows)
	def, _ := table.(AnyTable).declaration()
	c := def.columns[column]
	dest := reflect.New(reflect.PointerTo(c.typ))
	if function == "avg" {
		dest = reflect.ValueOf(new(*float64))
	}
	err := q.scalar(ctx, db.(DB), function+"("+c.quoted+")", dest.Interface())
	return dest.Elem().Interface(), err
}

func (accessor) Cursor(cursors, rows, row any) (string, error) {
	q := untypedQuery(rows)
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

func untypedQuery(rows any) query {
	return rows.(interface{ untypedQuery() query }).untypedQuery()
}

// typeMaps holds maps of the types that pgx knows by default. A pgtype.Map caches
// plans, so only one goroutine at a time may use it.
var typeMaps = sync.Pool{New: func() any { return pgtype.NewMap() }}

// written returns a value in the text format of pgx.
func written(field reflect.Value) (*string, error) {
	types := typeMaps.Get().(*pgtype.Map)
	defer typeMaps.Put(types)
	t, ok := types.TypeForValue(field.Interface())
	if !ok {
		text := fmt.Sprint(field.Interface())
		return &text, nil
	}
	b, err := types.Encode(t.OID, pgx.TextFormatCode, pgvalue.Argument(field), nil)
	if b == nil || err != nil {
		return nil, err
	}
	text := string(b)
	return &text, nil
}

// fragment is the application's SQL text, whose parentheses were checked to be
// balanced.
type fragment struct{ access.Fragment }

func (n fragment) write(s *statement) {
	numbers := make([]int, len(n.Args))
	s.text("(")
	for i, piece := range n.Pieces {
		if i > 0 {
			switch arg := n.Uses[i-1]; numbers[arg] {
			case 0:
				s.param(n.Args[arg])
				numbers[arg] = len(s.args)
			default:
				s.ref(numbers[arg])
			}
		}
		s.text(piece)
	}
	s.text(")")
}
