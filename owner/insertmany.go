package owner

import (
	"context"
	"errors"
	"math/bits"
	"reflect"
	"slices"
	"strings"
	"unsafe"

	"github.com/jackc/pgx/v5/pgconn"
)

// maxParams is the number of parameters that the protocol can carry.
const maxParams = 65535

// InsertMany inserts the rows in one statement, all or none. The rules are those of
// [Scoped.Insert], but the rows are left unchanged, because no database promises to
// return them in the given order. If one of them points at no row of the owner's, the
// error is [ErrReference], which does not name the foreign key if several have
// values, and the transaction is aborted. This is checked before anything is
// inserted: otherwise a unique violation could reveal that another owner's order has
// such a line.
//
// Without rows InsertMany does nothing. More rows than a statement can carry are
// refused: about 65000 divided by the number of columns, to which each foreign key
// adds its columns once for each row that it points at. (COPY has no such limit, but
// checks nothing, and older versions of CockroachDB do not accept it from pgx.)
func (s Scoped[R, O]) InsertMany(ctx context.Context, db DB, rows []R) error {
	t, id := s.q.table, s.q.id
	if err := check(t, id, db); err != nil || len(rows) == 0 {
		return err
	}
	many := make([]unsafe.Pointer, len(rows))
	for i := range rows {
		many[i] = unsafe.Pointer(&rows[i])
	}
	st, err := t.insertingMany(id, many)
	if err != nil {
		return err
	}
	tag, err := db.Exec(ctx, st.sql.String(), st.args...)
	switch {
	case isGuard(err):
		return t.noReference(t.onlyReference(many))
	case err != nil:
		return t.failed("insert into", err)
	case tag.RowsAffected() != int64(len(rows)):
		return misuse("insert into %s: the database stored %d rows of %d; does a trigger or rule suppress some?", t.name, tag.RowsAffected(), len(rows))
	}
	return nil
}

// insertingMany writes the statement. The value of the first column in the first row,
// which both engines need before they insert anything, depends on whether all rows
// may be inserted.
func (t *table) insertingMany(id identity, rows []unsafe.Pointer) (*statement, error) {
	for _, row := range rows {
		if err := t.ownedByOther(id, row); err != nil {
			return nil, err
		}
	}
	targets := t.fkTargets(rows)
	st := newStatement(id)
	st.text("insert into ", t.quoted, " (")
	columns := st.insertColumns(t, func(c *column) bool {
		return !slices.ContainsFunc(rows, func(row unsafe.Pointer) bool { return !c.pointer(row).Elem().IsZero() })
	})
	each, checks := max(1, len(columns)-len(t.owners)), 0
	for _, p := range targets {
		checks += len(p.keys) * len(p.parent.key)
	}
	if n := id.n + len(rows)*each + checks; n > maxParams {
		return nil, misuse("table %s: %d rows of %d columns are more than a statement can carry; insert %d at a time, in a transaction",
			t.name, len(rows), len(columns), (maxParams-id.n)*len(rows)/(n-id.n))
	}
	for i, row := range rows {
		open := "), ("
		if i == 0 {
			open = ") values ("
		}
		st.text(open)
		for j, c := range columns {
			if j > 0 {
				st.text(", ")
			}
			switch {
			case i == 0 && j == 0 && len(targets) > 0:
				st.withGuard(t, c, row, targets)
			case c.optional() && !c.owner && !c.tenant && c.pointer(row).Elem().IsZero():
				st.text("default")
			default:
				st.value(t, c, row)
			}
		}
	}
	st.text(")")
	return st, nil
}

// fkTargets holds the keys at which rows point in one parent.
type fkTargets struct {
	parent *table
	keys   [][]any
	seen   map[any]bool
}

