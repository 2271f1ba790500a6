package owner

import (
	"context"
	"fmt"
	"slices"
	"unsafe"

	"github.com/jackc/pgx/v5"

	"github.com/rowkeeper/rowkeeper/errs/kind"
)

// errPageSize is the sentinel for a page size out of range; the error that wraps it
// names the range.
var errPageSize error = &requestError{
	sentinel{"owner: the size of the page is out of range", kind.Invalid},
	kind.FieldError{Parameter: "size", Code: "out_of_range", Detail: fmt.Sprintf("A page has 1 to %d rows.", MaxRows)},
}

// A Page is a part of the rows, with the cursor to the next ones. In JSON it is
// {"rows": [...], "next": "..."}, without next on the last page.
type Page[R any] struct {
	Rows []R    `json:"rows"`           // [] if there are none, not null
	Next string `json:"next,omitempty"` // "" on the last page
}

// Page returns at most size rows, from 1 to [MaxRows]: those after the cursor, or the
// first ones if the cursor is "". They are sorted as [Select.OrderBy] says and then
// by the primary key. Nothing is skipped or repeated between two pages, except rows
// changed in the meantime: a cursor holds the values of the last row, as the database
// writes them and whatever the types of the fields, and no offset. A column whose
// values the database rounds on output, of type real on CockroachDB, is refused at
// the first page.
//
// A cursor is bound to the owner, the table, the order, and the conditions with their
// values; elsewhere the error is [ErrCursor]. Clients can neither read nor change its
// content. The size may differ from page to page. A size out of range is a fault of
// the client, as the cursor is: its kind is Invalid, and the parameter at fault is
// "size".
func (s Select[R, O]) Page(ctx context.Context, db DB, cursors *Cursors, cursor string, size int) (Page[R], error) {
	q := s.q
	var page Page[R]
	if err := q.prepare(db, false); err != nil {
		return page, err
	}
	switch {
	case cursors == nil || cursors.key == nil:
		return page, misuse("the Cursors were not made by NewCursors")
	case q.limited:
		return page, misuse("table %s: Page has a size; leave out the Limit", q.table.name)
	case size < 1 || size > MaxRows:
		return page, fmt.Errorf("%w: %d rows of table %s; it must have 1 to %d", errPageSize, size, q.table.name, MaxRows)
	}
	if err := q.total(); err != nil {
		return page, err
	}
	seal, err := cursors.seal(&q)
	if err != nil {
		return page, err
	}
	var after position
	if cursor != "" {
		if after, err = cursors.open(cursor, seal); err != nil {
			return page, err
		}
		q.where = append(slices.Clip(q.where), cond{node: keyset{q.order, after}})
	}
	rows, last, err := rowsOfPage[R](ctx, db, &q, size, after)
	if err != nil {
		return page, err
	}
	if page.Rows = rows; len(rows) > size {
		page.Rows, page.Next = rows[:size], cursors.make(seal, last)
	}
	return page, nil
}

// total extends the order until no two rows are equal in it.
func (q *query) total() error {
	key := q.table.key
	if v := q.table.view; v != nil {
		if !v.keyed {
			return misuse("view %s: to page through it, it needs the primary keys of its rows", q.table.name)
		}
		key = v.rowKey
	}
	q.order = slices.Clone(q.order)
	for _, c := range key {
		if !slices.ContainsFunc(q.order, func(o order) bool { return o.col == c }) {
			q.order = append(q.order, order{col: c})
		}
	}
	for _, o := range q.order {
		if o.col.hidden {
			return misuse("column %s: it is hidden, so no page can be sorted by it", o.col)
		}
	}
	return nil
}

// rowsOfPage reads one row more than fits the page, and returns the position at which
// the page ends.
func rowsOfPage[R any](ctx context.Context, db DB, q *query, size int, after position) (out []R, last position, err error) {
	t := q.table
	var s statement
	s.begin(q.id, 512, len(q.where)+len(q.base)+1)
	s.text("select ", t.list)
	s.positions(q.order)
	s.from(q, nil, 0)
	s.orderBy(q.order)
	s.text(" limit ")
	s.param(size + 1)
	q.lock.write(&s, t)
	if err := t.leading(s.args); err != nil {
		return nil, nil, err
	}
	out = []R{}
	fields := make([]any, 0, len(t.readable)+len(q.order))
	err = s.query(ctx, db, func(rows pgx.Rows) error {
		var row R
		if out = append(out, row); len(out) > size+1 {
			return t.tooMany(size + 1)
		}
		at := make(position, len(q.order))
		if err := rows.Scan(at.addresses(t.fields(fields, unsafe.Pointer(&out[len(out)-1])))...); err != nil {
			return err
		}
		if err := q.correct(at, db, rows); err != nil {
			return err
		}
		if after != nil && at.equal(after) {
			return misuse("the row of the cursor comes again behind it: the database compares another value than it gives out")
		}
		if len(out) == size {
			last = at
		}
		return nil
	})
	if err != nil {
		return nil, nil, t.failed("select from", err)
	}
	return out, last, nil
}

// keyset is true for the rows after the one with these values. NULL counts as greater
// than all others; see [ColumnOf.Asc].
type keyset struct {
	order []order
	after position
}

func (n keyset) write(s *statement) {
	for i, o := range n.order {
		last := i == len(n.order)-1
		s.text("(")
		s.beyond(o, n.after[i])
		if last {
			break
		}
		s.text(" or ")
		s.column(o.col)
		if n.after[i] == nil {
			s.text(" is null and ")
		} else {
			s.text(" = ")
			s.param(*n.after[i])
			s.text(" and ")
		}
	}
	for range n.order {
		s.text(")")
	}
}

// beyond writes the condition that the column comes after the value.
func (s *statement) beyond(o order, value *string) {
	switch {
	case value == nil && o.desc:
		s.column(o.col)
		s.text(" is not null")
		return
	case value == nil:
		s.text("false")
		return
	}
	s.column(o.col)
	if o.desc {
		s.text(" < ")
	} else {
		s.text(" > ")
	}
	s.param(*value)
	if o.col.mayBeNull() && !o.desc {
		s.text(" or ")
		s.column(o.col)
		s.text(" is null")
	}
}
