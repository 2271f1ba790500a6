package owner

import (
	"context"
	"unsafe"

	"github.com/rowkeeper/rowkeeper/owner/internal/core"
)

// MaxRows is the default limit of rows that [Select.All] returns without a
// [Select.Limit], and that [UpdateWhere] and [DeleteWhere] change without
// MaxAffected.
const MaxRows = 1000

var _ [MaxRows]struct{} = [core.MaxRows]struct{}{} // both are the same

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
	q core.Query
}

// Where narrows the select to the rows for which all conditions are true, in addition
// to those from earlier calls.
func (s Select[R, O]) Where(conditions ...Condition[R]) Select[R, O] {
	where, err := untyped(s.q.Where, conditions)
	s.q.Where = where
	s.q.Fail(err)
	return s
}

// OrderBy sorts the rows by the first column, then the second, and so on. Columns
// from earlier calls come first. Without OrderBy the order is unspecified.
func (s Select[R, O]) OrderBy(orders ...Order[R]) Select[R, O] {
	out := make([]core.Order, len(s.q.Order), len(s.q.Order)+len(orders))
	copy(out, s.q.Order)
	for _, o := range orders {
		s.q.Fail(o.untyped.Check())
		out = append(out, o.untyped)
	}
	s.q.Order = out
	return s
}

// Limit makes [Select.All] return the first n rows instead of an error if there are
// more. The last call counts. With Limit(1), [Select.One] returns the first row of
// several. An n below 1 is an error of the statement.
func (s Select[R, O]) Limit(n int) Select[R, O] {
	s.q.Limit, s.q.Limited = n, true
	return s
}

// Get returns the row with that primary key. The key has one value for each pk column
// that is not the owner, in the order of the fields; see [MustTable]. A value has the
// type of its field or is an integer that fits.
//
// If the owner has no such row, or a condition is not true for it, the error is
// [ErrNotFound]. OrderBy and Limit have no effect.
func (s Select[R, O]) Get(ctx context.Context, db DB, key ...any) (R, error) {
	row := new(R)
	if err := s.q.Get(ctx, db, key, unsafe.Pointer(row)); err != nil {
		var zero R
		return zero, err
	}
	return *row, nil
}

// One returns the only row. If there is none, the error is [ErrNotFound]; if there
// are several, [ErrTooMany].
func (s Select[R, O]) One(ctx context.Context, db DB) (R, error) {
	row := new(R)
	if err := s.q.One(ctx, db, unsafe.Pointer(row)); err != nil {
		var zero R
		return zero, err
	}
	return *row, nil
}

// All returns the rows, or an empty slice if there are none. Without a [Select.Limit]
// it returns [ErrTooMany] if there are more than [MaxRows]: it never leaves out rows
// silently. To read more, use [Select.Rows].
func (s Select[R, O]) All(ctx context.Context, db DB) ([]R, error) {
	rows := []R{}
	if err := s.q.All(ctx, db, func() unsafe.Pointer { return grow(&rows) }); err != nil {
		return nil, err
	}
	return rows, nil
}

// grow appends a row and returns its address.
func grow[R any](rows *[]R) unsafe.Pointer {
	var row R
	*rows = append(*rows, row)
	return unsafe.Pointer(&(*rows)[len(*rows)-1])
}

// Count returns the number of rows. It refuses a Limit, which would not limit it.
// OrderBy has no effect.
func (s Select[R, O]) Count(ctx context.Context, db DB) (int64, error) { return s.q.Count(ctx, db) }

// Exists reports whether there is a row. OrderBy and Limit have no effect.
func (s Select[R, O]) Exists(ctx context.Context, db DB) (bool, error) { return s.q.Exists(ctx, db) }
