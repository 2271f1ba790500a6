package core

import (
	"context"
	"fmt"
	"slices"
	"unsafe"

	"github.com/jackc/pgx/v5"
)

// Page reads the rows of a page into those that next returns: those after the cursor, or
// the first ones if the cursor is "". If there are more, it also reads the one behind the
// page, and returns the cursor to it.
func (q *Query) Page(ctx context.Context, db DB, cursors *Cursors, cursor string, size int, next func() unsafe.Pointer) (string, error) {
	if err := q.prepare(db, false); err != nil {
		return "", err
	}
	switch {
	case cursors == nil || cursors.key == nil:
		return "", Misuse("the Cursors were not made by NewCursors")
	case q.Limited:
		return "", Misuse("table %s: Page has a size; leave out the Limit", q.Table.Name)
	case size < 1 || size > MaxRows:
		return "", fmt.Errorf("%w: %d rows of table %s; it must have 1 to %d", errPageSize, size, q.Table.Name, MaxRows)
	}
	if err := q.total(); err != nil {
		return "", err
	}
	seal, err := cursors.seal(q)
	if err != nil {
		return "", err
	}
	var after position
	if cursor != "" {
		if after, err = cursors.open(cursor, seal); err != nil {
			return "", err
		}
		q.Where = append(slices.Clip(q.Where), Condition{node: keyset{q.Order, after}})
	}
	last, more, err := q.readPage(ctx, db, size, after, next)
	if err != nil || !more {
		return "", err
	}
	return cursors.make(seal, last), nil
}

// readPage reads one row more than fits the page, and returns the position at which
// the page ends.
func (q *Query) readPage(ctx context.Context, db DB, size int, after position, next func() unsafe.Pointer) (last position, more bool, err error) {
	t := q.Table
	var s Statement
	s.begin(q.Identity, 512, len(q.Where)+len(q.base)+1)
	s.text("select ", t.list)
	s.positions(q.Order)
	s.from(q, nil, 0)
	s.orderBy(q.Order)
	s.text(" limit ")
	s.param(size + 1)
	q.Lock.write(&s, t)
	if err := t.leading(s.args); err != nil {
		return nil, false, err
	}
	n := 0
	var types composites
	fields := make([]any, 0, len(t.Readable)+len(q.Order))
	err = s.query(ctx, db, func(rows pgx.Rows) error {
		if n++; n > size+1 {
			return t.tooMany(size + 1)
		}
		at := make(position, len(q.Order))
		if err := rows.Scan(at.addresses(t.fields(fields, next()))...); err != nil {
			return err
		}
		if err := q.correct(at, db, rows); err != nil {
			return err
		}
		if after == nil {
			if err := types.see(q, at, rows); err != nil {
				return err
			}
		}
		if after != nil && at.equal(after) {
			return Misuse("the row of the cursor comes again behind it: the database compares another value than it gives out")
		}
		if n == size {
			last = at
		}
		return nil
	})
	if err == nil {
		err = types.check(ctx, db, n > size)
	}
	if err != nil {
		return nil, false, t.failed("select from", err)
	}
	return last, n > size, nil
}

// total extends the order until no two rows are equal in it.
func (q *Query) total() error {
	key := q.Table.Key
	if v := q.Table.View; v != nil {
		if !v.keyed {
			return Misuse("view %s: to page through it, it needs the primary keys of its rows", q.Table.Name)
		}
		key = v.rowKey
	}
	q.Order = slices.Clone(q.Order)
	for _, c := range key {
		if !slices.ContainsFunc(q.Order, func(o Order) bool { return o.Column == c }) {
			q.Order = append(q.Order, Order{Column: c})
		}
	}
	for _, o := range q.Order {
		if o.Column.Hidden {
			return Misuse("column %s: it is hidden, so no page can be sorted by it", o.Column)
		}
	}
	return nil
}
