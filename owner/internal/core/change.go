package core

import (
	"context"
	"fmt"
	"slices"
)

// change is a statement that changes or deletes one row by its key.
type change struct {
	st    *Statement
	table *Table
	id    Identity
	key   []any
	at    Version
	refs  []fkCheck
}

// outcome returns the error of a statement. ok reports whether it changed a row.
func (c *change) outcome(ctx context.Context, db DB, ok bool, err error) error {
	switch {
	case noSuchKey(err, c.id.N+1, len(c.key)):
		return c.table.NotFound()
	case err == nil && !ok:
		return c.diagnose(ctx, db)
	}
	return err
}

// diagnose finds out why nothing was changed. It looks only at the owner's rows.
func (c *change) diagnose(ctx context.Context, db DB) error {
	t := c.table
	if !c.at.given && len(c.refs) == 0 {
		return t.NotFound()
	}
	s := newStatement(c.id)
	first := s.bind(c.key)
	s.text("select exists (select 1 from ", t.Quoted)
	s.where(t, t.Key, first, nil)
	s.text("), exists (select 1 from ", t.Quoted)
	s.where(t, t.Key, first, nil)
	c.at.write(s, t)
	s.text(")")
	for _, r := range c.refs {
		s.text(", ")
		s.checkReference(r.parent, r.args, 1)
	}
	found := make([]bool, 2+len(c.refs))
	if err := s.scalars(ctx, db, pointersTo(found)...); err != nil {
		return t.failed("select from", err)
	}
	there, current, missing := found[0], found[1], slices.Index(found[2:], false)
	switch {
	case there && !current:
		return fmt.Errorf("%w (table %s)", ErrStale, t.Name)
	case there && missing >= 0:
		return t.noReference(&c.refs[missing])
	}
	return t.NotFound()
}
