package main

import (
	"context"
	"fmt"
	"slices"

	"github.com/rowkeeper/rowkeeper/internal/lab/proof/prove"
	"github.com/rowkeeper/rowkeeper/owner"
)

// selection is a select, with everything that the oracle needs to do the same.
type selection[R any, O comparable] struct {
	built  owner.Select[R, O]
	where  condition[R]
	order  []ordering
	limit  int // 0 for none
	lock   bool
	misuse bool
}

type ordering struct {
	field int
	desc  bool
}

func (e *entity[R, O]) selection(s *source, base owner.Select[R, O]) selection[R, O] {
	out := selection[R, O]{built: base}
	parts := e.conditions(s, s.n(6), 4)
	out.where = combined(owner.And[R], parts, no)
	out.misuse = out.where.misuse
	for _, p := range parts {
		out.built = out.built.Where(p.built)
	}
	for range s.n(3) {
		o := ordering{s.n(len(e.fields)), s.one(2)}
		out.order = append(out.order, o)
		out.built = out.built.OrderBy(e.fields[o.field].sort(o.desc))
	}
	if s.one(2) {
		out.limit = pick(s, 1, 2, 3, 50)
		if s.one(20) {
			out.limit, out.misuse = -1, true
		}
		out.built = out.built.Limit(out.limit)
	}
	if s.one(10) {
		out.lock = true
		var options []owner.LockOption
		if s.one(3) {
			options = append(options, pick(s, owner.SkipLocked, owner.NoWait))
		}
		if s.one(2) {
			out.built = out.built.ForShare(options...)
		} else {
			out.built = out.built.ForUpdate(options...)
		}
	}
	return out
}

// chosen returns the actor's rows that the condition chooses.
func (e *entity[R, O]) chosen(where condition[R], who actor, cockroach bool) (out []R) {
	for i := range e.rows {
		if e.owns(&e.rows[i], who) && where.eval(&e.rows[i], who, cockroach) == yes {
			out = append(out, e.rows[i])
		}
	}
	return out
}

func (e *entity[R, O]) reads(base func(*source, actor) owner.Select[R, O]) []maker {
	read := func(kind string, make_ func(s *source, who actor, q selection[R, O], op *operation)) maker {
		return func(s *source, who actor) *operation {
			q := e.selection(s, base(s, who))
			op := &operation{kind: kind, claim: e.claim(prove.Read, who), tx: q.lock, misuse: q.misuse}
			op.expected = func(bool) outcome { return nil }
			make_(s, who, q, op)
			return op
		}
	}
	return []maker{
		read("get", e.get),
		read("one", e.oneRow),
		read("all", e.all),
		read("count", func(s *source, who actor, q selection[R, O], op *operation) {
			var n int64
			op.misuse = op.misuse || q.lock || q.limit != 0
			op.run = func(ctx context.Context, db owner.DB) (err error) { n, err = q.built.Count(ctx, db); return err }
			op.result = func(cr bool) error { return sameNumber(n, len(e.chosen(q.where, who, cr))) }
		}),
		read("exists", func(s *source, who actor, q selection[R, O], op *operation) {
			var found bool
			op.misuse = op.misuse || q.lock
			op.run = func(ctx context.Context, db owner.DB) (err error) { found, err = q.built.Exists(ctx, db); return err }
			op.result = func(cr bool) error {
				if want := len(e.chosen(q.where, who, cr)) > 0; found != want {
					return fmt.Errorf("exists is %v", found)
				}
				return nil
			}
		}),
	}
}

func sameNumber(have int64, want int) error {
	if have != int64(want) {
		return fmt.Errorf("%d rows instead of %d", have, want)
	}
	return nil
}

func (e *entity[R, O]) get(s *source, who actor, q selection[R, O], op *operation) {
	args, key := e.pickKey(s)
	var row R
	// Limit(-1) is misuse, but Get ignores a valid limit.
	op.run = func(ctx context.Context, db owner.DB) (err error) {
		row, err = q.built.Get(ctx, db, args...)
		return err
	}
	find := func(cr bool) *R {
		if i := e.find(key, who); i >= 0 && q.where.eval(&e.rows[i], who, cr) == yes {
			return &e.rows[i]
		}
		return nil
	}
	op.expected = func(cr bool) outcome {
		if find(cr) == nil {
			return outcome{owner.ErrNotFound}
		}
		return nil
	}
	op.result = func(cr bool) error { return e.sameRow(&row, find(cr)) }
}

func (e *entity[R, O]) sameRow(have, want *R) error {
	if h, w := e.show(have, false), e.show(want, false); h != w {
		return fmt.Errorf("the row %s instead of %s", h, w)
	}
	return nil
}

func (e *entity[R, O]) oneRow(_ *source, who actor, q selection[R, O], op *operation) {
	var row R
	op.run = func(ctx context.Context, db owner.DB) (err error) { row, err = q.built.One(ctx, db); return err }
	op.expected = func(cr bool) outcome {
		switch n := len(e.chosen(q.where, who, cr)); {
		case n == 0:
			return outcome{owner.ErrNotFound}
		case n > 1 && q.limit != 1:
			return outcome{owner.ErrTooMany}
		}
		return nil
	}
	op.result = func(cr bool) error { return e.sameRows([]R{row}, q, 1, who, cr) }
}

func (e *entity[R, O]) all(_ *source, who actor, q selection[R, O], op *operation) {
	var rows []R
	op.run = func(ctx context.Context, db owner.DB) (err error) { rows, err = q.built.All(ctx, db); return err }
	op.result = func(cr bool) error { return e.sameRows(rows, q, q.limit, who, cr) }
}

// sameRows compares the rows read with those that the oracle chooses. Rows that are
// equal in the order may come in any order, and any of them may be cut off.
func (e *entity[R, O]) sameRows(rows []R, q selection[R, O], limit int, who actor, cockroach bool) error {
	want := e.chosen(q.where, who, cockroach)
	rest, texts := slices.Clone(want), e.shown(want, false)
	for j, r := range e.shown(rows, false) {
		i := slices.Index(texts, r)
		if i < 0 {
			return fmt.Errorf("the row %s, which is not to be seen", r)
		}
		rows[j] = rest[i] // with the hidden fields, by which it may be ordered
		rest, texts = slices.Delete(rest, i, i+1), slices.Delete(texts, i, i+1)
	}
	compareRows := func(a, b R) int {
		for _, o := range q.order {
			f := e.fields[o.field]
			c := order(f.get(&a), f.get(&b), cockroach)
			if o.desc {
				c = -c
			}
			if c != 0 {
				return c
			}
		}
		return 0
	}
	slices.SortStableFunc(want, compareRows)
	if limit > 0 && len(want) > limit {
		want = want[:limit]
	}
	if len(rows) != len(want) {
		return fmt.Errorf("%d rows instead of %d", len(rows), len(want))
	}
	for i := range rows {
		if compareRows(rows[i], want[i]) != 0 {
			return fmt.Errorf("the rows are in another order")
		}
	}
	return nil
}
