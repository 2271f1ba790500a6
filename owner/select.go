package owner

import (
	"context"
	"fmt"
	"slices"
	"strconv"

	"github.com/jackc/pgx/v5"
)

// MaxRows is how many rows [Select.All] returns at most where no
// [Select.Limit] says otherwise.
const MaxRows = 1000

// A Scoped makes the statements on one owner's rows. It comes from [Table.In].
type Scoped[R any, O comparable] struct {
	Select[R, O]
}

// A Select reads one owner's rows. It is a value: each method returns a
// changed copy, so selects that start from the same one do not disturb each
// other.
type Select[R any, O comparable] struct {
	table     *table
	scope     Scope[O]
	where     []Condition[R]
	order     []Order[R]
	limit     int
	limited   bool
	forUpdate bool
}

// Where narrows the rows to those for which all conditions are true, on top of
// those from earlier calls.
func (q Select[R, O]) Where(conditions ...Condition[R]) Select[R, O] {
	q.where = append(slices.Clip(q.where), conditions...)
	return q
}

// OrderBy sorts the rows by the first column, then the second, and so on; those
// from earlier calls come first. Without it the order is the database's whim.
func (q Select[R, O]) OrderBy(orders ...Order[R]) Select[R, O] {
	q.order = append(slices.Clip(q.order), orders...)
	return q
}

// Limit makes [Select.All] return the first n rows instead of refusing when
// there are more; the last call counts. With Limit(1), [Select.One] returns the
// first row of several. An n below 1 is an error of the statement.
func (q Select[R, O]) Limit(n int) Select[R, O] {
	q.limit, q.limited = n, true
	return q
}

// ForUpdate locks the rows that are read until the transaction ends. The
// database given must be a pgx.Tx, since anywhere else the lock would be gone
// at once. [Select.Count] and [Select.Exists] refuse it. CockroachDB may also
// lock rows that it looked at in vain, until then.
func (q Select[R, O]) ForUpdate() Select[R, O] {
	q.forUpdate = true
	return q
}

// Get returns the row with that primary key, for which there must be one value
// for each pk column that is not the owner, in the order of the fields; see
// [NewTable]. A value has the type of its field, or is an integer that fits.
//
// Where the owner has no such row, or the conditions are not true for it, the
// error is [ErrNotFound]. OrderBy and Limit make no difference.
func (q Select[R, O]) Get(ctx context.Context, db DB, key ...any) (R, error) {
	var zero R
	if err := check(q.table, q.scope, db); err != nil {
		return zero, err
	}
	args, err := q.table.keyArguments(key)
	if err != nil {
		return zero, err
	}
	q.order = nil
	return q.one(ctx, db, args, 0)
}

// One returns the only row. Where there is none, the error is [ErrNotFound];
// where there are several, [ErrTooMany].
func (q Select[R, O]) One(ctx context.Context, db DB) (R, error) {
	fetch := 2
	if q.limited {
		fetch = min(fetch, q.limit)
	}
	return q.one(ctx, db, nil, fetch)
}

// All returns the rows, an empty slice if there are none. Without a
// [Select.Limit] it refuses to return more than [MaxRows] of them, with
// [ErrTooMany]: it never leaves out rows silently.
func (q Select[R, O]) All(ctx context.Context, db DB) ([]R, error) {
	if q.limited {
		return q.collect(ctx, db, nil, q.limit, q.limit)
	}
	return q.collect(ctx, db, nil, MaxRows+1, MaxRows)
}

// Count returns the number of rows. It refuses a Limit, which would not limit
// it. OrderBy makes no difference.
func (q Select[R, O]) Count(ctx context.Context, db DB) (int64, error) {
	if q.limited {
		return 0, misuse("Count counts all rows; leave out the Limit")
	}
	var n int64
	err := q.scalar(ctx, db, "count(*)", "", &n)
	return n, err
}

// Exists reports whether there is a row. OrderBy and Limit make no difference.
func (q Select[R, O]) Exists(ctx context.Context, db DB) (bool, error) {
	var found bool
	err := q.scalar(ctx, db, "exists (select 1", ")", &found)
	return found, err
}

// prepare checks everything but the key.
func (q Select[R, O]) prepare(db DB) (condition node, err error) {
	if err := check(q.table, q.scope, db); err != nil {
		return nil, err
	}
	if q.limited && q.limit < 1 {
		return nil, misuse("table %s: Limit(%d); the least is 1", q.table.name, q.limit)
	}
	if _, ok := db.(pgx.Tx); q.forUpdate && !ok {
		return nil, misuse("table %s: ForUpdate needs a transaction, not a %T", q.table.name, db)
	}
	for _, o := range q.order {
		if err := o.check(); err != nil {
			return nil, err
		}
	}
	if len(q.where) == 0 {
		return nil, nil
	}
	all := And(q.where...)
	return all.node, all.check()
}

func (q Select[R, O]) one(ctx context.Context, db DB, key []any, fetch int) (R, error) {
	rows, err := q.collect(ctx, db, key, fetch, 1)
	if err == nil && len(rows) == 0 {
		err = q.table.notFound()
	}
	if err != nil {
		var zero R
		return zero, err
	}
	return rows[0], nil
}

// collect asks for that many rows, or all if fetch is 0, and fails if more than
// most come.
func (q Select[R, O]) collect(ctx context.Context, db DB, key []any, fetch, most int) ([]R, error) {
	condition, err := q.prepare(db)
	if err != nil {
		return nil, err
	}
	s := newStatement(q.scope.arg)
	s.text("select ", q.table.list, " from ", q.table.quoted)
	s.where(q.table, key, condition)
	for i, o := range q.order {
		if i == 0 {
			s.text(" order by ")
		} else {
			s.text(", ")
		}
		s.text(o.col.quoted)
		if o.desc {
			s.text(" desc")
		}
	}
	switch {
	case fetch > 0 && q.limited:
		s.text(" limit ")
		s.param(fetch)
	case fetch > 0:
		s.text(" limit ", strconv.Itoa(fetch))
	}
	if q.forUpdate {
		s.text(" for update")
	}

	out := []R{}
	more := false
	err = s.query(ctx, db, func(rows pgx.Rows) error {
		if more = len(out) == most; more {
			return nil
		}
		var row R
		out = append(out, row)
		return rows.Scan(q.table.fields(&out[len(out)-1])...)
	})
	if err != nil {
		return nil, q.table.failed("select from", err)
	}
	if more {
		return nil, fmt.Errorf("%w: %s has more than %d for this call", ErrTooMany, q.table.name, most)
	}
	return out, nil
}

func (q Select[R, O]) scalar(ctx context.Context, db DB, before, after string, dest any) error {
	condition, err := q.prepare(db)
	if err != nil {
		return err
	}
	if q.forUpdate {
		return misuse("table %s: ForUpdate locks the rows that are returned; Count and Exists return none", q.table.name)
	}
	s := newStatement(q.scope.arg)
	s.text("select ", before, " from ", q.table.quoted)
	s.where(q.table, nil, condition)
	s.text(after)
	err = s.query(ctx, db, func(rows pgx.Rows) error { return rows.Scan(dest) })
	if err != nil {
		return q.table.failed("select from", err)
	}
	return nil
}
