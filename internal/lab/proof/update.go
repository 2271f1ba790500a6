package main

import (
	"context"
	"math"
	"reflect"
	"slices"
	"strconv"

	"github.com/rowkeeper/rowkeeper/internal/lab/proof/prove"
	"github.com/rowkeeper/rowkeeper/owner"
)

// changes are assignments, with their effect on a row.
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

func count[R any](f field[R], r *R) {
	v := reflect.ValueOf(f.at(r)).Elem()
	v.SetInt(v.Int() + 1)
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
			u = u.IfMatch(`"` + strconv.FormatInt(version, 10) + `"`)
		} else {
			u = u.At(version)
		}
		op.claim.At = version
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
			// A value out of range may be found before the reference is checked.
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
		referencesOwned := true
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
			referencesOwned = referencesOwned && e.points(&changed, who, func(f int) bool { return slices.Contains(set.fields, f) })
		}
		switch {
		case found > most:
			return outcome{owner.ErrTooMany}
		case !referencesOwned:
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
