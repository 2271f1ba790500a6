package owner

import (
	"context"
	"fmt"
	"unsafe"

	"github.com/jackc/pgx/v5"
)

// MaxRows is the default limit of rows that [Select.All] returns without a
// [Select.Limit], and that [UpdateWhere] and [DeleteWhere] change without
// MaxAffected.
const MaxRows = 1000

// A Scoped makes the statements on one owner's rows. [Table.In] returns one.
type Scoped[R any, O comparable] struct {
	Select[R, O]
}

// A Select reads one owner's rows. It is a value that can be kept and shared between
// goroutines: each method returns a changed copy, so selects that start from the same
// one are independent.
//
// [Select.Get], [Select.One] and [Select.All] return rows, [Select.Rows] streams
// them, and [Select.Page] returns them in pages. [Select.Count] and [Select.Exists],
// [ColumnOf.Sum], Min, Max and Avg return a value. A [View] reads some columns, joins
// and groups. Reads take no lock without [Select.ForUpdate], and see their snapshot.
type Select[R any, O comparable] struct {
	_ [0]func(R, O)
	q query
}

// query is a select without its types.
type query struct {
	table   *table
	id      identity
	where   []cond
	base    []cond // in a view, the conditions of the select that it was made of
	granted *grant // nil if there is no grant
	order   []order
	limit   int
	limited bool
	lock    lock
	err     error
}

// Where narrows the select to the rows for which all conditions are true, in addition
// to those from earlier calls.
func (s Select[R, O]) Where(conditions ...Condition[R]) Select[R, O] {
	where, err := untyped(s.q.where, conditions)
	s.q.where = where
	s.q.fail(err)
	return s
}

// OrderBy sorts the rows by the first column, then the second, and so on. Columns
// from earlier calls come first. Without OrderBy the order is unspecified.
func (s Select[R, O]) OrderBy(orders ...Order[R]) Select[R, O] {
	out := make([]order, len(s.q.order), len(s.q.order)+len(orders))
	copy(out, s.q.order)
	for _, o := range orders {
		s.q.fail(o.check())
		out = append(out, o.order)
	}
	s.q.order = out
	return s
}

// Limit makes [Select.All] return the first n rows instead of an error if there are
// more. The last call counts. With Limit(1), [Select.One] returns the first row of
// several. An n below 1 is an error of the statement.
func (s Select[R, O]) Limit(n int) Select[R, O] {
	s.q.limit, s.q.limited = n, true
	return s
}

// Get returns the row with that primary key. The key has one value for each pk column
// that is not the owner, in the order of the fields; see [MustTable]. A value has the
// type of its field or is an integer that fits.
//
// If the owner has no such row, or a condition is not true for it, the error is
// [ErrNotFound]. OrderBy and Limit have no effect.
func (s Select[R, O]) Get(ctx context.Context, db DB, key ...any) (R, error) {
	q := s.q
	var zero R
	if err := check(q.table, q.id, db); err != nil {
		return zero, err
	}
	if q.table.view != nil {
		return zero, misuse("view %s: Get is for tables; use Where and One", q.table.name)
	}
	args, err := q.table.keyArguments(key)
	if err != nil {
		return zero, err
	}
	q.order = nil
	return one[R](ctx, db, &q, args, 0)
}

// One returns the only row. If there is none, the error is [ErrNotFound]; if there
// are several, [ErrTooMany].
func (s Select[R, O]) One(ctx context.Context, db DB) (R, error) {
	fetch := 2
	if s.q.limited {
		fetch = min(fetch, s.q.limit)
	}
	return one[R](ctx, db, &s.q, nil, fetch)
}

// All returns the rows, or an empty slice if there are none. Without a [Select.Limit]
// it returns [ErrTooMany] if there are more than [MaxRows]: it never leaves out rows
// silently. To read more, use [Select.Rows].
func (s Select[R, O]) All(ctx context.Context, db DB) ([]R, error) {
	if s.q.limited {
		return collect[R](ctx, db, &s.q, s.q.limit, s.q.limit)
	}
	return collect[R](ctx, db, &s.q, MaxRows+1, MaxRows)
}

// Count returns the number of rows. It refuses a Limit, which would not limit it.
// OrderBy has no effect.
func (s Select[R, O]) Count(ctx context.Context, db DB) (int64, error) {
	if s.q.limited {
		return 0, misuse("Count counts all rows; leave out the Limit")
	}
	var n int64
	err := s.q.scalar(ctx, db, "count(*)", &n)
	return n, err
}

// Exists reports whether there is a row. OrderBy and Limit have no effect.
func (s Select[R, O]) Exists(ctx context.Context, db DB) (bool, error) {
	var found bool
	q := s.q
	if err := q.prepare(db, true); err != nil {
		return false, err
	}
	st := newStatement(q.id)
	st.text("select exists (select ", q.table.something())
	st.from(&q, nil, 0)
	st.text(")")
	return found, q.run(st, ctx, db, &found)
}

func (q *query) fail(err error) {
	if q.err == nil {
		q.err = err
	}
}

// prepare checks everything except the key.
func (q *query) prepare(db DB, summary bool) error {
	if err := check(q.table, q.id, db); err != nil {
		return err
	}
	switch {
	case q.err != nil:
		return q.err
	case q.limited && q.limit < 1:
		return misuse("table %s: Limit(%d); the least is 1", q.table.name, q.limit)
	case q.lock.mode == "":
		return nil
	case summary:
		return misuse("table %s: ForUpdate locks the rows that are returned; Count, Exists and aggregates return none", q.table.name)
	}
	if q.granted != nil {
		return misuse("table %s: a grant is for reading, and a lock keeps the owner of a row from changing it; lock with In", q.table.name)
	}
	return q.lock.check(q.table, db)
}

