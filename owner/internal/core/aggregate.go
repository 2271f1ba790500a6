package core

import (
	"context"
	"fmt"
)

// Exists reports whether there is a row.
func (q *Query) Exists(ctx context.Context, db DB) (bool, error) {
	var found bool
	if err := q.prepare(db, true); err != nil {
		return false, err
	}
	s := newStatement(q.Identity)
	s.text("select exists (select ", q.Table.something())
	s.from(q, nil, 0)
	s.text(")")
	return found, q.run(s, ctx, db, &found)
}

// Count returns the number of rows.
func (q *Query) Count(ctx context.Context, db DB) (int64, error) {
	if q.Limited {
		return 0, Misuse("Count counts all rows; leave out the Limit")
	}
	var n int64
	err := q.Scalar(ctx, db, "count(*)", &n)
	return n, err
}

// Aggregate selects the aggregate function of a column over the rows. open is the
// beginning of its text, up to the column, and shut the rest.
func (q *Query) Aggregate(ctx context.Context, db DB, c *Column, open, shut string, numeric bool, dest any) error {
	switch {
	case c == nil:
		return ErrNoColumn
	case q.Limited:
		return Misuse("an aggregate is over all rows; leave out the Limit")
	case q.Table != nil && (q.Table.grouped() || c.Table != q.Table):
		return Misuse("column %s: it is no column of single rows of %s", c, q.Table.Name)
	case c.Hidden:
		return Misuse("column %s: it is hidden, and an aggregate would show it; declare a view that reads it", c)
	case numeric && !IsNumeric(c.Type):
		return Misuse("column %s: %s needs a numeric column, not one of type %s", c, fmt.Sprint(open, c.Name, shut), c.Type)
	}
	return q.Scalar(ctx, db, open+c.Quoted+shut, dest)
}

// Scalar selects one value, an aggregate over all rows.
func (q *Query) Scalar(ctx context.Context, db DB, expression string, dest any) error {
	if err := q.prepare(db, true); err != nil {
		return err
	}
	s := newStatement(q.Identity)
	if q.Table.grouped() {
		s.text("select ", expression, " from (select ", q.Table.something())
		s.from(q, nil, 0)
		s.text(") as _n")
	} else {
		s.text("select ", expression)
		s.from(q, nil, 0)
	}
	return q.run(s, ctx, db, dest)
}

func (q *Query) run(s *Statement, ctx context.Context, db DB, dest any) error {
	if err := q.Table.leading(s.args); err != nil {
		return err
	}
	if err := s.scalars(ctx, db, dest); err != nil {
		return q.Table.failed("select from", err)
	}
	return nil
}
