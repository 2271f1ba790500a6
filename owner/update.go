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

// An Update changes one of the owner's rows. It is a value: each method returns
// a changed copy.
type Update[R any, O comparable] struct {
	_     [0]func(R, O)
	table *table
	id    identity
	key   []any
	set   []assignment
	at    version
}

// Update changes the row with that primary key, which is given as for
// [Select.Get]. Where the table has a version column, each update adds one to
// it.
func (s Scoped[R, O]) Update(key ...any) Update[R, O] {
	return Update[R, O]{table: s.q.table, id: s.q.id, key: slices.Clone(key)}
}

// Set adds assignments to those from earlier calls. Each column can be assigned
// once; the owner, the primary key and the version cannot be.
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

// Exec runs the update. Where the owner has no such row, the error is
// [ErrNotFound]; where it is in another version than At says, [ErrStale]; where
// it is to point at a row that is not the owner's, [ErrReference]. Then nothing
// was changed, and one more statement was sent to tell these apart.
//
// Where the declared primary key is not unique after all and several rows
// changed, the error is [ErrTooMany]: run updates in a transaction, which such
// an error rolls back.
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

// Returning is [Update.Exec], and returns the row as it is then.
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
	refs  []pointing
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

// outcome is the error of a statement that has changed a row, if ok, or nothing.
func (c *change) outcome(ctx context.Context, db DB, ok bool, err error) error {
	switch {
	case noSuchKey(err, c.id.n+1, len(c.key)):
		return c.table.notFound()
	case err == nil && !ok:
		return c.diagnose(ctx, db)
	}
	return err
}

// diagnose says why nothing was changed. What it tells of is the owner's alone.
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
func (t *table) checkSet(set []assignment) ([]pointing, error) {
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

func (t *table) assignedReferences(set []assignment) ([]pointing, error) {
	var out []pointing
	for _, r := range t.references {
		p := pointing{parent: r.parent, from: r.from}
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
