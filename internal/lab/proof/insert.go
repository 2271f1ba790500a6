package main

import (
	"context"
	"fmt"
	"reflect"
	"slices"

	"github.com/rowkeeper/rowkeeper/internal/lab/proof/prove"
	"github.com/rowkeeper/rowkeeper/owner"
)

// draw creates a row for the actor; if other, the row names somebody else.
func (e *entity[R, O]) draw(s *source, who actor) (r R, other bool) {
	for i := range e.fields {
		e.fields[i].put(&r, e.fields[i].draw(s))
	}
	if s.one(12) && e.args != nil && len(e.model.Owners) > 0 {
		before := r
		e.give(&r, who)
		return before, e.foreign(&before, who)
	}
	e.give(&r, who)
	return r, false
}

// foreign reports whether a field names an owner who is not the actor.
func (e *entity[R, O]) foreign(r *R, who actor) bool {
	own := *r
	e.give(&own, who)
	for _, f := range e.fields {
		if f.owner && !f.zero(r) && !equal(f.get(r), f.get(&own)) {
			return true
		}
	}
	return false
}

func isID[R any](f field[R]) bool { return f.pk && !f.owner && f.sqlOf == "bigint" }

// filled reports whether the field is left to the database if it is zero.
func (e *entity[R, O]) filled(f field[R]) bool {
	return f.pk && !f.owner && !f.parent && len(e.keyFields()) == 1
}

// missing reports whether a key is left out that the database does not fill.
func (e *entity[R, O]) missing(r *R) bool {
	return slices.ContainsFunc(e.fields, func(f field[R]) bool { return e.filled(f) && !isID(f) && f.zero(r) })
}

// asInserted returns the row as the database must have it, except for a generated
// id.
func (e *entity[R, O]) asInserted(r R, who actor) R {
	e.give(&r, who)
	for _, f := range e.fields {
		if f.version {
			reflect.ValueOf(f.at(&r)).Elem().SetInt(1)
		}
	}
	return r
}

// withID gives a row whose id the database generates an id that no row has.
func (e *entity[R, O]) withID(r R) R {
	for _, f := range e.fields {
		if isID(f) && f.zero(&r) {
			f.put(&r, int64(firstID-1))
		}
	}
	return r
}

func (e *entity[R, O]) insertOne(s *source, who actor) *operation {
	row, other := e.draw(s, who)
	want := row
	op := &operation{kind: "insert", claim: e.claim(prove.Insert, who), misuse: other}
	op.run = func(ctx context.Context, db owner.DB) error {
		row = want
		return e.table.In(e.scope(who)).Insert(ctx, db, &row)
	}
	op.expected = func(bool) outcome {
		switch full := e.asInserted(want, who); {
		case !e.points(&full, who, nil):
			if e.missing(&full) { // CockroachDB sees it before it runs the statement
				return outcome{owner.ErrReference, noKey}
			}
			return outcome{owner.ErrReference}
		case e.missing(&full):
			return outcome{notNullViolation, noKey}
		case e.twice(append(slices.Clone(e.rows), e.withID(full))):
			return outcome{uniqueViolation}
		}
		return nil
	}
	op.result = func(bool) error { return e.inserted(&row, e.asInserted(want, who)) }
	return op
}

// inserted compares a returned row, and stores it. A generated id is accepted if it
// is new.
func (e *entity[R, O]) inserted(have *R, want R) error {
	for _, f := range e.fields {
		if isID(f) && f.zero(&want) {
			if f.get(have).(int64) < firstID {
				return fmt.Errorf("the id %v was not made by the database", f.get(have))
			}
			f.put(&want, reflectValue(f.at(have)))
		}
	}
	e.rows = append(e.rows, want)
	if e.twice(e.rows) {
		return fmt.Errorf("the id is not new")
	}
	return e.sameRow(have, &want)
}

// firstID is the first id that the databases generate.
const firstID = 5000

func (e *entity[R, O]) insertMany(s *source, who actor) *operation {
	var rows []R
	op := &operation{kind: "insert many", claim: e.claim(prove.Insert, who)}
	for i := range s.n(5) {
		row, other := e.draw(s, who)
		for _, f := range e.fields { // values that the database generates are not returned, so the oracle does not know them
			if isID(f) && f.zero(&row) {
				f.put(&row, int64(i+1))
			}
		}
		op.misuse = op.misuse || other
		rows = append(rows, row)
	}
	op.empty = len(rows) == 0
	op.run = func(ctx context.Context, db owner.DB) error {
		return e.table.In(e.scope(who)).InsertMany(ctx, db, rows)
	}
	var full []R
	op.expected = func(bool) (out outcome) {
		full = nil
		for _, r := range rows {
			full = append(full, e.asInserted(r, who))
		}
		if slices.ContainsFunc(full, func(r R) bool { return !e.points(&r, who, nil) }) {
			out = append(out, owner.ErrReference)
		}
		if slices.ContainsFunc(full, func(r R) bool { return e.missing(&r) }) {
			out = append(out, notNullViolation, noKey)
		}
		if e.twice(append(slices.Clone(e.rows), full...)) {
			out = append(out, uniqueViolation)
		}
		return out
	}
	op.result = func(bool) error {
		e.rows = append(e.rows, full...)
		return nil
	}
	return op
}
