package owner

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"unsafe"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// Insert inserts the row as the owner's, and then fills it with what the
// database stored: keys, defaults, and what triggers made of it. On an error
// the row is as it was. Hidden columns are inserted, and not read back.
//
// A zero owner field stands for the owner in scope; one that names somebody
// else is refused with [ErrOtherOwner]. Columns declared pk or default are left
// to the database where they are zero; all others are inserted as they are, and
// the version as 1. Where a declared [Reference], or the parent of a table made
// with [NewThrough], is no row of the owner's, the error is [ErrReference].
//
// A unique constraint that does not begin with the owner column tells by its
// violation that somebody has that value; this holds for the primary key too,
// where the client chooses it.
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
		return t.noReference()
	case !ok:
		return misuse("insert into %s: the database stored no row; does a trigger or rule suppress it?", t.name)
	}
	return nil
}

// pointing is a foreign key with a value, to be checked.
type pointing struct {
	parent *table
	args   []any
}

// inserting writes INSERT up to where ON CONFLICT or RETURNING would be. If the
// row points at others, it inserts only where these are the owner's.
func (t *table) inserting(st *statement, id identity, row unsafe.Pointer) ([]pointing, error) {
	if err := t.ownedByOther(id, row); err != nil {
		return nil, err
	}
	refs := t.pointings(row)
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

// insertColumns writes and returns the columns to insert, the owner first. Those
// that the database can fill are left out where the function says so.
func (s *statement) insertColumns(t *table, leaveOut func(*column) bool) []*column {
	columns := make([]*column, len(t.owners), len(t.columns))
	copy(columns, t.owners)
	for _, c := range t.columns {
		if c.owner || c.tenant || c.optional() && leaveOut(c) {
			continue
		}
		columns = append(columns, c)
	}
	s.text(list("", columns))
	return columns
}

// optional reports whether the database can fill the column.
func (c *column) optional() bool { return (c.pk || c.dfault) && !c.parent }

// value writes what to insert into the column.
func (s *statement) value(t *table, c *column, row unsafe.Pointer) {
	switch {
	case c.owner:
		s.ref(len(t.owners))
	case c.tenant:
		s.ref(1)
	case c.version:
		s.text("1")
	default:
		s.param(fieldArgument(c.pointer(row).Elem()))
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

// pointings are the foreign keys of a row, the parent first.
func (t *table) pointings(row unsafe.Pointer) []pointing {
	var out []pointing
	if t.through != nil {
		p := pointing{parent: t.through}
		for _, c := range t.parent {
			p.args = append(p.args, fieldArgument(c.pointer(row).Elem()))
		}
		out = append(out, p)
	}
	for _, r := range t.references {
		p := pointing{parent: r.parent}
		for _, c := range r.from {
			arg := fieldArgument(c.pointer(row).Elem())
			if null, err := isNull(arg); null && err == nil {
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

func (t *table) noReference() error { return fmt.Errorf("%w (table %s)", ErrReference, t.name) }

// stored runs a statement with RETURNING, and fills the row if one came back. It
// reads into a row of its own: the error may come after the data, as from a
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

// maxParams is how many parameters the protocol can carry.
const maxParams = 65535

// InsertMany inserts the rows in one statement, all or none. The rules are those
// of [Scoped.Insert], but the rows are left as they are, because no database
// promises to return them in the order given. Where one of them points at no row
// of the owner's, the error is [ErrReference], and the transaction is spoiled.
//
// No rows are no error. More than a statement can carry are refused: about 65000
// divided by the number of columns. (COPY has no such limit, but checks nothing,
// and older versions of CockroachDB do not take it from pgx.)
func (s Scoped[R, O]) InsertMany(ctx context.Context, db DB, rows []R) error {
	t, id := s.q.table, s.q.id
	if err := check(t, id, db); err != nil || len(rows) == 0 {
		return err
	}
	st := newStatement(id)
	guarded := t.through != nil || len(t.references) > 0
	if guarded {
		st.text("with _w as (")
	}
	if err := insertingMany(st, t, id, rows); err != nil {
		return err
	}
	if !guarded {
		tag, err := db.Exec(ctx, st.sql.String(), st.args...)
		if err != nil {
			return t.failed("insert into", err)
		}
		return t.insertedAll(tag.RowsAffected(), len(rows))
	}
	t.guard(st)
	var n int64
	if err := st.scalars(ctx, db, &n); err != nil {
		if isGuard(err) {
			return t.noReference()
		}
		return t.failed("insert into", err)
	}
	return t.insertedAll(n, len(rows))
}

func insertingMany[R any](st *statement, t *table, id identity, rows []R) error {
	for i := range rows {
		if err := t.ownedByOther(id, unsafe.Pointer(&rows[i])); err != nil {
			return err
		}
	}
	st.text("insert into ", t.quoted, " (")
	columns := st.insertColumns(t, func(c *column) bool {
		for i := range rows {
			if !c.pointer(unsafe.Pointer(&rows[i])).Elem().IsZero() {
				return false
			}
		}
		return true
	})
	if each := max(1, len(columns)-len(t.owners)); len(rows)*each+id.n > maxParams {
		return misuse("table %s: %d rows of %d columns are more than a statement can carry; insert %d at a time, in a transaction",
			t.name, len(rows), len(columns), (maxParams-id.n)/each)
	}
	st.text(") values (")
	for i := range rows {
		if i > 0 {
			st.text("), (")
		}
		row := unsafe.Pointer(&rows[i])
		for j, c := range columns {
			if j > 0 {
				st.text(", ")
			}
			if c.optional() && !c.owner && !c.tenant && c.pointer(row).Elem().IsZero() {
				st.text("default")
			} else {
				st.value(t, c, row)
			}
		}
	}
	st.text(")")
	return nil
}

func (t *table) insertedAll(n int64, want int) error {
	if n != int64(want) {
		return misuse("insert into %s: the database stored %d rows of %d; does a trigger or rule suppress some?", t.name, n, want)
	}
	return nil
}

// guarded are the foreign keys that InsertMany has to check.
func (t *table) guarded() []*reference {
	refs := t.references
	if t.through != nil {
		refs = append([]*reference{{child: t, parent: t.through, from: t.parent}}, refs...)
	}
	return refs
}

// guard makes the statement fail where a row that was inserted points at no row
// of the owner's. What fails is a cast of text, so that it cannot be taken for an
// error of anything else.
func (t *table) guard(st *statement) {
	refs := t.guarded()
	var columns []*column
	for _, r := range refs {
		columns = append(columns, r.from...)
	}
	st.text(" returning ", list("", columns), "), _n (bad) as (select count(*) from _w where not (")
	for i, r := range refs {
		if i > 0 {
			st.text(" and ")
		}
		st.text("(")
		alias := st.alias()
		for _, c := range r.from {
			st.text("_w.", c.quoted, " is null or ")
		}
		st.text("exists (select 1 from ", r.parent.quoted, " as ", alias, " where ")
		r.link(st, true, alias+".", "_w.")
		st.text(" and ", r.parent.ownedBy(alias+".", 1), "))")
	}
	st.text(")) select case when (select bad from _n) = 0 then (select count(*) from _w) else cast('", guardMark,
		"' || cast((select bad from _n) as text) as bigint) end")
}

const guardMark = "rowkeeper references: "

func isGuard(err error) bool {
	var pe *pgconn.PgError
	return errors.As(err, &pe) && pe.Code == "22P02" && strings.Contains(pe.Message, guardMark)
}
