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
	q := s.q
	return func(yield func(R, error) bool) {
		var zero R
		if err := q.prepare(db, false); err != nil {
			yield(zero, err)
			return
		}
		var st statement
		q.build(&st, nil, q.limit)
		if err := q.table.leading(st.args); err != nil {
			yield(zero, err)
			return
		}
		rows, err := db.Query(ctx, st.sql.String(), st.args...)
		if err != nil {
			yield(zero, q.table.failed("select from", err))
			return
		}
		defer rows.Close()
		fields := make([]any, 0, len(q.table.readable))
		for rows.Next() {
			row := new(R)
			if err := rows.Scan(q.table.fields(fields, unsafe.Pointer(row))...); err != nil {
				yield(zero, q.table.failed("select from", err))
				return
			}
			if !yield(*row, nil) {
				return
			}
		}
		if err := rows.Err(); err != nil {
			yield(zero, q.table.failed("select from", err))
		}
	}
}
