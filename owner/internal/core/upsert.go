package core

import (
	"context"
	"slices"
	"strings"
	"unsafe"

	"github.com/rowkeeper/rowkeeper/owner/internal/pgvalue"
)

// Upsert inserts the row as the owner's, or updates the owner's row that has the same
// values in the columns, and fills it with what the database stored.
func (t *Table) Upsert(ctx context.Context, db DB, id Identity, row unsafe.Pointer, key []*Column) error {
	if err := check(t, id, db); err != nil {
		return err
	}
	if row == nil {
		return Misuse("table %s: the row to upsert is nil", t.Name)
	}
	u, err := t.uniqueOf(key)
	if err != nil {
		return err
	}
	if err := u.takes(row); err != nil {
		return err
	}
	st := newStatement(id)
	refs, err := t.inserting(st, id, row)
	if err != nil {
		return err
	}
	t.onConflict(st, u, row)
	st.text(" returning ", t.list)
	ok, err := st.stored(ctx, db, "upsert into", t, row)
	if err != nil || ok {
		return err
	}
	if len(refs) > 0 {
		if err := t.missingReference(ctx, db, id, refs); err != nil {
			return err
		}
	}
	return t.NotFound()
}

// uniqueOf returns the declared key of these columns.
func (t *Table) uniqueOf(columns []*Column) (*Unique, error) {
	of, err := tableOf("Upsert", columns)
	switch {
	case err != nil:
		return nil, err
	case of != t:
		return nil, Misuse("column %s: it is of another declaration of the table", columns[0])
	}
	u := t.uniqueBy(columns)
	if u == nil {
		return nil, Misuse("table %s: its declaration has no Unique of the columns %s", t.Name, list("", columns))
	}
	return u, nil
}

// takes refuses a row whose key can be in conflict with no other.
func (u *Unique) takes(row unsafe.Pointer) error {
	for _, c := range u.Columns {
		if c.Owner || c.Tenant {
			continue // the owner in scope
		}
		p := c.Pointer(row).Elem()
		if null, err := pgvalue.IsNull(pgvalue.Argument(p)); err != nil || null {
			return Misuse("column %s: it is NULL, which is in conflict with nothing", c)
		}
		if c.Optional() && p.IsZero() {
			return Misuse("column %s: it is zero, so the database would fill it; Insert the row", c)
		}
	}
	return nil
}

func (t *Table) onConflict(st *Statement, u *Unique, row unsafe.Pointer) {
	st.text(" on conflict (", list("", u.Columns), ") do update set ")
	var set []string
	for _, c := range t.Columns {
		switch {
		case c.Version:
			set = append(set, c.Quoted+" = "+t.Ref+c.Quoted+" + 1")
		case c.Fixed() || slices.Contains(u.Columns, c) || (c.Optional() || c.Hidden) && c.Pointer(row).Elem().IsZero():
		default:
			set = append(set, c.Quoted+" = excluded."+c.Quoted)
		}
	}
	if set == nil { // an empty update would return nothing
		c := u.Columns[0]
		set = append(set, c.Quoted+" = "+t.Ref+c.Quoted)
	}
	st.text(strings.Join(set, ", "), " where ", t.ownedBy(t.Ref, 1), t.held(t.Ref, 1, ""))
	for _, c := range t.Parent {
		if !slices.Contains(u.Columns, c) {
			st.text(" and ", t.Ref, c.Quoted, " = excluded.", c.Quoted)
		}
	}
}
