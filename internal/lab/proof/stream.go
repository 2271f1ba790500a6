package main

import (
	"context"
	"fmt"

	"github.com/rowkeeper/rowkeeper/owner"
)

// stream reads the rows one by one, and often not all of them. Another statement on
// the same connection then shows that the connection is free again.
func (r reading[R, O]) stream(s *source, op *operation) {
	op.kind = "rows"
	q := r.some(s)
	if s.one(2) {
		q = r.e.selection(s, r.in(r.who))
		op.tx = q.lock
		op.misuse = r.grouped && q.lock
	} else {
		op.tx = s.one(2)
	}
	op.misuse = op.misuse || q.misuse
	most := s.n(5) // 0 for all
	var rows []R
	var found bool
	op.run = func(ctx context.Context, db owner.DB) error {
		rows = nil
		for row, err := range q.built.Rows(ctx, db) {
			if err != nil {
				return err
			}
			if rows = append(rows, row); len(rows) == most {
				break
			}
		}
		var err error
		found, err = r.in(r.who).Exists(ctx, db)
		return err
	}
	op.result = func(cr bool) error {
		if want := len(r.e.chosen(combined(owner.And[R], nil, no), r.who, cr)) > 0; found != want {
			return fmt.Errorf("behind the rows, exists is %v", found)
		}
		limit := q.limit
		if most > 0 && (limit == 0 || most < limit) {
			limit = most
		}
		return r.e.sameRows(rows, q, limit, r.who, cr)
	}
}
