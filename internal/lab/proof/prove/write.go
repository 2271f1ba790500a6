package prove

import "slices"

// write counts a write, which must be of the kind and on the table of the claim.
func (p *prover) write(q *query, verb Verb) {
	p.writes++
	claimed := p.claim.Verb
	if claimed == Upsert && verb == Insert || claimed == Transfer && verb == Update {
		claimed = verb
	}
	if claimed != verb {
		fail("a %s is no %s", p.claim.Verb, verb)
	}
	if p.declared(q.target) != p.claim.Table {
		fail("a write to %q, which is another table", q.target.table)
	}
	if t := p.claim.Table; t.Shared {
		fail("a write to the shared table %q", t.Name)
	}
}

// current fails unless the row must be in the version of the claim.
func (p *prover) current(q *query, must []*expr, in *scope) {
	if at, t := p.claim.At, p.claim.Table; at != nil && !p.equal(must, in, p.column(q.target, t.Version), p.value(at)) {
		fail("the version of %q is not compared", t.Name)
	}
}

// fixed reports whether no update may change the column.
func (p *prover) fixed(t *Table, column string) bool {
	return p.among(t.Owners, column) || p.among(t.Key, column) || p.among(t.Parent, column) || p.fold(t.Version) == column
}

// assigned checks assignments to one row of s.
func (p *prover) assigned(s *source, t *Table, set []assignment, in *scope) {
	var seen []string
	for _, a := range set {
		if slices.Contains(seen, a.column) || !p.has(t, a.column) {
			fail("an assignment to %q, which is not declared or was assigned before", a.column)
		}
		seen = append(seen, a.column)
		itself := p.column(s, a.column)
		switch {
		case itself(a.expr, in): // stays as it is
		case t.Version != "" && a.column == p.fold(t.Version):
			if e := a.expr; e.kind != "op" || e.text != "+" || !itself(e.args[0], in) || e.args[1].text != "i:1" {
				fail("the version is not counted up by one")
			}
		case p.claim.Verb == Transfer && p.among(t.Owners, a.column):
		case p.fixed(t, a.column):
			fail("an assignment to %q, which is the owner, a key or a parent", a.column)
		case p.claim.Assign != nil && !p.among(p.claim.Assign, a.column):
			fail("an assignment to %q, which this caller may not change", a.column)
		}
	}
	if t.Version != "" && !slices.Contains(seen, p.fold(t.Version)) {
		fail("the version is not counted up")
	}
}

func (p *prover) update(q *query, in *scope) {
	p.write(q, Update)
	t, must := p.claim.Table, conjuncts(q.where)
	p.mustOwn(q.target, must, in)
	p.current(q, must, in)
	p.assigned(q.target, t, q.set, in)
	if p.claim.Verb == Transfer {
		p.transfer(q, must, in)
		return
	}
	value := func(column string) (*expr, bool) {
		for _, a := range q.set {
			if a.column == p.fold(column) {
				return a.expr, true
			}
		}
		return nil, false
	}
	for _, r := range t.References {
		p.pointsFrom(r, value, must, in)
	}
}

// pointsFrom fails unless one of the conditions requires that a reference with
// given values points at a row of the owner's, or at nothing.
func (p *prover) pointsFrom(r Reference, value func(string) (*expr, bool), must []*expr, in *scope) {
	key := make([]matcher, len(r.From))
	for i, column := range r.From {
		e, given := value(column)
		switch {
		case !given && i == 0:
			return // other values are given, or the reference is unchanged
		case !given:
			fail("a part of the reference to %q is assigned, and others are not", r.Parent.Name)
		case e.kind == "const" && e.text == "null":
			return
		case e.kind != "param":
			fail("a reference to %q is given what is no parameter", r.Parent.Name)
		case null(p.args[e.num-1]):
			return
		}
		key[i] = p.value(p.args[e.num-1])
	}
	for _, e := range must {
		if p.points(e, in, r.Parent, key, 1, len(p.claim.Owner)) {
			return
		}
	}
	if p.checkedFK(r.Parent, key, in) {
		return
	}
	fail("a reference to %q is not checked to be the owner's", r.Parent.Name)
}

