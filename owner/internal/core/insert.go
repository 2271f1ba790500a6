package core

import (
	"context"
	"fmt"
	"reflect"
	"slices"
	"unsafe"

	"github.com/jackc/pgx/v5"

	"github.com/rowkeeper/rowkeeper/owner/internal/pgvalue"
)

// Insert inserts the row as the owner's and fills it with what the database stored.
func (t *Table) Insert(ctx context.Context, db DB, id Identity, row unsafe.Pointer) error {
	if err := check(t, id, db); err != nil {
		return err
	}
	if row == nil {
		return Misuse("table %s: the row to insert is nil", t.Name)
	}
	st := newStatement(id)
	refs, err := t.inserting(st, id, row)
	if err != nil {
		return err
	}
	st.text(" returning ", t.list)
	ok, err := st.stored(ctx, db, "insert into", t, row)
	switch {
	case err != nil:
		return err
	case !ok && len(refs) > 0:
		return t.refused(ctx, db, id, refs)
	case !ok:
		return Misuse("insert into %s: the database stored no row; does a trigger or rule suppress it?", t.Name)
	}
	return nil
}

// inserting writes INSERT up to the place of ON CONFLICT or RETURNING. If the row has
// foreign keys, it inserts only if their targets are the owner's.
func (t *Table) inserting(st *Statement, id Identity, row unsafe.Pointer) ([]fkCheck, error) {
	if err := t.ownedByOther(id, row); err != nil {
		return nil, err
	}
	refs := t.fkChecks(row)
	st.text("insert into ", t.Quoted, " (")
	first := st.insertColumns(t, func(c *Column) bool { return c.Pointer(row).Elem().IsZero() })
	open, shut := ") values (", ")"
	if len(refs) > 0 {
		open, shut = ") select ", ""
	}
	st.text(open)
	for i, c := range first {
		if i > 0 {
			st.text(", ")
		}
		st.value(t, c, row)
	}
	st.text(shut)
	for i, r := range refs {
		if i == 0 {
			st.text(" where ")
		} else {
			st.text(" and ")
		}
		st.checkReference(r.parent, r.args, 1)
	}
	return refs, nil
}

// insertColumns writes and returns the columns to insert. The first is the owner, or
// the key of the parent, which is never left out. Of the columns that the database
// can fill, those for which leaveOut is true are left out.
func (s *Statement) insertColumns(t *Table, leaveOut func(*Column) bool) []*Column {
	columns := slices.Concat(t.Owners, t.Parent)
	for _, c := range t.Columns {
		if c.Owner || c.Tenant || c.Parent || c.Optional() && leaveOut(c) {
			continue
		}
		columns = append(columns, c)
	}
	s.text(list("", columns))
	return columns
}

// value writes the value to insert into the column.
func (s *Statement) value(t *Table, c *Column, row unsafe.Pointer) {
	switch {
	case c.Owner:
		s.ref(len(t.Owners))
	case c.Tenant:
		s.ref(1)
	case c.Version:
		s.text("1")
	default:
		s.param(pgvalue.Argument(c.Pointer(row).Elem()))
	}
}

func (t *Table) ownedByOther(id Identity, row unsafe.Pointer) error {
	for i, c := range t.Owners {
		if own := c.Pointer(row).Elem(); !own.IsZero() && own.Interface() != id.Value[i] {
			return fmt.Errorf("%w (table %s)", ErrOtherOwner, t.Name)
		}
	}
	return nil
}

// stored runs a statement with RETURNING, and fills the row if one is returned. It
// scans into a separate row, because an error may follow the data, for example from a
// deferred constraint.
func (s *Statement) stored(ctx context.Context, db DB, verb string, t *Table, row unsafe.Pointer) (bool, error) {
	fresh := reflect.New(t.Row).UnsafePointer()
	n := 0
	err := s.query(ctx, db, func(rows pgx.Rows) error {
		n++
		return rows.Scan(t.fields(nil, fresh)...)
	})
	if err != nil {
		return false, t.failed(verb, err)
	}
	if ok, err := t.changedOne(n); !ok {
		return false, err
	}
	for _, c := range t.Readable {
		c.Pointer(row).Elem().Set(c.Pointer(fresh).Elem())
	}
	return true, nil
}