// from writes the part after the list of columns: FROM, WHERE, GROUP BY and HAVING.
func (s *statement) from(q *query, key []*column, first int) {
	t := q.table
	if t.view != nil {
		s.fromView(q)
		return
	}
	s.text(" from ", t.quoted)
	if q.granted != nil {
		s.text(" where ")
		s.orGranted(q)
		s.and(key, first)
		s.narrow(q.where)
		return
	}
	s.where(t, key, first, q.where)
}

// selecting writes a select of all columns, without ORDER BY.
func (q *query) selecting(s *statement, key []any) {
	t := q.table
	first := s.bind(key)
	if t.view == nil && q.granted == nil {
		s.sql.WriteString(t.selectAll)
		if len(key) > 0 {
			s.and(t.key, first)
		}
		s.narrow(q.where)
		q.lock.hold(s, t, "")
		return
	}
	s.text("select ", t.list)
	s.from(q, t.key[:len(key)], first)
}

// build writes the select for at most fetch rows, or for all if fetch is 0.
func (q *query) build(s *statement, key []any, fetch int) {
	s.begin(q.id, len(q.table.selectAll)+len(q.table.list)+128+48*(len(q.where)+len(q.base)), len(key)+len(q.where)+len(q.base)+2)
	q.selecting(s, key)
	s.orderBy(q.order)
	switch {
	case fetch > 0 && q.limited:
		s.text(" limit ")
		s.param(fetch)
	case fetch == 2:
		s.text(" limit 2")
	case fetch > 0:
		s.text(" limit ")
		s.number(fetch)
	}
	q.lock.write(s, q.table)
}

// statement returns the text of the select and its arguments. The text of the most
// frequent read, of one row by its key alone, was written with the declaration.
func (q *query) statement(key []any, fetch int) (string, []any, error) {
	t := q.table
	if len(key) > 0 && t.view == nil && q.granted == nil && len(q.where) == 0 && len(q.order) == 0 && fetch == 0 && q.lock.mode == "" {
		args := append(append(make([]any, 0, q.id.n+len(key)), q.id.arg[:q.id.n]...), key...)
		return t.selectByKey, args, t.leading(args)
	}
	var s statement
	q.build(&s, key, fetch)
	return s.sql.String(), s.args, t.leading(s.args)
}

// one reads the only row. If there can be more, it has to fetch two.
func one[R any](ctx context.Context, db DB, q *query, key []any, fetch int) (R, error) {
	var none R
	if err := q.prepare(db, false); err != nil {
		return none, err
	}
	sql, args, err := q.statement(key, fetch)
	if err != nil {
		return none, err
	}
	row, n := new(R), 0
	err = each(ctx, db, sql, args, func(rows pgx.Rows) error {
		if n++; n > 1 {
			return nil
		}
		return rows.Scan(q.table.fields(nil, unsafe.Pointer(row))...)
	})
	switch {
	case noSuchKey(err, q.id.n+1, len(key)):
		return none, q.table.notFound()
	case err != nil:
		return none, q.table.failed("select from", err)
	case n == 0:
		return none, q.table.notFound()
	case n > 1:
		return none, q.table.tooMany(1)
	}
	return *row, nil
}

// collect fetches at most fetch rows, or all if fetch is 0, and fails if more than
// most arrive.
func collect[R any](ctx context.Context, db DB, q *query, fetch, most int) ([]R, error) {
	if err := q.prepare(db, false); err != nil {
		return nil, err
	}
	sql, args, err := q.statement(nil, fetch)
	if err != nil {
		return nil, err
	}
	out := []R{}
	more := false
	fields := make([]any, 0, len(q.table.readable))
	err = each(ctx, db, sql, args, func(rows pgx.Rows) error {
		if more = len(out) == most; more {
			return nil
		}
		var row R
		out = append(out, row)
		return rows.Scan(q.table.fields(fields, unsafe.Pointer(&out[len(out)-1]))...)
	})
	if err != nil {
		return nil, q.table.failed("select from", err)
	}
	if more {
		return nil, q.table.tooMany(most)
	}
	return out, nil
}

func (t *table) tooMany(most int) error {
	return fmt.Errorf("%w: %s has more than %d for this call", ErrTooMany, t.name, most)
}

// scalar selects one value, an aggregate over all rows.
func (q *query) scalar(ctx context.Context, db DB, expression string, dest any) error {
	if err := q.prepare(db, true); err != nil {
		return err
	}
	s := newStatement(q.id)
	if q.table.grouped() {
		s.text("select ", expression, " from (select ", q.table.something())
		s.from(q, nil, 0)
		s.text(") as _n")
	} else {
		s.text("select ", expression)
		s.from(q, nil, 0)
	}
	return q.run(s, ctx, db, dest)
}

func (q *query) run(s *statement, ctx context.Context, db DB, dest any) error {
	if err := q.table.leading(s.args); err != nil {
		return err
	}
	if err := s.scalars(ctx, db, dest); err != nil {
		return q.table.failed("select from", err)
	}
	return nil
}

// leading refuses a first argument that pgx would take for an option. If there is an
// owner, that is the first argument.
func (t *table) leading(args []any) error {
	if !t.shared || len(args) == 0 {
		return nil
	}
	switch args[0].(type) {
	case pgx.QueryRewriter, pgx.QueryExecMode, pgx.QueryResultFormats, pgx.QueryResultFormatsByOID:
		return misuse("table %s: a value of type %T cannot come first, pgx takes it for an option", t.name, args[0])
	}
	return nil
}
