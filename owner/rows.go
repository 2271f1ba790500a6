package owner

import (
	"context"
	"iter"
	"unsafe"
)

// Rows streams the rows: all of them, or as many as Limit allows, without buffering.
// An error comes last, with the zero row. The connection is busy until the loop ends,
// normally or early, so another statement on the same transaction has to wait for
// that.
func (s Select[R, O]) Rows(ctx context.Context, db DB) iter.Seq2[R, error] {
	return func(yield func(R, error) bool) {
		q := s.q
		var row *R
		err := q.Rows(ctx, db, func() unsafe.Pointer {
			row = new(R)
			return unsafe.Pointer(row)
		}, func() bool { return yield(*row, nil) })
		if err != nil {
			var zero R
			yield(zero, err)
		}
	}
}
