package main

import (
	"context"
	"reflect"
	"slices"

	"github.com/rowkeeper/rowkeeper/internal/lab/proof/prove"
	"github.com/rowkeeper/rowkeeper/owner"
)

// reflectValue returns the value that the pointer points at.
func reflectValue(p any) any { return reflect.ValueOf(p).Elem().Interface() }

func (e *entity[R, O]) remove(s *source, who actor) *operation {
	args, key := e.pickKey(s)
	op := &operation{kind: "delete", claim: e.claim(prove.Delete, who)}
	version := int64(0)
	op.run = func(ctx context.Context, db owner.DB) error {
		return e.table.In(e.scope(who)).Delete(args...).Exec(ctx, db)
	}
	if s.one(3) {
		version = int64(s.n(4))
		op.claim.At = version
		op.misuse = e.model.Version == "" || version == 0
		op.run = func(ctx context.Context, db owner.DB) error {
			return e.table.In(e.scope(who)).Delete(args...).At(version).Exec(ctx, db)
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
	if slices.Equal(e.args(who), e.args(to)) && !s.one(5) {
		to = e.w.actors[(slices.Index(e.w.actors, who)+1)%len(e.w.actors)]
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

// queue creates the writes that are sent later.
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
			run: func(_ context.Context, db owner.DB) error { return in.Delete(args...).Queue(db.(owner.Queue)) }}
	}
}
