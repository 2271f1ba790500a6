package owner

import (
	"context"
	"fmt"
)

// An UpdateWhere changes the owner's rows for which conditions are true. It is a
// value: each method returns a changed copy.
type UpdateWhere[R any, O comparable] struct {
	_ [0]func(R, O)
	b bulk
}

// A DeleteWhere deletes the owner's rows for which conditions are true. It is a
// value: each method returns a changed copy.
type DeleteWhere[R any, O comparable] struct {
	_ [0]func(R, O)
	b bulk
}

type bulk struct {
	table *table
	id    identity
	where []cond
	set   []assignment
	most  int
	err   error
}

func newBulk[R any](q query, conditions []Condition[R]) bulk {
	where, err := untyped(nil, conditions)
	return bulk{table: q.table, id: q.id, where: where, most: MaxRows, err: err}
}

// UpdateWhere changes the rows for which all conditions are true. At least one
// condition is required; [And] without conditions means all rows of the owner.
func (s Scoped[R, O]) UpdateWhere(condition Condition[R], more ...Condition[R]) UpdateWhere[R, O] {
	return UpdateWhere[R, O]{b: newBulk(s.q, append([]Condition[R]{condition}, more...))}
}

// DeleteWhere deletes the rows for which all conditions are true. At least one
// condition is required; [And] without conditions means all rows of the owner.
func (s Scoped[R, O]) DeleteWhere(condition Condition[R], more ...Condition[R]) DeleteWhere[R, O] {
	return DeleteWhere[R, O]{b: newBulk(s.q, append([]Condition[R]{condition}, more...))}
}

// Set adds assignments to those from earlier calls; see [Update.Set].
func (u UpdateWhere[R, O]) Set(assignments ...Assignment[R]) UpdateWhere[R, O] {
	u.b.set = appendSet(u.b.set, assignments)
	return u
}

// MaxAffected limits how many rows may be changed. The default is [MaxRows]. If more
// rows match, Exec changes none and returns [ErrTooMany].
func (u UpdateWhere[R, O]) MaxAffected(n int) UpdateWhere[R, O] {
	u.b.most = n
	return u
}

// MaxAffected limits how many rows may be deleted; see [UpdateWhere.MaxAffected].
func (d DeleteWhere[R, O]) MaxAffected(n int) DeleteWhere[R, O] {
	d.b.most = n
	return d
}

// Exec runs the update and returns how many rows it changed, which may be none. The
// error is [ErrTooMany] if more rows match than MaxAffected allows, and
// [ErrReference] if a row would point at one that is not the owner's. In both cases
// nothing is changed: the same statement checks it, so no transaction is needed.
func (u UpdateWhere[R, O]) Exec(ctx context.Context, db DB) (int64, error) {
	if err := u.b.check(db); err != nil {
		return 0, err
	}
	refs, err := u.b.table.checkSet(u.b.set)
	if err != nil {
		return 0, err
	}
	return u.b.exec(ctx, db, "update", refs, func(s *statement) {
		s.text("update ", u.b.table.quoted)
		s.assign(u.b.table, u.b.set)
	})
}

// Exec runs the delete and returns how many rows it deleted, which may be none. If
// more rows match than MaxAffected allows, the error is [ErrTooMany] and nothing is
// deleted; see [UpdateWhere.Exec].
func (d DeleteWhere[R, O]) Exec(ctx context.Context, db DB) (int64, error) {
	if err := d.b.check(db); err != nil {
		return 0, err
	}
	return d.b.exec(ctx, db, "delete from", nil, func(s *statement) {
		s.text("delete from ", d.b.table.quoted)
	})
}

func (b *bulk) check(db DB) error {
	if err := check(b.table, b.id, db); err != nil {
		return err
	}
	if b.err == nil && b.most < 1 {
		return misuse("table %s: MaxAffected(%d); the least is 1", b.table.name, b.most)
	}
	return b.err
}

// exec counts the rows in the same statement, and so in the same snapshot, and
// changes them only if there are few enough.
func (b *bulk) exec(ctx context.Context, db DB, verb string, refs []fkCheck, write func(*statement)) (int64, error) {
	t := b.table
	s := newStatement(b.id)
	limit := s.bind([]any{b.most + 1})
	s.text("with _n (n) as (select count(*) from (select 1 from ", t.quoted)
	start := s.sql.Len()
	s.where(t, nil, 0, b.where)
	where := s.sql.String()[start:]
	s.text(" limit ")
	s.ref(limit)
	s.text(") as _p), _w as (")
	write(s)
	s.text(where, t.held("", 1, ""), " and (select n from _n) < ")
	s.ref(limit)
	start = s.sql.Len()
	for _, r := range refs {
		s.text(" and ")
		s.checkReference(r.parent, r.args, 1)
	}
	guard := s.sql.String()[start:]
	s.text(" returning 1) select (select n from _n), (select count(*) from _w), true", guard)

	var found, changed int64
	var valid bool
	if err := s.scalars(ctx, db, &found, &changed, &valid); err != nil {
		return 0, t.failed(verb, err)
	}
	switch {
	case found > int64(b.most):
		return 0, fmt.Errorf("%w: %s has more than %d to %s; none was changed", ErrTooMany, t.name, b.most, verb)
	case found > 0 && !valid:
		return 0, t.refused(ctx, db, b.id, refs)
	}
	return changed, nil
}
