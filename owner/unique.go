package owner

import (
	"context"
	"slices"
	"strings"
	"unsafe"

	"github.com/rowkeeper/rowkeeper/owner/internal/pgvalue"
)

// unique is a unique constraint on the owner's columns and others.
type unique struct {
	own    []*column // as declared
	target []*column
}

// Unique declares that the owner together with these fields of the row is unique. If
// they are the primary key without the owner, it stands for the primary key.
//
//	// create unique index on accounts (user_id, name)
//	var Accounts = owner.MustTable[Account, UserID]("accounts",
//		owner.Unique(func(a *Account) any { return &a.Name }))
//
// A key of several columns needs a function for each. [Scoped.Upsert] takes the columns
// of a declared key, and package owner/schema compares it with the database. A table
// that is never written has no key.
func Unique[R any](fields ...func(row *R) any) TableOption[R] {
	return tableOption[R](func(d *declaration) {
		t := d.table
		own := columnsAt(d, "Unique", fields)
		switch {
		case own == nil:
		case t.shared:
			d.problem("Unique: the table is shared, and never written")
		case t.uniqueBy(own) != nil:
			d.problem("Unique: the columns %s come twice", list("", own))
		default:
			t.uniques = append(t.uniques, &unique{own, t.uniqueTarget(own)})
		}
	})
}

// uniqueTarget returns the columns of the constraint that these stand for.
func (t *table) uniqueTarget(own []*column) []*column {
	if sameColumns(own, t.key) {
		return slices.DeleteFunc(slices.Clone(t.columns), func(c *column) bool { return !c.pk })
	}
	target := slices.Concat(t.owners, t.parent)
	for _, c := range own {
		if !slices.Contains(target, c) {
			target = append(target, c)
		}
	}
	return target
}

// uniqueBy returns the declared key of these columns in any order, or nil.
func (t *table) uniqueBy(own []*column) *unique {
	target := t.uniqueTarget(own)
	i := slices.IndexFunc(t.uniques, func(u *unique) bool { return sameColumns(u.target, target) })
	if i < 0 {
		return nil
	}
	return t.uniques[i]
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
//	err := Accounts.In(me).Upsert(ctx, db, &account, Name)
//
// The key and more are the columns of a [Unique] in the declaration of the table, in
// any order; other columns are refused.
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
func (s Scoped[R, O]) Upsert(ctx context.Context, db DB, row *R, key AnyColumn[R], more ...AnyColumn[R]) error {
	t, id := s.q.table, s.q.id
	if err := check(t, id, db); err != nil {
		return err
	}
	if row == nil {
		return misuse("table %s: the row to upsert is nil", t.name)
	}
	u, err := uniqueOf(t, append([]AnyColumn[R]{key}, more...))
	if err != nil {
		return err
	}
	for _, c := range u.target {
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
	t.onConflict(st, u, unsafe.Pointer(row))
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

// uniqueOf returns the declared key of these columns.
func uniqueOf[R any](t *table, columns []AnyColumn[R]) (*unique, error) {
	own, of, err := untypedColumns("Upsert", columns)
	switch {
	case err != nil:
		return nil, err
	case of != t:
		return nil, misuse("column %s: it is of another declaration of the table", own[0])
	}
	u := t.uniqueBy(own)
	if u == nil {
		return nil, misuse("table %s: its declaration has no Unique of the columns %s", t.name, list("", own))
	}
	return u, nil
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
