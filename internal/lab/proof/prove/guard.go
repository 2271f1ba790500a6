package prove

// fkTargets is the result of the guard of an insert: each key is that of a row of the
// parent that is the owner's, or the statement fails.
type fkTargets struct {
	parent *Table
	keys   [][]*expr // parameters
}

// guard recognises the value that lets an insert of many rows fail, before anything
// is inserted, unless all of them point at rows of the owner's:
//
//	case when cast(case when NOT OWNED or … then 'rowkeeper references: ' else '0' end as bigint) = 0 then VALUE else NULL end
//
// It must be the first of the first row, which both engines need first. The cast
// fails or is 0, so VALUE is what is inserted, and takes the place of the whole.
func (p *prover) guard(input *query) {
	if input.verb != "values" || len(input.rows) == 0 || len(input.rows[0]) == 0 {
		return
	}
	first := input.rows[0][0]
	if first.kind != "case" || len(first.args) != 3 || !p.nothing(first.args[2]) {
		return
	}
	is := first.args[0]
	if is.kind != "op" || is.text != "=" || is.args[0].kind != "cast" || is.args[0].text != "int8" || is.args[1].text != "i:0" {
		return
	}
	choice := is.args[0].args[0]
	if choice.kind != "case" || len(choice.args) != 3 || choice.args[1].text != "s:rowkeeper references: " || choice.args[2].text != "s:0" {
		return
	}
	conditions := []*expr{choice.args[0]}
	if conditions[0].kind == "or" {
		conditions = conditions[0].args
	}
	for _, e := range conditions {
		if all, ok := p.notOwned(e); ok {
			p.checked = append(p.checked, all)
		}
	}
	p.withGuard = first
}

// notOwned recognises the condition that one of the keys given is not of a row of the
// owner's:
//
//	exists (select 1 from (select unnest(array[KEYS]) as KEY, …) as G where not (exists (select 1 from PARENT where …)))
func (p *prover) notOwned(e *expr) (fkTargets, bool) {
	var out fkTargets
	if e.kind != "exists" {
		return out, false
	}
	q := e.sub
	if q.verb != "select" || q.with != nil || len(q.from) != 1 || q.from[0].sub == nil || q.groupBy != nil || q.having != nil || q.limit != nil || q.lock != "" ||
		len(q.outputs) != 1 || q.outputs[0].expr.kind != "const" || q.where == nil || q.where.kind != "not" {
		return out, false
	}
	given := q.from[0]
	if !p.lists(given.sub) {
		return out, false
	}
	key := make([]matcher, len(given.sub.outputs))
	for i, o := range given.sub.outputs {
		key[i] = p.column(given, o.as)
		for j, value := range o.expr.args[0].args {
			if value.kind == "call" {
				value = value.args[1] // what is before it is NULL
			}
			if i == 0 {
				out.keys = append(out.keys, nil)
			}
			out.keys[j] = append(out.keys[j], value)
		}
	}
	in := &scope{tables: []*source{given}}
	for _, t := range p.claim.Tables {
		if len(t.Key) == len(key) && p.points(q.where.args[0], in, t, key, 1, len(p.claim.Owner)) {
			out.parent = t
			return out, true
		}
	}
	return out, false
}

// lists recognises a table of parameters, and allows the calls of unnest in it:
//
//	select unnest(array[coalesce((select … where false), $2), $3, …]) as KEY, …
func (p *prover) lists(q *query) bool {
	if q.verb != "select" || q.with != nil || q.distinct || len(q.outputs) == 0 || len(q.from) > 0 || q.where != nil || q.groupBy != nil || q.having != nil || q.limit != nil {
		return false
	}
	for _, o := range q.outputs {
		if o.as == "" || o.expr.kind != "call" || o.expr.text != "unnest" || len(o.expr.args) != 1 || o.expr.args[0].kind != "array" {
			return false
		}
		values := o.expr.args[0].args
		if len(values) == 0 || len(values) != len(q.outputs[0].expr.args[0].args) {
			return false // the shorter one would be filled with NULL
		}
		for i, v := range values {
			if i == 0 {
				if v.kind != "call" || v.text != "coalesce" || len(v.args) != 2 || !p.nothing(v.args[0]) {
					return false
				}
				v = v.args[1]
			}
			if v.kind != "param" {
				return false
			}
		}
	}
	for _, o := range q.outputs {
		p.unnest = append(p.unnest, o.expr)
	}
	return true
}

// nothing recognises a NULL with the type of a column: (select COLUMN from TABLE where false).
func (p *prover) nothing(e *expr) bool {
	if e.kind != "scalar" {
		return false
	}
	q := e.sub
	if q.verb != "select" || q.with != nil || len(q.from) != 1 || q.groupBy != nil || q.having != nil ||
		len(q.outputs) != 1 || q.outputs[0].expr.kind != "column" || q.where == nil || q.where.text != "b:false" {
		return false
	}
	p.unread = append(p.unread, q.from[0])
	return true
}

// checkedFK reports whether the guard has checked a key against the parent.
func (p *prover) checkedFK(parent *Table, key []matcher, in *scope) bool {
	for _, c := range p.checked {
		if c.parent != parent {
			continue
		}
	next:
		for _, values := range c.keys {
			for i, match := range key {
				if !match(values[i], in) {
					continue next
				}
			}
			return true
		}
	}
	return false
}
