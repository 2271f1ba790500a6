package core

import (
	"context"
	"fmt"
)

// A Bulk changes or deletes the owner's rows for which conditions are true.
type Bulk struct {
	Table    *Table
	Identity Identity
	Where    []Condition
	Set      []Assignment
	Most     int
	Err      error
}

// Update assigns to the rows and returns how many there were.
func (b *Bulk) Update(ctx context.Context, db DB) (int64, error) {
	if err := b.check(db); err != nil {
		return 0, err
	}
	refs, err := b.Table.checkSet(b.Set)
	if err != nil {
		return 0, err
	}
	return b.exec(ctx, db, "update", refs, func(s *Statement) {
		s.text("update ", b.Table.Quoted)
		s.assign(b.Table, b.Set)
	})
}

// Delete deletes the rows and returns how many there were.
func (b *Bulk) Delete(ctx context.Context, db DB) (int64, error) {
	if err := b.check(db); err != nil {
		return 0, err
	}
	return b.exec(ctx, db, "delete from", nil, func(s *Statement) {
		s.text("delete from ", b.Table.Quoted)
	})
}

func (b *Bulk) check(db DB) error {
	if err := check(b.Table, b.Identity, db); err != nil {
		return err
	}
	if b.Err == nil && b.Most < 1 {
		return Misuse("table %s: MaxAffected(%d); the least is 1", b.Table.Name, b.Most)
	}
	return b.Err
}

// exec counts the rows in the same statement, and so in the same snapshot, and
// changes them only if there are few enough.
func (b *Bulk) exec(ctx context.Context, db DB, verb string, refs []fkCheck, write func(*Statement)) (int64, error) {
	t := b.Table
	s := newStatement(b.Identity)
	limit := s.bind([]any{b.Most + 1})
	s.text("with _n (n) as (select count(*) from (select 1 from ", t.Quoted)
	start := s.sql.Len()
	s.where(t, nil, 0, b.Where)
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
	case found > int64(b.Most):
		return 0, fmt.Errorf("%w: %s has more than %d to %s; none was changed", ErrTooMany, t.Name, b.Most, verb)
	case found > 0 && !valid:
		return 0, t.refused(ctx, db, b.Identity, refs)
	}
	return changed, nil
}
