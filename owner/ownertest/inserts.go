package ownertest

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/rowkeeper/rowkeeper/owner"
	"github.com/rowkeeper/rowkeeper/owner/internal/core"
)

// fresh returns a copy of a row for an insert: without its owner and, if withoutKey,
// without the parts of its key that the database can fill.
func (t target[R, O]) fresh(row *R, withoutKey bool) R {
	out := *row
	for _, c := range t.def.Owners {
		value(&out, c).SetZero()
	}
	if withoutKey {
		for _, c := range t.def.Key {
			if c.Optional() {
				value(&out, c).SetZero()
			}
		}
	}
	return out
}

// inserts returns inserts of rows that resemble the stranger's.
func (t target[R, O]) inserts() []probe {
	var out []probe
	add := func(refused bool, probes []probe) {
		for _, p := range probes {
			p.refused = refused
			out = append(out, p)
		}
	}
	child := t.def.Through != nil // a child of a row of the stranger
	add(child, t.insertions(t.fresh(&t.row, false), "with its key"))
	add(child, t.insertions(t.fresh(&t.row, true), "with its values"))
	renewed := t.fresh(&t.row, false)
	for i, c := range t.def.Key {
		if !points(t.def, c) {
			fill(value(&renewed, c), i+90, true)
		}
	}
	add(child, t.insertions(renewed, "with its values and a new key"))
	if len(t.def.Owners) > 0 {
		add(true, t.insertions(t.row, "with its owner"))
		named := t.own
		for _, c := range t.def.Owners {
			value(&named, c).Set(value(&t.row, c))
		}
		add(true, t.insertions(named, "with my values and its owner"))
	}
	return out
}

// insertions insert the row in all ways. They return nothing, because the values that
// the database fills in differ each time.
func (t target[R, O]) insertions(row R, what string) []probe {
	out := []probe{
		write("Insert "+what, func(ctx context.Context, tx pgx.Tx) error {
			row := row
			return t.in.Insert(ctx, tx, &row)
		}),
		write("InsertMany "+what, func(ctx context.Context, tx pgx.Tx) error { return t.in.InsertMany(ctx, tx, []R{row}) }),
		write("QueueInsert "+what, func(ctx context.Context, tx pgx.Tx) error {
			row := row
			return queued(ctx, tx, func(q owner.Queue) error { return t.in.QueueInsert(q, &row) })
		}),
	}
	for _, unique := range t.def.Uniques {
		var key []owner.AnyColumn[R]
		for _, c := range unique.Declared {
			key = append(key, t.column(c))
		}
		if slices.ContainsFunc(unique.Columns, func(c *core.Column) bool { return c.Optional() && !isOwner(t.def, c) && value(&row, c).IsZero() }) {
			continue // not for rows whose key the database makes
		}
		p := write("Upsert "+what, func(ctx context.Context, tx pgx.Tx) error {
			row := row
			for _, c := range t.def.Owners { // part of the key, so it must be set
				if slices.Contains(unique.Columns, c) && value(&row, c).IsZero() {
					value(&row, c).Set(value(&t.own, c))
				}
			}
			return t.in.Upsert(ctx, tx, &row, key[0], key[1:]...)
		})
		p.index = t.indexWithoutOwner(unique.Columns)
		out = append(out, p)
	}
	return out
}

// indexWithoutOwner returns the unique index of these columns, if neither the owner
// nor the parent is among them.
func (t target[R, O]) indexWithoutOwner(columns []*core.Column) string {
	for _, c := range slices.Concat(t.def.Owners, t.def.Parent) {
		if slices.Contains(columns, c) {
			return ""
		}
	}
	for _, i := range t.world.unique[t.def] {
		if len(i.columns) == len(columns) && !slices.ContainsFunc(columns, func(c *core.Column) bool { return !slices.Contains(i.columns, c.Name) }) {
			return i.name
		}
	}
	return ""
}

// points reports whether the column is part of a foreign key.
func points(def *core.Table, c *core.Column) bool {
	return slices.Contains(def.Parent, c) || slices.ContainsFunc(def.References, func(r *core.Reference) bool { return slices.Contains(r.From, c) })
}

