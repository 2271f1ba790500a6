package ownertest

import (
	"context"
	"maps"
	"reflect"
	"slices"
	"unsafe"

	"github.com/jackc/pgx/v5"

	"github.com/rowkeeper/rowkeeper/owner"
	"github.com/rowkeeper/rowkeeper/owner/internal/access"
	"github.com/rowkeeper/rowkeeper/owner/internal/core"
)

// selects returns the probes that any select supports.
func selects[R any, O comparable](s owner.Select[R, O]) []probe {
	w, err := owner.NewCursors([]byte("for tests only: pages of ownertest"))
	return []probe{
		read("All", func(ctx context.Context, tx pgx.Tx) (any, error) { return s.All(ctx, tx) }),
		count("Count", func(ctx context.Context, tx pgx.Tx) (any, error) { return s.Count(ctx, tx) }),
		count("Exists", func(ctx context.Context, tx pgx.Tx) (any, error) { return s.Exists(ctx, tx) }),
		read("Rows", func(ctx context.Context, tx pgx.Tx) (any, error) {
			out := []R{}
			for row, err := range s.Rows(ctx, tx) {
				if err != nil {
					return nil, err
				}
				out = append(out, row)
			}
			return out, nil
		}),
		read("Page", func(ctx context.Context, tx pgx.Tx) (any, error) {
			if err != nil {
				return nil, err
			}
			page, err := s.Page(ctx, tx, w, "", owner.MaxRows)
			return page.Rows, err
		}),
	}
}

// everything returns the reads without a key.
func (t target[R, O]) everything() []probe {
	out := selects(t.in.Select)
	out = append(out, t.control())
	for _, c := range t.def.Columns {
		out = append(out, read("OrderBy "+c.Name, func(ctx context.Context, tx pgx.Tx) (any, error) {
			row, err := t.in.OrderBy(t.column(c).Asc()).Limit(1).One(ctx, tx)
			return value(&row, c).Interface(), err
		}))
		functions := []string{"min", "max", "count"}
		if core.IsNumeric(c.Type) && c.Type.Kind() != reflect.Float32 && c.Type.Kind() != reflect.Float64 { // the sum of floats depends on the order
			functions = append(functions, "sum", "avg")
		}
		for _, f := range functions {
			if f == "count" && c.Type.Kind() != reflect.Int64 { // count needs an int64
				continue
			}
			out = append(out, count(f+" of "+c.Name, func(ctx context.Context, tx pgx.Tx) (any, error) {
				return t.aggregate(ctx, tx, c, f)
			}))
		}
	}
	for _, r := range t.def.References {
		var points owner.Reference[R, any]
		access.Owner.Set(&points, r)
		out = append(out, count("Count of rows with a row of "+r.Parent.Name, func(ctx context.Context, tx pgx.Tx) (any, error) {
			return t.in.Where(points.To()).Count(ctx, tx)
		}))
	}
	return out
}

// aggregate returns the aggregate function of a column over the owner's rows.
func (t target[R, O]) aggregate(ctx context.Context, tx pgx.Tx, c *core.Column, function string) (any, error) {
	result := reflect.New(reflect.PointerTo(c.Type))
	if function == "avg" {
		result = reflect.ValueOf(new(*float64))
	}
	q := access.Owner.Query(t.in.Select)
	err := q.Scalar(ctx, tx, function+"("+c.Quoted+")", result.Interface())
	return result.Elem().Interface(), err
}

// control reads a row of one's own: if that fails, the other probes prove nothing.
func (t target[R, O]) control() probe {
	p := read("Get by a key of one's own", func(ctx context.Context, tx pgx.Tx) (any, error) { return t.in.Get(ctx, tx, t.key(&t.own)...) })
	p.own = "Get by its key"
	return p
}

// reads returns the probes that ask for the row.
func (t target[R, O]) reads() []probe {
	key := t.key(&t.row)
	out := []probe{
		read("Get by its key", func(ctx context.Context, tx pgx.Tx) (any, error) { return t.in.Get(ctx, tx, key...) }),
		t.cursor(),
	}
	conditions := t.conditions()
	for _, name := range slices.Sorted(maps.Keys(conditions)) {
		rows := t.in.Where(conditions[name])
		for _, p := range selects(rows) {
			p.name += " where " + name
			out = append(out, p)
		}
		out = append(out, read("ForUpdate where "+name, func(ctx context.Context, tx pgx.Tx) (any, error) {
			return rows.ForUpdate().All(ctx, tx)
		}))
	}
	for _, c := range t.def.Columns {
		rows := t.in.Where(t.equal(c, &t.row))
		out = append(out,
			count("Exists where its "+c.Name, func(ctx context.Context, tx pgx.Tx) (any, error) { return rows.Exists(ctx, tx) }),
			read("One where its "+c.Name, func(ctx context.Context, tx pgx.Tx) (any, error) { return rows.One(ctx, tx) }))
	}
	return out
}

// cursor uses a cursor that was made for the stranger.
func (t target[R, O]) cursor() probe {
	q := access.Owner.Query(t.table.In(t.world.stranger).Select)
	cursor, err := t.world.seal.After(&q, unsafe.Pointer(&t.row))
	p := read("Page behind its cursor", func(ctx context.Context, tx pgx.Tx) (any, error) {
		page, err := t.in.Page(ctx, tx, t.world.cursors, cursor, owner.MaxRows)
		return page.Rows, err
	})
	p.refused = err == nil // otherwise this table has no cursors
	return p
}
