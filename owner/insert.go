package owner

import (
	"context"
	"fmt"
	"slices"
	"unsafe"

	"github.com/jackc/pgx/v5"

	"github.com/rowkeeper/rowkeeper/owner/internal/pgvalue"
)

// Insert inserts the row as the owner's and fills it with what the database stored:
// keys, defaults and changes by triggers. On an error the row is unchanged. Hidden
// columns are inserted and not read back.
//
// A zero owner field stands for the owner in scope; another owner in it is refused
// with [ErrOtherOwner]. Columns declared default, and a primary key of one column
// besides the owner, are left to the database if they are zero. All others are
// inserted as they are, and the version as 1. If a declared [Reference], or the
// parent of a table made with [MustThrough], is not a row of the owner's, the error is
// [ErrReference].
//
// A violation of a unique constraint that does not begin with the owner column
// reveals that another owner has that value. The same is true of the primary key if
// the client chooses it.
func (s Scoped[R, O]) Insert(ctx context.Context, db DB, row *R) error {
	t, id := s.q.table, s.q.id
	if err := check(t, id, db); err != nil {
		return err
	}
	if row == nil {
		return misuse("table %s: the row to insert is nil", t.name)
	}
	st := newStatement(id)
	refs, err := t.inserting(st, id, unsafe.Pointer(row))
	if err != nil {
		return err
	}
	st.text(" returning ", t.list)
	ok, err := stored(ctx, db, t, st, "insert into", row)
	switch {
	case err != nil:
		return err
	case !ok && len(refs) > 0:
		return t.refused(ctx, db, id, refs)
	case !ok:
		return misuse("insert into %s: the database stored no row; does a trigger or rule suppress it?", t.name)
	}
	return nil
}

// fkCheck is a foreign key with its values, to be checked.
type fkCheck struct {
	parent *table
	from   []*column
	args   []any
}

// inserting writes INSERT up to the place of ON CONFLICT or RETURNING. If the row has
// foreign keys, it inserts only if their targets are the owner's.
func (t *table) inserting(st *statement, id identity, row unsafe.Pointer) ([]fkCheck, error) {
	if err := t.ownedByOther(id, row); err != nil {
		return nil, err
	}
	refs := t.fkChecks(row)
	st.text("insert into ", t.quoted, " (")
	first := st.insertColumns(t, func(c *column) bool { return c.pointer(row).Elem().IsZero() })
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
func (s *statement) insertColumns(t *table, leaveOut func(*column) bool) []*column {
	columns := slices.Concat(t.owners, t.parent)
	for _, c := range t.columns {
		if c.owner || c.tenant || c.parent || c.optional() && leaveOut(c) {
			continue
		}
		columns = append(columns, c)
	}
	s.text(list("", columns))
	return columns
}

// optional reports whether the database fills the column if it is zero. In a key of
// several columns zero is a value like others, unless the column is declared default.
func (c *column) optional() bool {
	return (c.dfault || c.pk && len(c.table.key) <= 1) && !c.parent && !c.refers
}

// value writes the value to insert into the column.
func (s *statement) value(t *table, c *column, row unsafe.Pointer) {
	switch {
	case c.owner:
		s.ref(len(t.owners))
	case c.tenant:
		s.ref(1)
	case c.version:
		s.text("1")
	default:
		s.param(pgvalue.Argument(c.pointer(row).Elem()))
	}
}

func (t *table) ownedByOther(id identity, row unsafe.Pointer) error {
	for i, c := range t.owners {
		if own := c.pointer(row).Elem(); !own.IsZero() && own.Interface() != id.value[i] {
			return fmt.Errorf("%w (table %s)", ErrOtherOwner, t.name)
		}
	}
	return nil
}

// fkChecks returns the foreign keys of a row, the parent first.
func (t *table) fkChecks(row unsafe.Pointer) []fkCheck {
	var out []fkCheck
	if t.through != nil {
		p := fkCheck{parent: t.through, from: t.parent}
		for _, c := range t.parent {
			p.args = append(p.args, pgvalue.Argument(c.pointer(row).Elem()))
		}
		out = append(out, p)
	}
	for _, r := range t.references {
		p := fkCheck{parent: r.parent, from: r.from}
		for _, c := range r.from {
			arg := pgvalue.Argument(c.pointer(row).Elem())
			if null, err := pgvalue.IsNull(arg); null && err == nil {
				break
			}
			p.args = append(p.args, arg)
		}
		if len(p.args) == len(r.from) {
			out = append(out, p)
		}
	}
	return out
}

// stored runs a statement with RETURNING, and fills the row if one is returned. It
// scans into a separate row, because an error may follow the data, for example from a
// deferred constraint.
func stored[R any](ctx context.Context, db DB, t *table, st *statement, verb string, row *R) (bool, error) {
	fresh := new(R)
	n := 0
	err := st.query(ctx, db, func(rows pgx.Rows) error {
		n++
		return rows.Scan(t.fields(nil, unsafe.Pointer(fresh))...)
	})
	if err != nil {
		return false, t.failed(verb, err)
	}
	if ok, err := t.changedOne(n); !ok {
		return false, err
	}
	for _, c := range t.readable {
		c.pointer(unsafe.Pointer(row)).Elem().Set(c.pointer(unsafe.Pointer(fresh)).Elem())
	}
	return true, nil
}
