package owner

import (
	"context"

	"github.com/rowkeeper/rowkeeper/owner/internal/core"
)

// A Reader chooses rows of type R to read, for [ColumnOf.Sum] and its like. Only the types of this package implement
// it: [Select] and those that embed one, such as [Scoped].
type Reader[R any] interface {
	reading(R) *core.Query
}

func (s Select[R, O]) reading(R) *core.Query { return &s.q }

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
		err = q.Table.NotFound()
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
		err = q.Table.NotFound()
	}
	if err != nil {
		var zero V
		return zero, err
	}
	return *value, nil
}

func aggregate[R any](ctx context.Context, db DB, rows Reader[R], c *core.Column, open, shut string, numeric bool, dest any) (*core.Query, error) {
	if rows == nil {
		return nil, core.Misuse("the rows are nil")
	}
	var row R
	q := rows.reading(row)
	return q, q.Aggregate(ctx, db, c, open, shut, numeric, dest)
}