func isOwner(def *core.Table, c *core.Column) bool { return slices.Contains(def.Owners, c) }

// queue is an owner.Queue that sends at once.
type queue struct {
	ctx context.Context
	tx  pgx.Tx
	err error
}

func queued(ctx context.Context, tx pgx.Tx, put func(owner.Queue) error) error {
	q := &queue{ctx: ctx, tx: tx}
	return errors.Join(put(q), q.err)
}

func (q *queue) Queue(sql string, args ...any) { q.QueueExpect(-1, sql, args...) }

func (q *queue) QueueExpect(rows int64, sql string, args ...any) {
	tag, err := q.tx.Exec(q.ctx, sql, args...)
	if n := tag.RowsAffected(); err == nil && rows >= 0 && n != rows {
		err = fmt.Errorf("%w: the statement changed %d rows, not %d", errCount, n, rows)
	}
	q.err = errors.Join(q.err, err)
}

var errCount = errors.New("another number of rows than expected")

// make is the default seed.
func (w *world[O]) make(ctx context.Context, tx pgx.Tx, who owner.Scope[O]) error {
	for _, s := range w.subjects {
		if s.def == nil {
			continue
		}
		for range 2 {
			err := s.insert(ctx, tx, w, who)
			var pe *pgconn.PgError
			if errors.As(err, &pe) && pe.Code == "428C9" {
				return fmt.Errorf("%s: the database always fills a column that an insert sends: tag it default: %w", s.name, err)
			}
			if err != nil {
				return fmt.Errorf("%s: a row made by the types of its fields is refused, so make the rows yourself with a seed: %w", s.name, err)
			}
		}
	}
	return nil
}

// made inserts a row with a value for each field of a known type. The database fills
// as much of the key as it can; otherwise the whole key is given.
func made[R any, O comparable](ctx context.Context, tx pgx.Tx, w *world[O], t *owner.Table[R, O], def *core.Table, who owner.Scope[O]) error {
	refs := def.References
	if def.Through != nil {
		refs = append([]*core.Reference{{Parent: def.Through, From: def.Parent}}, refs...)
	}
	attempt := func(ctx context.Context, tx pgx.Tx, withKey bool) error {
		row := new(R)
		for _, c := range def.Columns {
			isKey := slices.Contains(def.Key, c)
			if isKey && withKey || !c.Optional() && c != def.Version && !isOwner(def, c) {
				w.count++
				fill(value(row, c), w.count, isKey)
			}
		}
		for _, r := range refs {
			if err := w.point(ctx, tx, row, r, who); err != nil {
				return err
			}
		}
		return t.In(who).Insert(ctx, tx, row)
	}
	var err error
	for _, withKey := range []bool{false, true} {
		err = pgx.BeginFunc(ctx, tx, func(tx pgx.Tx) error { return attempt(ctx, tx, withKey) })
		if err == nil {
			break
		}
	}
	return err
}

// point sets the foreign key of the row to the key of some row of the parent.
func (w *world[O]) point(ctx context.Context, tx pgx.Tx, row any, r *core.Reference, who owner.Scope[O]) error {
	args := values(who)
	sql, where := "select ", " where "
	for i, c := range r.Parent.Key {
		if i > 0 {
			sql += ", "
		}
		sql += "r." + c.Quoted
	}
	if r.Parent.Shared {
		where, args = "", nil
	} else {
		where += owned(r.Parent, "r")
		args = args[:ownersOf(r.Parent)]
	}
	key := make([]any, len(r.Parent.Key))
	for i, c := range r.Parent.Key {
		key[i] = reflect.New(c.Type).Interface()
	}
	err := tx.QueryRow(ctx, sql+" from "+r.Parent.Quoted+" r"+where+" limit 1", args...).Scan(key...)
	if errors.Is(err, pgx.ErrNoRows) {
		return fmt.Errorf("there is no row of %s to point at; list it before, or fill it", r.Parent.Name)
	}
	if err != nil {
		return err
	}
	for i, c := range r.From {
		assign(reflect.ValueOf(row).Elem().FieldByIndex(c.Index), reflect.ValueOf(key[i]).Elem())
	}
	return nil
}
