package owner

import (
	"context"
	"fmt"
)

// A Reader chooses rows of type R to read, for [ColumnOf.Sum] and its like. Only the types of this package implement
// it: [Select] and those that embed one, such as [Scoped].
type Reader[R any] interface {
	reading(R) *query
}

func (s Select[R, O]) reading(R) *query { return &s.q }

// Sum returns the sum of the column over the rows, or 0 if there are none. NULL does
// not count. It returns an error if V is too small for the sum.
//
//	total, err := Balance.Sum(ctx, db, Accounts.In(me))
func (c ColumnOf[R, V]) Sum(ctx context.Context, db DB, rows Reader[R]) (V, error) {
	var sum V
	_, err := aggregate(ctx, db, rows, c.col, "coalesce(sum(", "), 0)", true, &sum)
	return sum, err
}

// Min returns the least value of the column over the rows. If there is none, the
// error is [ErrNotFound].
func (c ColumnOf[R, V]) Min(ctx context.Context, db DB, rows Reader[R]) (V, error) {
	return c.extreme(ctx, db, rows, "min(")
}

// Max returns the greatest value of the column over the rows. If there is none, the
// error is [ErrNotFound].
func (c ColumnOf[R, V]) Max(ctx context.Context, db DB, rows Reader[R]) (V, error) {
	return c.extreme(ctx, db, rows, "max(")
}

// Avg returns the average of the column over the rows. If there is no value, the
// error is [ErrNotFound].
func (c ColumnOf[R, V]) Avg(ctx context.Context, db DB, rows Reader[R]) (float64, error) {
	var avg *float64
	q, err := aggregate(ctx, db, rows, c.col, "avg(", ")", true, &avg)
	if err == nil && avg == nil {
		err = q.table.notFound()
	}
	if err != nil {
		return 0, err
	}
	return *avg, nil
}

func (c ColumnOf[R, V]) extreme(ctx context.Context, db DB, rows Reader[R], function string) (V, error) {
	var value *V
	q, err := aggregate(ctx, db, rows, c.col, function, ")", false, &value)
	if err == nil && value == nil {
		err = q.table.notFound()
	}
	if err != nil {
		var zero V
		return zero, err
	}
	return *value, nil
}

func aggregate[R any](ctx context.Context, db DB, rows Reader[R], c *column, open, shut string, numeric bool, dest any) (*query, error) {
	var row R
	if rows == nil {
		return nil, misuse("the rows are nil")
	}
	q := rows.reading(row)
	switch {
	case c == nil:
		return nil, errNoColumn
	case q.limited:
		return nil, misuse("an aggregate is over all rows; leave out the Limit")
	case q.table != nil && (q.table.grouped() || c.table != q.table):
		return nil, misuse("column %s: it is no column of single rows of %s", c, q.table.name)
	case c.hidden:
		return nil, misuse("column %s: it is hidden, and an aggregate would show it; declare a view that reads it", c)
	case numeric && !isNumeric(c.typ):
		return nil, misuse("column %s: %s needs a numeric column, not one of type %s", c, fmt.Sprint(open, c.name, shut), c.typ)
	}
	return q, q.scalar(ctx, db, open+c.quoted+shut, dest)
}
