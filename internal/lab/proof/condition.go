package main

import (
	"strings"

	"github.com/rowkeeper/rowkeeper/owner"
)

// condition is a condition for the package under test, with the oracle's version of
// it.
type condition[R any] struct {
	built  owner.Condition[R]
	eval   func(r *R, who actor, cockroach bool) truth
	misuse bool // the statement must be refused
}

func (e *entity[R, O]) condition(s *source, depth int) condition[R] {
	choice := s.n(12)
	if depth == 0 && choice >= 6 {
		choice -= 6
	}
	switch choice {
	case 6, 7:
		parts := e.conditions(s, depth-1, 4)
		return combined(owner.And[R], parts, no)
	case 8, 9:
		parts := e.conditions(s, depth-1, 4)
		return combined(owner.Or[R], parts, yes)
	case 10:
		c := e.condition(s, depth-1)
		eval := c.eval
		c.built = owner.Not(c.built)
		c.eval = func(r *R, who actor, cr bool) truth { return eval(r, who, cr).not() }
		return c
	case 11:
		if len(e.links) > 0 {
			return pick(s, e.links...)(s, depth-1)
		}
	}
	return e.comparison(s)
}

func (e *entity[R, O]) conditions(s *source, depth, limit int) (out []condition[R]) {
	for range s.n(limit) {
		out = append(out, e.condition(s, depth))
	}
	return out
}

func built[R any](parts []condition[R]) (out []owner.Condition[R]) {
	for _, c := range parts {
		out = append(out, c.built)
	}
	return out
}

// combined joins conditions. The truth that decides alone is yes for OR, and no for
// AND.
func combined[R any](combine func(...owner.Condition[R]) owner.Condition[R], parts []condition[R], decides truth) condition[R] {
	c := condition[R]{
		built: combine(built(parts)...),
		eval: func(r *R, who actor, cr bool) truth {
			result := decides.not()
			for _, p := range parts {
				switch t := p.eval(r, who, cr); {
				case t == decides:
					return t
				case t == unknown:
					result = t
				}
			}
			return result
		},
	}
	for _, p := range parts {
		c.misuse = c.misuse || p.misuse
	}
	return c
}

func (e *entity[R, O]) comparison(s *source) condition[R] {
	f := pick(s, e.fields...)
	switch s.n(6) {
	case 0:
		if f.text {
			return like(s, f)
		}
	case 1:
		return among(s, f)
	case 2:
		not := s.one(2)
		return condition[R]{
			built: f.null(not),
			eval:  func(r *R, _ actor, _ bool) truth { return truthOf((f.get(r) == nil) != not) },
		}
	}
	op, v := s.n(6), f.draw(s)
	with := f.eval(v)
	return condition[R]{
		built:  f.cmp(op, v),
		misuse: with == nil,
		eval: func(r *R, _ actor, cr bool) truth {
			have := f.get(r)
			if have == nil {
				return unknown
			}
			c := compare(have, with, cr)
			return truthOf([]bool{c == 0, c != 0, c < 0, c <= 0, c > 0, c >= 0}[op])
		},
	}
}

func like[R any](s *source, f field[R]) condition[R] {
	kind, text := s.n(3), s.text()
	return condition[R]{
		built: f.like(kind, text),
		eval: func(r *R, _ actor, _ bool) truth {
			have, ok := f.get(r).(string)
			if !ok {
				return unknown
			}
			return truthOf([]func(string, string) bool{strings.Contains, strings.HasPrefix, strings.HasSuffix}[kind](have, text))
		},
	}
}

func among[R any](s *source, f field[R]) condition[R] {
	not := s.one(3)
	values := []any{}
	misuse := false
	for range s.n(6) {
		v := f.draw(s)
		misuse = misuse || f.eval(v) == nil
		values = append(values, v)
	}
	return condition[R]{
		built:  f.in(not, values),
		misuse: misuse || not && len(values) == 0,
		eval: func(r *R, _ actor, cr bool) truth {
			have := f.get(r)
			switch {
			case len(values) == 0:
				return no
			case have == nil:
				return unknown
			}
			for _, v := range values {
				if compare(have, f.eval(v), cr) == 0 {
					return truthOf(!not)
				}
			}
			return truthOf(not)
		},
	}
}

// linkage is a declared foreign key, and the function by which the oracle follows
// it.
type linkage[C, P any, O, Q comparable] struct {
	ref    owner.Reference[C, P]
	child  *entity[C, O]
	parent *entity[P, Q]
	points func(*C, *P) bool
}

// linked uses a foreign key for conditions in both directions and for the checks of
// written values.
func linked[C, P any, O, Q comparable](ref owner.Reference[C, P], child *entity[C, O], from []int, parent *entity[P, Q], both, checked bool) linkage[C, P, O, Q] {
	points := func(c *C, p *P) bool {
		for i, k := range parent.keyFields() {
			if !equal(child.fields[from[i]].get(c), parent.fields[k].get(p)) {
				return false
			}
		}
		return true
	}
	child.links = append(child.links, func(s *source, depth int) condition[C] {
		parts := parent.conditions(s, max(depth, 0), 3)
		all := combined(owner.And[P], parts, no)
		return condition[C]{built: ref.To(built(parts)...), misuse: all.misuse, eval: func(c *C, who actor, cr bool) truth {
			for i := range parent.rows {
				p := &parent.rows[i]
				if parent.owns(p, who) && points(c, p) && all.eval(p, who, cr) == yes {
					return yes
				}
			}
			return no
		}}
	})
	if both {
		parent.links = append(parent.links, func(s *source, depth int) condition[P] {
			parts := child.conditions(s, max(depth, 0), 3)
			all := combined(owner.And[C], parts, no)
			return condition[P]{built: ref.Has(built(parts)...), misuse: all.misuse, eval: func(p *P, who actor, cr bool) truth {
				for i := range child.rows {
					c := &child.rows[i]
					if child.owns(c, who) && points(c, p) && all.eval(c, who, cr) == yes {
						return yes
					}
				}
				return no
			}}
		})
	}
	if checked {
		child.refs = append(child.refs, pointer[C]{fields: from, reach: parent.sees})
	}
	return linkage[C, P, O, Q]{ref, child, parent, points}
}