// transfer checks that all of the owner's columns go to the receiver, and that the
// rows that the row points at are the receiver's.
func (p *prover) transfer(q *query, must []*expr, in *scope) {
	t, n := p.claim.Table, len(p.claim.Owner)
	for i, column := range t.Owners {
		j := slices.IndexFunc(q.set, func(a assignment) bool { return a.column == p.fold(column) })
		if j < 0 || !p.ownerAt(n+1, i)(q.set[j].expr, in) {
			fail("the owner %q does not become the receiver", column)
		}
	}
	for _, r := range t.References {
		key := make([]matcher, len(r.From))
		for i, column := range r.From {
			key[i] = p.column(q.target, column)
		}
		if !slices.ContainsFunc(must, func(e *expr) bool { return p.pointsOrNull(e, in, r, key, q.target, n+1) }) {
			fail("what the row points at in %q is not checked to be the receiver's", r.Parent.Name)
		}
	}
}

// pointsOrNull reports whether e requires that the reference of s is NULL or points
// at a row of the owner whose parameters begin at number first.
func (p *prover) pointsOrNull(e *expr, in *scope, r Reference, key []matcher, s *source, first int) bool {
	parts := []*expr{e}
	if e.kind == "or" {
		parts = e.args
	}
	found := false
	for _, part := range parts {
		switch {
		case part.kind == "null" && slices.ContainsFunc(r.From, func(c string) bool { return p.column(s, c)(part.args[0], in) }):
		case p.points(part, in, r.Parent, key, first, len(p.claim.Owner)):
			found = true
		default:
			return false
		}
	}
	return found
}

func (p *prover) insert(q *query, in *scope) {
	p.write(q, Insert)
	t := p.claim.Table
	for i, c := range q.columns {
		if !p.has(t, c) || slices.Contains(q.columns[:i], c) {
			fail("an insert into the column %q, which is not declared or comes twice", c)
		}
	}
	p.guard(q.input)
	p.query(q.input, in.outer)
	rows, must := q.input.rows, conjuncts(q.input.where)
	inner := &scope{outer: in.outer}
	if q.input.verb == "select" {
		if len(q.input.from) > 0 {
			fail("an insert of what is read from tables")
		}
		var row []*expr
		for _, o := range q.input.outputs {
			row = append(row, o.expr)
		}
		rows = [][]*expr{row}
	}
	for _, row := range rows {
		if len(row) != len(q.columns) {
			fail("%d values for %d columns", len(row), len(q.columns))
		}
		p.row(q, t, row, must, inner)
	}
	p.onConflict(q, t, in)
}

func (p *prover) row(q *query, t *Table, row, must []*expr, in *scope) {
	value := func(column string) (*expr, bool) {
		i := slices.Index(q.columns, p.fold(column))
		if i < 0 || row[i].kind == "default" {
			return nil, false
		}
		if row[i] == p.withGuard {
			return row[i].args[1], true
		}
		return row[i], true
	}
	for i, column := range t.Owners {
		e, given := value(column)
		if !given || !p.ownerAt(1, i)(e, in) {
			fail("the owner %q is not set to the one in scope", column)
		}
	}
	if t.Version != "" {
		if e, given := value(t.Version); !given || e.text != "i:1" {
			fail("the version does not begin with 1")
		}
	}
	if t.Through != nil {
		for _, column := range t.Parent {
			if _, given := value(column); !given {
				fail("the row is inserted without its parent")
			}
		}
		p.pointsFrom(Reference{Parent: t.Through, From: t.Parent}, value, must, in)
	}
	for _, r := range t.References {
		p.pointsFrom(r, value, must, in)
	}
}

func (p *prover) onConflict(q *query, t *Table, in *scope) {
	c := q.conflict
	if c == nil {
		return
	}
	if p.claim.Verb != Upsert {
		fail("ON CONFLICT in what is no upsert")
	}
	if len(c.target) == 0 {
		fail("ON CONFLICT without columns")
	}
	for _, column := range c.target {
		if !p.has(t, column) {
			fail("ON CONFLICT of %q, which is not declared", column)
		}
	}
	if c.nothing {
		return
	}
	p.mustOwn(q.target, conjuncts(c.where), in)
	p.assigned(q.target, t, c.set, in)
	for _, a := range c.set {
		if a.expr.table == "excluded" && a.expr.text != a.column {
			fail("the column %q is set to what was to be inserted into %q", a.column, a.expr.text)
		}
	}
}
