package owner

import (
	"context"
	"fmt"
	"slices"

	"github.com/rowkeeper/rowkeeper/owner/internal/pgvalue"
)

// An Assignment gives a column a value; see [ColumnOf.Set] and [ColumnOf.Add].
type Assignment[R any] struct {
	_ [0]func(R)
	assignment
}

type assignment struct {
	col *column
	add bool
	arg any
	err error
}

func (a assignment) check() error {
	if a.err == nil && a.col == nil {
		return errNoColumn
	}
	return a.err
}

// An Update changes one of the owner's rows. It is a value that can be kept and
// shared between goroutines: each method returns a changed copy.
type Update[R any, O comparable] struct {
	_     [0]func(R, O)
	table *table
	id    identity
	key   []any
	set   []assignment
	at    version
}

// Update changes the row with that primary key, which is given as for [Select.Get].
// If the table has a version column, each update increments it.
func (s Scoped[R, O]) Update(key ...any) Update[R, O] {
	return Update[R, O]{table: s.q.table, id: s.q.id, key: slices.Clone(key)}
}

// Set adds assignments to those from earlier calls. Each column can be assigned once.
// The owner, the primary key and the version cannot be assigned.
func (u Update[R, O]) Set(assignments ...Assignment[R]) Update[R, O] {
	u.set = appendSet(u.set, assignments)
	return u
}

func appendSet[R any](to []assignment, assignments []Assignment[R]) []assignment {
	to = slices.Clip(to)
	for _, a := range assignments {
		to = append(to, a.assignment)
	}
	return to
}

// Exec runs the update. The error is [ErrNotFound] if the owner has no such row,
// [ErrStale] if the row is in another version than At says, and [ErrReference] if it
// would point at a row that is not the owner's. Nothing is changed then, and a second
// statement was sent if there were several reasons to tell apart.
//
// If the declared primary key is not unique in the database and several rows changed,
// the error is [ErrTooMany]: run updates in a transaction, which such an error rolls
// back.
func (u Update[R, O]) Exec(ctx context.Context, db DB) error {
	if err := check(u.table, u.id, db); err != nil {
		return err
	}
	c, err := u.change()
	if err != nil {
		return err
	}
	ok, err := c.st.exec(ctx, db, "update", u.table)
	return c.outcome(ctx, db, ok, err)
}

// Returning is like [Update.Exec] and returns the changed row.
func (u Update[R, O]) Returning(ctx context.Context, db DB) (R, error) {
	var row R
	if err := check(u.table, u.id, db); err != nil {
		return row, err
	}
	c, err := u.change()
	if err != nil {
		return row, err
	}
	c.st.text(" returning ", u.table.list)
	ok, err := stored(ctx, db, u.table, c.st, "update", &row)
	return row, c.outcome(ctx, db, ok, err)
}

// change is a statement that changes or deletes one row by its key.
type change struct {
	st    *statement
	table *table
	id    identity
	key   []any
	at    version
	refs  []fkCheck
}

func (u Update[R, O]) change() (*change, error) {
	t := u.table
	key, err := t.keyArguments(u.key)
	if err != nil {
		return nil, err
	}
	refs, err := t.checkSet(u.set)
	if err != nil {
		return nil, err
	}
	if err := u.at.check(t); err != nil {
		return nil, err
	}
	c := &change{st: newStatement(u.id), table: t, id: u.id, key: key, at: u.at, refs: refs}
	first := c.st.bind(key)
	c.st.text("update ", t.quoted)
	c.st.assign(t, u.set)
	c.st.writing(t, t.key, first, nil)
	c.at.write(c.st, t)
	for _, r := range refs {
		c.st.text(" and ")
		c.st.checkReference(r.parent, r.args, 1)
	}
	return c, nil
}

func (s *statement) assign(t *table, set []assignment) {
	s.text(" set ")
	for i, a := range set {
		if i > 0 {
			s.text(", ")
		}
		s.text(a.col.quoted, " = ")
		if a.add {
			s.text(a.col.quoted, " + ")
		}
		s.param(a.arg)
	}
	if v := t.version; v != nil {
		if len(set) > 0 {
			s.text(", ")
		}
		s.text(v.quoted, " = ", v.quoted, " + 1")
	}
}

// outcome returns the error of a statement. ok reports whether it changed a row.
func (c *change) outcome(ctx context.Context, db DB, ok bool, err error) error {
	switch {
	case noSuchKey(err, c.id.n+1, len(c.key)):
		return c.table.notFound()
	case err == nil && !ok:
		return c.diagnose(ctx, db)
	}
	return err
}

// diagnose finds out why nothing was changed. It looks only at the owner's rows.
func (c *change) diagnose(ctx context.Context, db DB) error {
	t := c.table
	if !c.at.given && len(c.refs) == 0 {
		return t.notFound()
	}
	s := newStatement(c.id)
	first := s.bind(c.key)
	s.text("select exists (select 1 from ", t.quoted)
	s.where(t, t.key, first, nil)
	s.text("), exists (select 1 from ", t.quoted)
	s.where(t, t.key, first, nil)
	c.at.write(s, t)
	s.text(")")
	for _, r := range c.refs {
		s.text(", ")
		s.checkReference(r.parent, r.args, 1)
	}
	found := make([]bool, 2+len(c.refs))
	if err := s.scalars(ctx, db, pointersTo(found)...); err != nil {
		return t.failed("select from", err)
	}
	there, current, missing := found[0], found[1], slices.Index(found[2:], false)
	switch {
	case there && !current:
		return fmt.Errorf("%w (table %s)", ErrStale, t.name)
	case there && missing >= 0:
		return t.noReference(&c.refs[missing])
	}
	return t.notFound()
}

// checkSet returns the foreign keys that are assigned.
func (t *table) checkSet(set []assignment) ([]fkCheck, error) {
	if len(set) == 0 {
		return nil, misuse("table %s: the update sets nothing; call Set", t.name)
	}
	for i, a := range set {
		if err := a.check(); err != nil {
			return nil, err
		}
		switch c := a.col; {
		case c.owner || c.tenant:
			return nil, misuse("column %s: an update cannot change the owner", c)
		case c.pk:
			return nil, misuse("column %s: an update cannot change the primary key", c)
		case c.parent:
			return nil, misuse("column %s: an update cannot give the row to another parent", c)
		case c.version:
			return nil, misuse("column %s: every update counts the version itself", c)
		case slices.ContainsFunc(set[:i], func(b assignment) bool { return b.col == c }):
			return nil, misuse("column %s: the update assigns it twice", c)
		}
	}
	return t.assignedReferences(set)
}

func (t *table) assignedReferences(set []assignment) ([]fkCheck, error) {
	var out []fkCheck
	for _, r := range t.references {
		p := fkCheck{parent: r.parent, from: r.from}
		assigned, null := 0, false
		for _, c := range r.from {
			i := slices.IndexFunc(set, func(a assignment) bool { return a.col == c })
			if i < 0 {
				continue
			}
			if set[i].add {
				return nil, misuse("column %s: it is a reference, which is set and not added to", c)
			}
			isnull, err := pgvalue.IsNull(set[i].arg)
			if err != nil {
				return nil, misuse("column %s: %w", c, err)
			}
			assigned++
			null = null || isnull
			p.args = append(p.args, set[i].arg)
		}
		switch {
		case assigned == 0 || null:
		case assigned < len(r.from):
			return nil, misuse("table %s: set all columns of the reference to %s, or none", t.name, r.parent.name)
		default:
			out = append(out, p)
		}
	}
	return out, nil
}
