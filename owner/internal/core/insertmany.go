package core

import (
	"context"
	"errors"
	"slices"
	"strings"
	"unsafe"

	"github.com/jackc/pgx/v5/pgconn"
)

// maxParams is the number of parameters that the protocol can carry.
const maxParams = 65535

// InsertMany inserts the rows in one statement, all or none.
func (t *Table) InsertMany(ctx context.Context, db DB, id Identity, rows []unsafe.Pointer) error {
	if err := check(t, id, db); err != nil || len(rows) == 0 {
		return err
	}
	st, err := t.insertingMany(id, rows)
	if err != nil {
		return err
	}
	tag, err := db.Exec(ctx, st.sql.String(), st.args...)
	switch {
	case isGuard(err):
		return t.noReference(t.onlyReference(rows))
	case err != nil:
		return t.failed("insert into", err)
	case tag.RowsAffected() != int64(len(rows)):
		return Misuse("insert into %s: the database stored %d rows of %d; does a trigger or rule suppress some?", t.Name, tag.RowsAffected(), len(rows))
	}
	return nil
}

// insertingMany writes the statement. The value of the first column in the first row,
// which both engines need before they insert anything, depends on whether all rows
// may be inserted.
func (t *Table) insertingMany(id Identity, rows []unsafe.Pointer) (*Statement, error) {
	for _, row := range rows {
		if err := t.ownedByOther(id, row); err != nil {
			return nil, err
		}
	}
	targets := t.fkTargets(rows)
	st := newStatement(id)
	st.text("insert into ", t.Quoted, " (")
	columns := st.insertColumns(t, func(c *Column) bool {
		return !slices.ContainsFunc(rows, func(row unsafe.Pointer) bool { return !c.Pointer(row).Elem().IsZero() })
	})
	each, checks := max(1, len(columns)-len(t.Owners)), 0
	for _, p := range targets {
		checks += len(p.keys) * len(p.parent.Key)
	}
	if n := id.N + len(rows)*each + checks; n > maxParams {
		return nil, Misuse("table %s: %d rows of %d columns are more than a statement can carry; insert %d at a time, in a transaction",
			t.Name, len(rows), len(columns), (maxParams-id.N)*len(rows)/(n-id.N))
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
			case c.Optional() && !c.Owner && !c.Tenant && c.Pointer(row).Elem().IsZero():
				st.text("default")
			default:
				st.value(t, c, row)
			}
		}
	}
	st.text(")")
	return st, nil
}

// withGuard writes the value of a column so that the statement fails if one of the
// keys is not the owner's. A cast of text fails, so the error cannot be taken for any
// other; the text is known only when the statement runs, so it does not fail during
// planning. The branch that is never taken gives the parameter its type.
func (s *Statement) withGuard(t *Table, c *Column, row unsafe.Pointer, all []*fkTargets) {
	s.text("case when cast(case when ")
	for i, p := range all {
		if i > 0 {
			s.text(" or ")
		}
		s.notOwned(p)
	}
	s.text(" then '", guardMark, "' else '0' end as bigint) = 0 then ")
	s.value(t, c, row)
	s.text(" else (select ", c.Quoted, " from ", t.Quoted, " where false) end")
}

// notOwned writes the condition that one of the keys is not that of a row of the
// owner's. The keys are a table, because one condition for each would be planned one
// by one. The columns selected from the parent are NULL, and give the parameters
// their types.
func (s *Statement) notOwned(p *fkTargets) {
	key := p.parent.Key
	given, found := s.alias(), s.alias()
	s.text("exists (select 1 from (select ")
	for i, c := range key {
		if i > 0 {
			s.text(", ")
		}
		s.text("unnest(array[coalesce((select ", c.Quoted, " from ", p.parent.Quoted, " where false), ")
		for j, values := range p.keys {
			if j > 0 {
				s.text(", ")
			}
			s.param(values[i])
			if j == 0 {
				s.text(")")
			}
		}
		s.text("]) as ", c.Quoted)
	}
	owned, lock := p.parent.heldAs(found+".", 1)
	s.text(") as ", given, " where not (exists (select 1 from ", p.parent.Quoted, " as ", found, " where ", owned)
	for _, c := range key {
		s.text(" and ", found, ".", c.Quoted, " = ", given, ".", c.Quoted)
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
func (t *Table) onlyReference(rows []unsafe.Pointer) *fkCheck {
	targets := t.fkTargets(rows)
	if len(targets) != 1 {
		return nil
	}
	return t.referenceTo(targets[0].parent)
}
