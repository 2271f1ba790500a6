package main

import (
	"context"

	"github.com/rowkeeper/rowkeeper/internal/lab/proof/prove"
	"github.com/rowkeeper/rowkeeper/owner"
)

// reading is the read of one call: the rows of a table or of a view.
type reading[R any, O comparable] struct {
	e     *entity[R, O] // with the rows as the oracle knows them
	in    func(actor) owner.Select[R, O]
	who   actor
	claim prove.Claim
	kind  string // of what is read, "" for a table
	key   []int  // the fields that tell rows apart

	// Of a view:
	keyless bool // its rows cannot be told apart
	grouped bool
	misuse  bool
	fill    func(cockroach bool) (loose bool) // makes the rows
}

func (e *entity[R, O]) reading(_ *source, who actor) reading[R, O] {
	return reading[R, O]{
		e: e, who: who, claim: e.claim(prove.Read, who), key: e.keyFields(),
		in: func(a actor) owner.Select[R, O] { return e.table.In(e.scope(a)).Select },
	}
}

// readings returns the calls that do not read at once and unchanged.
func readings[R any, O comparable](of func(*source, actor) reading[R, O]) []maker {
	call := func(make_ func(reading[R, O], *source, *operation)) maker {
		return func(s *source, who actor) *operation {
			r := of(s, who)
			op := &operation{claim: r.claim, expected: func(bool) outcome { return nil }}
			make_(r, s, op)
			r.finish(op)
			return op
		}
	}
	return []maker{
		call(reading[R, O].page),
		call(reading[R, O].pages),
		call(reading[R, O].foreignCursor),
		call(reading[R, O].stream),
		call(reading[R, O].aggregate),
	}
}

// finish completes an operation on a view.
func (r reading[R, O]) finish(op *operation) {
	op.kind = r.kind + op.kind
	op.claim = r.claim
	op.misuse = op.misuse || r.misuse
	if r.misuse {
		op.refusal = nil // it may be refused for the view
	}
	if r.fill == nil {
		return
	}
	loose := false
	expected, result := op.expected, op.result
	op.expected = func(cr bool) outcome {
		if loose = r.fill(cr); loose {
			return outcome{nil, errScan, outOfRange, owner.ErrNotFound, owner.ErrTooMany}
		}
		return expected(cr)
	}
	op.result = func(cr bool) error {
		if loose {
			return nil
		}
		return result(cr)
	}
}

// some narrows and sorts the rows only a little, so that several remain.
func (r reading[R, O]) some(s *source) selection[R, O] {
	q := selection[R, O]{built: r.in(r.who), where: combined(owner.And[R], nil, no)}
	if s.one(3) {
		c := r.e.condition(s, s.n(3))
		q.where, q.misuse = c, c.misuse
		q.built = q.built.Where(c.built)
	}
	for range s.n(3) {
		o := ordering{s.n(len(r.e.fields)), s.one(2)}
		q.order = append(q.order, o)
		q.built = q.built.OrderBy(r.e.fields[o.field].sort(o.desc))
	}
	return q
}

// locked adds a lock once in a while.
func (r reading[R, O]) locked(s *source, q *selection[R, O], op *operation) {
	if s.one(12) {
		q.built, q.lock, op.tx = q.built.ForUpdate(), true, true
		op.misuse = op.misuse || r.grouped
	}
}

// compareRows compares by the order, as ORDER BY does.
func (e *entity[R, O]) compareRows(a, b *R, by []ordering, cockroach bool) int {
	for _, o := range by {
		f := e.fields[o.field]
		c := order(f.get(a), f.get(b), cockroach)
		if o.desc {
			c = -c
		}
		if c != 0 {
			return c
		}
	}
	return 0
}

var background = context.Background()
