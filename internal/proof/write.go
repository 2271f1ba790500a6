package main

import (
	"context"
	"fmt"
	"math"
	"reflect"
	"slices"

	"github.com/rowkeeper/rowkeeper/internal/proof/prove"
	"github.com/rowkeeper/rowkeeper/owner"
)

// reflectValue is what the pointer points at.
func reflectValue(p any) any { return reflect.ValueOf(p).Elem().Interface() }

// draw makes a row for the actor; if other, it names somebody else.
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

// missing reports whether a key that the database does not fill is left out.
func (e *entity[R, O]) missing(r *R) bool {
	return slices.ContainsFunc(e.fields, func(f field[R]) bool {
		return f.pk && !f.owner && !f.parent && !isID(f) && f.zero(r)
	})
}

// asInserted is the row as the database is to have it, but for an id that it
// makes itself.
func (e *entity[R, O]) asInserted(r R, who actor) R {
	e.give(&r, who)
	for _, f := range e.fields {
		if f.version {
			reflect.ValueOf(f.at(&r)).Elem().SetInt(1)
		}
	}
	return r
}

// withID gives a row whose id is left to the database one that nobody has.
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

// inserted compares a row that came back, and takes it over. An id that the
// database made is believed if it is new.
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

// firstID is where the ids begin that the databases make.
const firstID = 5000

