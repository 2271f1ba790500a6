package owner

import (
	"context"
	"slices"
	"strings"
	"unsafe"

	"github.com/rowkeeper/rowkeeper/owner/internal/pgvalue"
)

// A Key says that columns are unique among the rows of one owner, or of one parent
// for tables made by [NewThrough]. Make one with [Unique].
type Key[R any] struct {
	_ [0]func(R)
	u *unique
}

// unique is a unique constraint on the owner's columns and others.
type unique struct {
	target []*column
}

// Unique declares that the owner together with these columns is unique. If they are
// the primary key without the owner, it stands for the primary key.
//
//	var ByName = owner.Unique(Name) // create unique index on accounts (user_id, name)
//
// It panics if the columns are not of one table that can be written.
func Unique[R any](columns ...AnyColumn[R]) Key[R] {
	own, t := columnsOf("Unique", columns)
	if t.shared {
		panic(misuse("table %s: it is shared, and never written", t.name))
	}
	u := new(unique)
	if sameColumns(own, t.key) {
		for _, c := range t.columns {
			if c.pk {
				u.target = append(u.target, c)
			}
		}
	} else {
		u.target = append(slices.Clone(t.owners), t.parent...)
		for _, c := range own {
			if !slices.Contains(u.target, c) {
				u.target = append(u.target, c)
			}
		}
	}
	t.uniques = append(t.uniques, u)
	return Key[R]{u: u}
}

func sameColumns(a, b []*column) bool {
	return len(a) == len(b) && !slices.ContainsFunc(a, func(c *column) bool { return !slices.Contains(b, c) })
}

// Upsert inserts the row as the owner's, as [Scoped.Insert] does. If the owner has a
// row with the same key already, it updates that row instead: all columns that an
// insert would set, except the owner, the primary key, the columns of the given key,
// and hidden columns that are zero, since nothing reads those into a row. It then
// fills the row with what the database stored.
//
// The version is incremented and not compared, whatever the given row holds: the last
// upsert wins. Use [Update.At] to change only the version that was read. A row stays
// with its parent: if the row with the same key has another parent, the error is
// [ErrNotFound].
//
// Upsert never changes a row of another owner. If the key begins with the owner, no
// such row can conflict. If it is a primary key without the owner, a row of another
// owner with the same key gives [ErrNotFound], as it would for an update. The
// difference between a key that is inserted and one that is not reveals that row, as
// for any key that clients choose and that does not include the owner. Conflicts with
// other unique constraints are errors of the database.
func (s Scoped[R, O]) Upsert(ctx context.Context, db DB, row *R, key Key[R]) error {
	t, id := s.q.table, s.q.id
	if err := check(t, id, db); err != nil {
		return err
	}
	switch {
	case row == nil:
		return misuse("table %s: the row to upsert is nil", t.name)
	case key.u == nil:
		return misuse("table %s: the Key was not made by owner.Unique", t.name)
	case key.u.target[0].table != t:
		return misuse("table %s: the Key is of another declaration", t.name)
	}
	for _, c := range key.u.target {
		if c.owner || c.tenant {
			continue // the owner in scope
		}
		p := c.pointer(unsafe.Pointer(row)).Elem()
		if null, err := pgvalue.IsNull(pgvalue.Argument(p)); err != nil || null {
			return misuse("column %s: it is NULL, which is in conflict with nothing", c)
		}
		if c.optional() && p.IsZero() {
			return misuse("column %s: it is zero, so the database would fill it; Insert the row", c)
		}
	}
	st := newStatement(id)
	refs, err := t.inserting(st, id, unsafe.Pointer(row))
	if err != nil {
		return err
	}
	t.onConflict(st, key.u, unsafe.Pointer(row))
	st.text(" returning ", t.list)
	ok, err := stored(ctx, db, t, st, "upsert into", row)
	if err != nil || ok {
		return err
	}
	if len(refs) > 0 {
		if err := t.missingReference(ctx, db, id, refs); err != nil {
			return err
		}
	}
	return t.notFound()
}

func (t *table) onConflict(st *statement, u *unique, row unsafe.Pointer) {
	st.text(" on conflict (", list("", u.target), ") do update set ")
	var set []string
	for _, c := range t.columns {
		switch {
		case c.version:
			set = append(set, c.quoted+" = "+t.ref+c.quoted+" + 1")
		case c.fixed() || slices.Contains(u.target, c) || (c.optional() || c.hidden) && c.pointer(row).Elem().IsZero():
		default:
			set = append(set, c.quoted+" = excluded."+c.quoted)
		}
	}
	if set == nil { // an empty update would return nothing
		c := u.target[0]
		set = append(set, c.quoted+" = "+t.ref+c.quoted)
	}
	st.text(strings.Join(set, ", "), " where ", t.ownedBy(t.ref, 1), t.held(t.ref, 1, ""))
	for _, c := range t.parent {
		if !slices.Contains(u.target, c) {
			st.text(" and ", t.ref, c.quoted, " = excluded.", c.quoted)
		}
	}
}
