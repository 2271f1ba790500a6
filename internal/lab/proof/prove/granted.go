package prove

import "slices"

// Grant declares that a read may see rows of others for which there is a row in a
// table of grants, whose owner is the one in scope.
type Grant struct {
	Table *Table
	From  []string // point at the key of the claim's table
	Where []Equal  // what only grants that count have
}

// Equal is a column and its value.
type Equal struct {
	Column string
	Value  any
}

// base returns the table that a read is on: the first one in FROM, also if the
// whole select is inside EXISTS or is counted. Other references to the same table
// do not count.
func base(q *query) *source {
	if len(q.from) == 0 && len(q.outputs) == 1 && q.outputs[0].expr.kind == "exists" {
		return base(q.outputs[0].expr.sub)
	}
	if len(q.from) != 1 {
		return nil
	}
	s := q.from[0]
	for s.join != "" {
		s = s.left
	}
	if s.sub != nil {
		return base(s.sub)
	}
	return s
}

// granted reports whether one of the conditions requires that rows of s are the
// owner's or granted to it, if the claim allows that.
func (p *prover) granted(s *source, t *Table, must []*expr, in *scope) bool {
	g, n := p.claim.Granted, len(p.claim.Owner)
	if g == nil || p.claim.Verb != Read || s != p.base || t != p.claim.Table {
		return false
	}
	key := make([]matcher, len(t.Key))
	for i, column := range t.Key {
		key[i] = p.column(s, column)
	}
	return slices.ContainsFunc(must, func(e *expr) bool {
		return e.kind == "or" && !slices.ContainsFunc(e.args, func(part *expr) bool {
			return !p.owned(s, t, conjuncts(part), in, 1, n) && !p.grants(part, in, g, key)
		})
	})
}

// grants reports whether e requires a grant for the row with that key.
func (p *prover) grants(e *expr, in *scope, g *Grant, key []matcher) bool {
	inner, must, scope := p.looksUp(e, in, g.Table)
	if inner == nil || len(key) == 0 || len(key) != len(g.From) {
		return false
	}
	for i, match := range key {
		if !p.equal(must, scope, p.column(inner, g.From[i]), match) {
			return false
		}
	}
	for _, w := range g.Where {
		if !p.equal(must, scope, p.column(inner, w.Column), p.value(w.Value)) {
			return false
		}
	}
	return p.owned(inner, g.Table, must, scope, 1, len(p.claim.Owner))
}