func (e *entity[R, O]) insertMany(s *source, who actor) *operation {
	var rows []R
	op := &operation{kind: "insert many", claim: e.claim(prove.Insert, who)}
	for i := range s.n(5) {
		row, other := e.draw(s, who)
		for _, f := range e.fields { // what the database makes does not come back, so it is unknown to the oracle
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

func (e *entity[R, O]) upsert(s *source, who actor) *operation {
	row, other := e.draw(s, who)
	key := pick(s, e.keys...)
	if len(e.rows) > 0 && s.one(2) { // on a row that is there, whoever's it is
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
		op.misuse = op.misuse || f.get(&row) == nil || f.pk && !f.owner && !f.parent && f.zero(&row)
	}
	want := row
	op.run = func(ctx context.Context, db owner.DB) error {
		row = want
		return e.table.In(e.scope(who)).Upsert(ctx, db, &row, key.key)
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
		case !e.owns(&e.rows[at], who):
			return outcome{owner.ErrNotFound}
		}
		changed = e.rows[at]
		for i, f := range e.fields {
			switch {
			case f.version:
				count(f, &changed)
			case f.fixed || slices.Contains(key.fields, i):
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

func count[R any](f field[R], r *R) {
	v := reflect.ValueOf(f.at(r)).Elem()
	v.SetInt(v.Int() + 1)
}

// changes are assignments, and what they do to a row.
type changes[R any] struct {
	built  []owner.Assignment[R]
	fields []int
	apply  []func(*R, bool) error
	misuse bool
}

func (e *entity[R, O]) changes(s *source) (out changes[R]) {
	for range 1 + s.n(3) {
		i := s.n(len(e.fields))
		if (e.fields[i].fixed || slices.Contains(out.fields, i)) && !s.one(20) {
			continue
		}
		f := e.fields[i]
		v := f.draw(s)
		add := f.number && s.one(3) || s.one(40)
		out.misuse = out.misuse || f.fixed || slices.Contains(out.fields, i)
		out.fields = append(out.fields, i)
		if !add {
			out.built = append(out.built, f.set(v))
			out.apply = append(out.apply, func(r *R, _ bool) error { f.put(r, v); return nil })
			continue
		}
		out.built = append(out.built, f.add(v))
		out.misuse = out.misuse || !f.number || f.eval(v) == nil ||
			slices.ContainsFunc(e.refs, func(p pointer[R]) bool { return slices.Contains(p.fields, i) })
		out.apply = append(out.apply, func(r *R, cr bool) error { return addTo(f, r, f.eval(v), cr) })
	}
	out.misuse = out.misuse || len(out.built) == 0
	return out
}

func addTo[R any](f field[R], r *R, delta any, cockroach bool) error {
	v := reflect.ValueOf(f.at(r)).Elem()
	if v.Kind() == reflect.Pointer {
		if v.IsNil() {
			return nil
		}
		fresh := reflect.New(v.Type().Elem())
		fresh.Elem().Set(v.Elem())
		v.Set(fresh)
		v = fresh.Elem()
	}
	if v.CanFloat() {
		a, b := v.Float(), delta.(float64)
		if !cockroach && math.IsInf(a+b, 0) && !math.IsInf(a, 0) && !math.IsInf(b, 0) {
			return outOfRange
		}
		v.SetFloat(a + b)
		return nil
	}
	a, b := v.Int(), delta.(int64)
	if sum := a + b; (sum > a) != (b > 0) && b != 0 || v.OverflowInt(sum) {
		return outOfRange
	}
	v.SetInt(a + b)
	return nil
}

// apply changes a copy of the row.
func (e *entity[R, O]) apply(r R, set changes[R], cockroach bool) (R, error) {
	for _, f := range set.apply {
		if err := f(&r, cockroach); err != nil {
			return r, err
		}
	}
	for _, f := range e.fields {
		if f.version {
			count(f, &r)
		}
	}
	return r, nil
}

func (e *entity[R, O]) update(s *source, who actor) *operation {
	args, key := e.pickKey(s)
	set := e.changes(s)
	op := &operation{kind: "update", claim: e.claim(prove.Update, who), misuse: set.misuse}
	u := e.table.In(e.scope(who)).Update(args...).Set(set.built...)
	version := int64(0)
	if s.one(3) {
		version = int64(s.n(4))
		if s.one(3) {
			u = u.IfMatch(owner.ETag(version))
		} else {
			u = u.At(version)
		}
		op.misuse = op.misuse || e.model.Version == "" || version == 0
	}
	returning := s.one(2)
	var row R
	op.run = func(ctx context.Context, db owner.DB) (err error) {
		if returning {
			row, err = u.Returning(ctx, db)
			return err
		}
		return u.Exec(ctx, db)
	}
	var at int
	var changed R
	op.expected = func(cr bool) outcome {
		if at = e.find(key, who); at < 0 {
			return outcome{owner.ErrNotFound}
		}
		for _, f := range e.fields {
			if f.version && version != 0 && f.get(&e.rows[at]) != any(version) {
				return outcome{owner.ErrStale}
			}
		}
		var err error
		if changed, err = e.apply(e.rows[at], set, cr); err == nil {
			if !e.points(&changed, who, func(f int) bool { return slices.Contains(set.fields, f) }) {
				return outcome{owner.ErrReference}
			}
			all := slices.Clone(e.rows)
			all[at] = changed
			if e.twice(all) {
				err = uniqueViolation
			}
		}
		if err != nil {
			// What is out of range may come up before the reference is looked at.
			return outcome{err, owner.ErrReference}
		}
		return nil
	}
	op.result = func(bool) error {
		e.rows[at] = changed
		if returning {
			return e.sameRow(&row, &changed)
		}
		return nil
	}
	return op
}

func (e *entity[R, O]) updateWhere(s *source, who actor) *operation {
	where, set := e.condition(s, s.n(4)), e.changes(s)
	op := &operation{kind: "update where", claim: e.claim(prove.Update, who), misuse: set.misuse || where.misuse}
	u := e.table.In(e.scope(who)).UpdateWhere(where.built).Set(set.built...)
	most := 1000
	if s.one(3) {
		most = pick(s, 1, 2, 0)
		u = u.MaxAffected(most)
		op.misuse = op.misuse || most < 1
	}
	var n int64
	op.run = func(ctx context.Context, db owner.DB) (err error) { n, err = u.Exec(ctx, db); return err }
	found := 0
	var rows []R
	op.expected = func(cr bool) outcome {
		rows, found = slices.Clone(e.rows), 0
		var failed error
		pointing := true
		for i := range rows {
			if !e.owns(&rows[i], who) || where.eval(&e.rows[i], who, cr) != yes {
				continue
			}
			found++
			changed, err := e.apply(rows[i], set, cr)
			if err != nil {
				failed = err
			}
			rows[i] = changed
			pointing = pointing && e.points(&changed, who, func(f int) bool { return slices.Contains(set.fields, f) })
		}
		switch {
		case found > most:
			return outcome{owner.ErrTooMany}
		case !pointing:
			return outcome{owner.ErrReference}
		case failed != nil:
			return outcome{failed}
		case e.twice(rows):
			return outcome{uniqueViolation}
		}
		return nil
	}
	op.result = func(bool) error {
		e.rows = rows
		return sameNumber(n, found)
	}
	return op
}

func (e *entity[R, O]) remove(s *source, who actor) *operation {
	args, key := e.pickKey(s)
	op := &operation{kind: "delete", claim: e.claim(prove.Delete, who)}
	version := int64(0)
	op.run = func(ctx context.Context, db owner.DB) error { return e.table.In(e.scope(who)).Delete(ctx, db, args...) }
	if s.one(3) {
		version = int64(s.n(4))
		op.misuse = e.model.Version == "" || version == 0
		op.run = func(ctx context.Context, db owner.DB) error {
			return e.table.In(e.scope(who)).DeleteAt(ctx, db, version, args...)
		}
	}
	at := 0
	op.expected = func(bool) outcome {
		if at = e.find(key, who); at < 0 {
			return outcome{owner.ErrNotFound}
		}
		for _, f := range e.fields {
			if f.version && version != 0 && f.get(&e.rows[at]) != any(version) {
				return outcome{owner.ErrStale}
			}
		}
		return nil
	}
	op.result = func(bool) error {
		e.rows = slices.Delete(e.rows, at, at+1)
		return nil
	}
	return op
}

func (e *entity[R, O]) removeWhere(s *source, who actor) *operation {
	where := e.condition(s, s.n(4))
	most := pick(s, 1, 1, 2, 1000, 0)
	op := &operation{kind: "delete where", claim: e.claim(prove.Delete, who), misuse: where.misuse || most < 1}
	var n int64
	op.run = func(ctx context.Context, db owner.DB) (err error) {
		n, err = e.table.In(e.scope(who)).DeleteWhere(where.built).MaxAffected(most).Exec(ctx, db)
		return err
	}
	var rest []R
	op.expected = func(cr bool) outcome {
		rest = nil
		for i := range e.rows {
			if !e.owns(&e.rows[i], who) || where.eval(&e.rows[i], who, cr) != yes {
				rest = append(rest, e.rows[i])
			}
		}
		if len(e.rows)-len(rest) > most {
			return outcome{owner.ErrTooMany}
		}
		return nil
	}
	op.result = func(bool) error {
		gone := len(e.rows) - len(rest)
		e.rows = rest
		return sameNumber(n, gone)
	}
	return op
}

func (e *entity[R, O]) transfer(s *source, who actor) *operation {
	args, key := e.pickKey(s)
	to := pick(s, e.w.actors...)
	for !s.one(5) && slices.Equal(e.args(who), e.args(to)) {
		to = pick(s, e.w.actors...)
	}
	op := &operation{kind: "transfer", claim: e.claim(prove.Transfer, who)}
	op.claim.Receiver = e.args(to)
	op.misuse = e.model.Through != nil || slices.Equal(e.args(who), e.args(to)) ||
		slices.ContainsFunc(e.fields, func(f field[R]) bool { return f.owner && f.pk })
	op.run = func(ctx context.Context, db owner.DB) error {
		return e.table.In(e.scope(who)).TransferTo(ctx, db, e.scope(to), args...)
	}
	var at int
	var changed R
	op.expected = func(bool) outcome {
		if at = e.find(key, who); at < 0 {
			return outcome{owner.ErrNotFound}
		}
		changed, _ = e.apply(e.rows[at], changes[R]{}, false)
		e.give(&changed, to)
		if !e.points(&changed, to, nil) {
			return outcome{owner.ErrReference}
		}
		all := slices.Clone(e.rows)
		all[at] = changed
		if e.twice(all) {
			return outcome{uniqueViolation}
		}
		return nil
	}
	op.result = func(bool) error {
		e.rows[at] = changed
		return nil
	}
	return op
}

// queue makes the writes that are sent later.
func (e *entity[R, O]) queue(s *source, who actor) *operation {
	in := e.table.In(e.scope(who))
	switch s.n(3) {
	case 0:
		row, other := e.draw(s, who)
		return &operation{kind: "queue insert", queued: true, claim: e.claim(prove.Insert, who), misuse: other,
			run: func(_ context.Context, db owner.DB) error { return in.QueueInsert(db.(owner.Queue), &row) }}
	case 1:
		args, _ := e.pickKey(s)
		set := e.changes(s)
		return &operation{kind: "queue update", queued: true, claim: e.claim(prove.Update, who), misuse: set.misuse,
			run: func(_ context.Context, db owner.DB) error {
				return in.Update(args...).Set(set.built...).Queue(db.(owner.Queue))
			}}
	default:
		args, _ := e.pickKey(s)
		return &operation{kind: "queue delete", queued: true, claim: e.claim(prove.Delete, who),
			run: func(_ context.Context, db owner.DB) error { return in.QueueDelete(db.(owner.Queue), args...) }}
	}
}
