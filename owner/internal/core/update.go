package core

import (
	"context"
	"slices"
	"unsafe"

	"github.com/rowkeeper/rowkeeper/owner/internal/pgvalue"
)

// An Update changes one of the owner's rows.
type Update struct {
	Table    *Table
	Identity Identity
	Key      []any
	Set      []Assignment
	At       Version
}

// Exec runs the update.
func (u *Update) Exec(ctx context.Context, db DB) error {
	if err := check(u.Table, u.Identity, db); err != nil {
		return err
	}
	c, err := u.change()
	if err != nil {
		return err
	}
	ok, err := c.st.exec(ctx, db, "update", u.Table)
	return c.outcome(ctx, db, ok, err)
}

// Returning runs the update and fills the row with what is stored then.
func (u *Update) Returning(ctx context.Context, db DB, row unsafe.Pointer) error {
	if err := check(u.Table, u.Identity, db); err != nil {
		return err
	}
	c, err := u.change()
	if err != nil {
		return err
	}
	c.st.text(" returning ", u.Table.list)
	ok, err := c.st.stored(ctx, db, "update", u.Table, row)
	return c.outcome(ctx, db, ok, err)
}

// Queue queues the update.
func (u *Update) Queue(q Queue) error {
	if err := checkQueue(u.Table, u.Identity, q); err != nil {
		return err
	}
	c, err := u.change()
	if err != nil {
		return err
	}
	q.QueueExpect(1, c.st.sql.String(), c.st.args...)
	return nil
}

func (u *Update) change() (*change, error) {
	t := u.Table
	key, err := t.keyArguments(u.Key)
	if err != nil {
		return nil, err
	}
	refs, err := t.checkSet(u.Set)
	if err != nil {
		return nil, err
	}
	if err := u.At.check(t); err != nil {
		return nil, err
	}
	c := &change{st: newStatement(u.Identity), table: t, id: u.Identity, key: key, at: u.At, refs: refs}
	first := c.st.bind(key)
	c.st.text("update ", t.Quoted)
	c.st.assign(t, u.Set)
	c.st.writing(t, t.Key, first, nil)
	c.at.write(c.st, t)
	for _, r := range refs {
		c.st.text(" and ")
		c.st.checkReference(r.parent, r.args, 1)
	}
	return c, nil
}

func (s *Statement) assign(t *Table, set []Assignment) {
	s.text(" set ")
	for i, a := range set {
		if i > 0 {
			s.text(", ")
		}
		s.text(a.Column.Quoted, " = ")
		if a.add {
			s.text(a.Column.Quoted, " + ")
		}
		s.param(a.Arg)
	}
	if v := t.Version; v != nil {
		if len(set) > 0 {
			s.text(", ")
		}
		s.text(v.Quoted, " = ", v.Quoted, " + 1")
	}
}

// checkSet returns the foreign keys that are assigned.
func (t *Table) checkSet(set []Assignment) ([]fkCheck, error) {
	if len(set) == 0 {
		return nil, Misuse("table %s: the update sets nothing; call Set", t.Name)
	}
	for i, a := range set {
		if err := a.check(); err != nil {
			return nil, err
		}
		switch c := a.Column; {
		case c.Owner || c.Tenant:
			return nil, Misuse("column %s: an update cannot change the owner", c)
		case c.PrimaryKey:
			return nil, Misuse("column %s: an update cannot change the primary key", c)
		case c.Parent:
			return nil, Misuse("column %s: an update cannot give the row to another parent", c)
		case c.Version:
			return nil, Misuse("column %s: every update counts the version itself", c)
		case slices.ContainsFunc(set[:i], func(b Assignment) bool { return b.Column == c }):
			return nil, Misuse("column %s: the update assigns it twice", c)
		}
	}
	return t.assignedReferences(set)
}

func (t *Table) assignedReferences(set []Assignment) ([]fkCheck, error) {
	var out []fkCheck
	for _, r := range t.References {
		p := fkCheck{parent: r.Parent, from: r.From}
		assigned, null := 0, false
		for _, c := range r.From {
			i := slices.IndexFunc(set, func(a Assignment) bool { return a.Column == c })
			if i < 0 {
				continue
			}
			if set[i].add {
				return nil, Misuse("column %s: it is a reference, which is set and not added to", c)
			}
			isnull, err := pgvalue.IsNull(set[i].Arg)
			if err != nil {
				return nil, Misuse("column %s: %w", c, err)
			}
			assigned++
			null = null || isnull
			p.args = append(p.args, set[i].Arg)
		}
		switch {
		case assigned == 0 || null:
		case assigned < len(r.From):
			return nil, Misuse("table %s: set all columns of the reference to %s, or none", t.Name, r.Parent.Name)
		default:
			out = append(out, p)
		}
	}
	return out, nil
}
