package prove

// guard recognises the statement that inserts many rows and fails unless all of
// them point at rows of the owner's:
//
//	with W as (insert … returning …), N (BAD) as (select count(*) from W where not (GUARD))
//	select case when (select BAD from N) = 0 then … else cast(…) end
//
// What is inserted by W is guarded if GUARD says so for each reference, and if
// nothing but a cast of text, which fails, comes out otherwise.
func (p *prover) guard(q *query) {
	if q.verb != "select" || len(q.with) != 2 || q.with[0].query.verb != "insert" || q.with[1].query.verb != "select" || len(q.with[1].columns) != 1 ||
		q.from != nil || len(q.outputs) != 1 || q.outputs[0].expr.kind != "case" || len(q.outputs[0].expr.args) != 3 {
		return
	}
	insert, count, choice := q.with[0], q.with[1], q.outputs[0].expr.args
	if !isCountOf(count.query, insert.name) || count.query.where == nil || count.query.where.kind != "not" {
		return
	}
	when, otherwise := choice[0], choice[2]
	if when.kind != "op" || when.text != "=" || !isScalar(when.args[0], count) || when.args[1].text != "i:0" ||
		otherwise.kind != "cast" || otherwise.text != "int8" || otherwise.args[0].text != "||" || otherwise.args[0].args[0].text != "s:rowkeeper references: " {
		return
	}
	p.ctes[insert.name] = &insert // to resolve its columns, here only
	defer delete(p.ctes, insert.name)
	rows := count.query.from[0]
	in := &scope{tables: []*source{rows}}
	must := conjuncts(count.query.where.args[0])
	t := p.claim.Table
	refs := t.References
	if t.Through != nil {
		refs = append([]Reference{{Parent: t.Through, From: t.Parent}}, refs...)
	}
	for _, r := range refs {
		key := make([]matcher, len(r.From))
		for i, column := range r.From {
			key[i] = p.column(rows, column)
		}
		found := false
		for _, e := range must {
			found = found || p.pointsOrNull(e, in, r, key, rows, 1)
		}
		if !found {
			return
		}
	}
	p.guarded = map[*query]bool{insert.query: true}
}

// isCountOf: select count(*) from the table.
func isCountOf(q *query, table string) bool {
	return len(q.from) == 1 && q.from[0].table == table && q.from[0].schema == "" && q.groupBy == nil && q.having == nil && q.limit == nil &&
		len(q.outputs) == 1 && q.outputs[0].expr.kind == "call" && q.outputs[0].expr.text == "count" && q.outputs[0].expr.args[0].kind == "star"
}

// isScalar: (select BAD from N).
func isScalar(e *expr, c cte) bool {
	return e.kind == "scalar" && len(e.sub.from) == 1 && e.sub.from[0].table == c.name && e.sub.where == nil && e.sub.limit == nil &&
		len(e.sub.outputs) == 1 && e.sub.outputs[0].expr.kind == "column" && e.sub.outputs[0].expr.text == c.columns[0]
}