// fkTargets returns the parents in the order of the declaration, so the text of the
// statement depends on which parents there are and not on which row comes first.
func (t *table) fkTargets(rows []unsafe.Pointer) []*fkTargets {
	var all []*fkTargets
	of := func(parent *table) *fkTargets {
		i := slices.IndexFunc(all, func(p *fkTargets) bool { return p.parent == parent })
		if i < 0 {
			i = len(all)
			all = append(all, &fkTargets{parent: parent, seen: map[any]bool{}})
		}
		return all[i]
	}
	if t.through != nil {
		of(t.through)
	}
	for _, r := range t.references {
		of(r.parent)
	}
	if len(all) == 0 {
		return nil
	}
	for _, row := range rows {
		for _, p := range t.fkChecks(row) {
			of(p.parent).add(p.args)
		}
	}
	all = slices.DeleteFunc(all, func(p *fkTargets) bool { return len(p.keys) == 0 })
	for _, p := range all {
		p.pad()
	}
	return all
}

// add adds a key, unless it can be compared and is present already.
func (p *fkTargets) add(key []any) {
	var of any
	for _, arg := range key {
		v := reflect.ValueOf(arg)
		for v.Kind() == reflect.Pointer && !v.IsNil() {
			v = v.Elem()
		}
		if !v.IsValid() || !v.Comparable() {
			p.keys = append(p.keys, key)
			return
		}
		of = [2]any{of, v.Interface()}
	}
	if !p.seen[of] {
		p.seen[of] = true
		p.keys = append(p.keys, key)
	}
}

// pad repeats the last key up to a power of two; see membership.
func (p *fkTargets) pad() {
	last := p.keys[len(p.keys)-1]
	if size := 1 << bits.Len(uint(len(p.keys)-1)); size <= maxPadded {
		for range size - len(p.keys) {
			p.keys = append(p.keys, last)
		}
	}
}

// withGuard writes the value of a column so that the statement fails if one of the
// keys is not the owner's. A cast of text fails, so the error cannot be taken for any
// other; the text is known only when the statement runs, so it does not fail during
// planning. The branch that is never taken gives the parameter its type.
func (s *statement) withGuard(t *table, c *column, row unsafe.Pointer, all []*fkTargets) {
	s.text("case when cast(case when ")
	for i, p := range all {
		if i > 0 {
			s.text(" or ")
		}
		s.notOwned(p)
	}
	s.text(" then '", guardMark, "' else '0' end as bigint) = 0 then ")
	s.value(t, c, row)
	s.text(" else (select ", c.quoted, " from ", t.quoted, " where false) end")
}

// notOwned writes the condition that one of the keys is not that of a row of the
// owner's. The keys are a table, because one condition for each would be planned one
// by one. The columns selected from the parent are NULL, and give the parameters
// their types.
func (s *statement) notOwned(p *fkTargets) {
	key := p.parent.key
	given, found := s.alias(), s.alias()
	s.text("exists (select 1 from (select ")
	for i, c := range key {
		if i > 0 {
			s.text(", ")
		}
		s.text("unnest(array[coalesce((select ", c.quoted, " from ", p.parent.quoted, " where false), ")
		for j, values := range p.keys {
			if j > 0 {
				s.text(", ")
			}
			s.param(values[i])
			if j == 0 {
				s.text(")")
			}
		}
		s.text("]) as ", c.quoted)
	}
	owned, lock := p.parent.heldAs(found+".", 1)
	s.text(") as ", given, " where not (exists (select 1 from ", p.parent.quoted, " as ", found, " where ", owned)
	for _, c := range key {
		s.text(" and ", found, ".", c.quoted, " = ", given, ".", c.quoted)
	}
	s.text(lock, ")))")
}

const guardMark = "rowkeeper references: "

func isGuard(err error) bool {
	var pe *pgconn.PgError
	return errors.As(err, &pe) && pe.Code == "22P02" && strings.Contains(pe.Message, guardMark)
}

// onlyReference returns the foreign key that has values in the rows, if there is
// exactly one.
func (t *table) onlyReference(rows []unsafe.Pointer) *fkCheck {
	targets := t.fkTargets(rows)
	if len(targets) != 1 {
		return nil
	}
	return t.referenceTo(targets[0].parent)
}
