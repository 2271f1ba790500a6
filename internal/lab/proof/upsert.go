package main

import (
	"context"
	"slices"

	"github.com/rowkeeper/rowkeeper/internal/lab/proof/prove"
	"github.com/rowkeeper/rowkeeper/owner"
)

func (e *entity[R, O]) upsert(s *source, who actor) *operation {
	row, other := e.draw(s, who)
	key := pick(s, e.keys...)
	if len(e.rows) > 0 && s.one(2) { // on an existing row of any owner
		like := &e.rows[s.n(len(e.rows))]
		for _, i := range key.fields {
			if f := e.fields[i]; !f.owner {
				f.put(&row, reflectValue(f.at(like)))
			}
		}
	}
	op := &operation{kind: "upsert", claim: e.claim(prove.Upsert, who), misuse: other}
	for _, i := range key.fields {
		f := e.fields[i]
		op.misuse = op.misuse || f.get(&row) == nil || e.filled(f) && f.zero(&row)
	}
	want := row
	op.run = func(ctx context.Context, db owner.DB) error {
		row = want
		return e.table.In(e.scope(who)).Upsert(ctx, db, &row, key.columns[0], key.columns[1:]...)
	}
	var at int
	var full, changed R
	op.expected = func(bool) outcome {
		full = e.asInserted(want, who)
		at = e.rival(e.rows, &full, -1, key.fields)
		switch {
		case !e.points(&full, who, nil):
			if e.missing(&full) { // CockroachDB sees it before it runs the statement
				return outcome{owner.ErrReference, noKey}
			}
			return outcome{owner.ErrReference}
		case e.missing(&full):
			return outcome{notNullViolation, noKey}
		case at < 0 && e.twice(append(slices.Clone(e.rows), e.withID(full))):
			return outcome{uniqueViolation}
		case at < 0:
			return nil
		case !e.owns(&e.rows[at], who), e.moves(&e.rows[at], &full, key.fields):
			return outcome{owner.ErrNotFound}
		}
		changed = e.rows[at]
		for i, f := range e.fields {
			switch {
			case f.version:
				count(f, &changed)
			case f.fixed || slices.Contains(key.fields, i) || f.hidden && f.zero(&full):
			default:
				f.put(&changed, reflectValue(f.at(&full)))
			}
		}
		all := slices.Clone(e.rows)
		all[at] = changed
		if e.twice(all) {
			return outcome{uniqueViolation}
		}
		return nil
	}
	op.result = func(bool) error {
		if at < 0 {
			return e.inserted(&row, full)
		}
		e.rows[at] = changed
		return e.sameRow(&row, &changed)
	}
	return op
}

// moves reports whether the upsert would give the row to another parent.
func (e *entity[R, O]) moves(from, to *R, key []int) bool {
	for i, f := range e.fields {
		if f.parent && !slices.Contains(key, i) && !equal(f.get(from), f.get(to)) {
			return true
		}
	}
	return false
}
