package prove

import "slices"

// mustOwn fails unless the conditions keep a table to rows of the owner.
func (p *prover) mustOwn(s *source, must []*expr, in *scope) {
	if s.sub != nil || p.isCTE(s) != nil {
		return // proven where it is written
	}
	t := p.declared(s)
	if t == nil {
		fail("the table %q.%q is not declared", s.schema, s.table)
	}
	if slices.Contains(p.unread, s) {
		return
	}
	n := len(p.claim.Owner)
	if p.claim.Receiver != nil && s != p.written && p.owned(s, t, must, in, n+1, n) {
		return // rows that the transferred row points at are looked up for the receiver
	}
	if !p.owned(s, t, must, in, 1, n) && !p.granted(s, t, must, in) {
		fail("nothing keeps the table %q, called %q, to the owner's rows", t.Name, s.name())
	}
}

// owned reports whether one of the conditions, which all must be true, requires
// that rows of s are those of the owner whose values are n parameters from number
// first.
func (p *prover) owned(s *source, t *Table, must []*expr, in *scope, first, n int) bool {
	switch {
	case t.Shared:
		return true
	case t.Through != nil:
		return p.ownedByExists(s, t, must, in, first, n) || p.ownedByJoin(s, t, must, in, first, n)
	}
	if len(t.Owners) > n {
		return false
	}
	for i, column := range t.Owners {
		if !p.equal(must, in, p.column(s, column), p.ownerAt(first, i)) {
			return false
		}
	}
	return true
}

type matcher func(e *expr, in *scope) bool

// column matches a column of that source.
func (p *prover) column(s *source, name string) matcher {
	return func(e *expr, in *scope) bool {
		return e.kind == "column" && e.table != "excluded" && e.text == p.fold(name) && p.resolve(e, in) == s
	}
}

// ownerAt matches the parameter that holds part i of the owner whose values begin
// at number first: the one in scope or, behind it, the receiver.
func (p *prover) ownerAt(first, i int) matcher {
	want := p.claim.Owner
	if first > 1 {
		want = p.claim.Receiver
	}
	return func(e *expr, _ *scope) bool {
		return e.kind == "param" && e.num == first+i && e.num <= len(p.args) && i < len(want) && same(p.args[e.num-1], want[i])
	}
}

// value matches a parameter with that argument.
func (p *prover) value(v any) matcher {
	return func(e *expr, _ *scope) bool {
		return e.kind == "param" && e.num >= 1 && e.num <= len(p.args) && same(p.args[e.num-1], v)
	}
}

// equal reports whether one of the conditions is that a equals b.
func (p *prover) equal(must []*expr, in *scope, a, b matcher) bool {
	for _, e := range must {
		if e.kind != "op" || e.text != "=" {
			continue
		}
		l, r := e.args[0], e.args[1]
		if a(l, in) && b(r, in) || a(r, in) && b(l, in) {
			return true
		}
	}
	return false
}

// ownedByExists reports whether the parent's row is required to exist and to be the
// owner's.
func (p *prover) ownedByExists(s *source, t *Table, must []*expr, in *scope, first, n int) bool {
	key := make([]matcher, len(t.Parent))
	for i, column := range t.Parent {
		key[i] = p.column(s, column)
	}
	for _, e := range must {
		if p.points(e, in, t.Through, key, first, n) {
			return true
		}
	}
	return false
}

// points reports whether e requires a row of the parent that is the owner's and has
// that key.
func (p *prover) points(e *expr, in *scope, parent *Table, key []matcher, first, n int) bool {
	inner, must, scope := p.looksUp(e, in, parent)
	if inner == nil {
		return false
	}
	for i, match := range key {
		if !p.equal(must, scope, p.column(inner, parent.Key[i]), match) {
			return false
		}
	}
	return p.owned(inner, parent, must, scope, first, n)
}

// looksUp takes apart an EXISTS of rows of one table: the table, the conditions on
// its rows, and the scope of names in them.
func (p *prover) looksUp(e *expr, in *scope, t *Table) (*source, []*expr, *scope) {
	if e.kind != "exists" {
		return nil, nil, nil
	}
	q := e.sub
	// An aggregate without GROUP BY always yields a row.
	if q.verb != "select" || len(q.from) != 1 || q.from[0].join != "" || q.from[0].sub != nil || q.groupBy != nil || q.having != nil ||
		len(q.outputs) != 1 || q.outputs[0].expr.kind != "const" {
		return nil, nil, nil
	}
	inner := q.from[0]
	if p.isCTE(inner) != nil || p.declared(inner) != t {
		return nil, nil, nil
	}
	return inner, conjuncts(q.where), &scope{tables: []*source{inner}, outer: in}
}

// ownedByJoin reports whether the parent is joined: conditions on it then hold for
// the child.
func (p *prover) ownedByJoin(s *source, t *Table, must []*expr, in *scope, first, n int) bool {
	for _, other := range in.tables {
		if other == s || other.sub != nil || p.isCTE(other) != nil || p.declared(other) != t.Through {
			continue
		}
		linked := true
		for i, column := range t.Parent {
			linked = linked && p.equal(must, in, p.column(s, column), p.column(other, t.Through.Key[i]))
		}
		if linked && p.owned(other, t.Through, must, in, first, n) {
			return true
		}
	}
	return false
}
