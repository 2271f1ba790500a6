package owner

import (
	"context"
	"slices"
)

// An Update changes one of the owner's rows. It is a value: each method returns
// a changed copy.
type Update[R any, O comparable] struct {
	table *table
	scope Scope[O]
	key   []any
	set   []Assignment[R]
}

// Update changes the row with that primary key, which is given as for
// [Select.Get].
func (s Scoped[R, O]) Update(key ...any) Update[R, O] {
	return Update[R, O]{table: s.table, scope: s.scope, key: slices.Clone(key)}
}

// Set adds assignments to those from earlier calls. Each column can be assigned
// once; the owner and the primary key cannot be.
func (u Update[R, O]) Set(assignments ...Assignment[R]) Update[R, O] {
	u.set = append(slices.Clip(u.set), assignments...)
	return u
}

// Exec runs the update. Where the owner has no such row, the error is
// [ErrNotFound]. Where the declared primary key is not unique after all and
// several rows changed, it is [ErrTooMany]: run updates in a transaction, which
// such an error rolls back.
func (u Update[R, O]) Exec(ctx context.Context, db DB) error {
	t := u.table
	if err := check(t, u.scope, db); err != nil {
		return err
	}
	key, err := t.keyArguments(u.key)
	if err != nil {
		return err
	}
	if err := u.checkSet(); err != nil {
		return err
	}

	// The arguments of WHERE come before those of SET, so that the owner is $1
	// here too.
	s := newStatement(u.scope.arg)
	s.where(t, key, nil)
	where := s.sql.String()
	s.sql.Reset()
	s.text("update ", t.quoted, " set ")
	for i, a := range u.set {
		if i > 0 {
			s.text(", ")
		}
		s.text(a.col.quoted, " = ")
		if a.add {
			s.text(a.col.quoted, " + ")
		}
		s.param(a.arg)
	}
	s.text(where)
	return s.exec(ctx, db, "update", t)
}

func (u Update[R, O]) checkSet() error {
	if len(u.set) == 0 {
		return misuse("table %s: the update sets nothing; call Set", u.table.name)
	}
	seen := map[string]bool{}
	for _, a := range u.set {
		if err := a.check(); err != nil {
			return err
		}
		switch c := a.col; {
		case c.owner:
			return misuse("column %s: an update cannot change the owner", c)
		case c.pk:
			return misuse("column %s: an update cannot change the primary key", c)
		case seen[c.name]:
			return misuse("column %s: the update assigns it twice", c)
		}
		seen[a.col.name] = true
	}
	return nil
}
