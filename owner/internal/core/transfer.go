package core

import (
	"context"
	"slices"
)

// TransferTo gives the row with that primary key to another owner.
func (t *Table) TransferTo(ctx context.Context, db DB, id, to Identity, key []any) error {
	if err := check(t, id, db); err != nil {
		return err
	}
	if err := to.Check(); err != nil {
		return err
	}
	switch {
	case t.Through != nil:
		return Misuse("table %s: its rows go with their parent in %s", t.Name, t.Through.Name)
	case to.Value == id.Value:
		return Misuse("table %s: the row is to be given to its own owner", t.Name)
	case slices.ContainsFunc(t.Owners, func(c *Column) bool { return c.PrimaryKey }):
		return Misuse("table %s: the owner is part of the primary key; insert the row anew", t.Name)
	}
	args, err := t.keyArguments(key)
	if err != nil {
		return err
	}
	st, first := t.transferring(id, to, args)
	ok, err := st.exec(ctx, db, "update", t)
	if noSuchKey(err, first, len(args)) {
		return t.NotFound()
	}
	if err != nil || ok {
		return err
	}
	return t.notTransferred(ctx, db, id, args)
}

// transferring returns the update, and the number at which the key is bound.
func (t *Table) transferring(id, to Identity, key []any) (st *Statement, first int) {
	st = newStatement(id)
	receiver := st.bind(to.Arg[:to.N])
	first = st.bind(key)
	st.text("update ", t.Quoted, " set ")
	for i, c := range t.Owners {
		st.text(c.Quoted, " = ")
		st.ref(receiver + i)
		if i < len(t.Owners)-1 {
			st.text(", ")
		}
	}
	if v := t.Version; v != nil {
		st.text(", ", v.Quoted, " = ", v.Quoted, " + 1")
	}
	st.where(t, t.Key, first, nil)
	st.lockFirst(t, first)
	st.reachable(t, receiver)
	return st, first
}

// notTransferred finds out why the row stayed.
func (t *Table) notTransferred(ctx context.Context, db DB, id Identity, key []any) error {
	if len(t.References) == 0 {
		return t.NotFound()
	}
	s := newStatement(id)
	first := s.bind(key)
	s.text("select exists (select 1 from ", t.Quoted)
	s.where(t, t.Key, first, nil)
	s.text(")")
	var found bool
	if err := s.scalars(ctx, db, &found); err != nil {
		return t.failed("select from", err)
	}
	switch {
	case !found:
		return t.NotFound()
	case len(t.References) == 1:
		return t.noReference(t.referenceTo(t.References[0].Parent))
	}
	return t.noReference(nil)
}

// reachable writes the conditions that all rows at which the row points belong to the
// owner whose values are the parameters from number first.
func (s *Statement) reachable(t *Table, first int) {
	for _, r := range t.References {
		alias := s.alias()
		s.text(" and (")
		for _, c := range r.From {
			s.text(c.Quoted, " is null or ")
		}
		s.text("exists (select 1 from ", r.Parent.Quoted, " as ", alias, " where ")
		r.compareKeys(s, true, alias+".", t.Ref)
		owned, lock := r.Parent.heldAs(alias+".", first)
		s.text(" and ", owned, lock, "))")
	}
}

// lockFirst writes the condition that the owner has the row, and locks it so that
// other transactions come before or after. The update alone would not, since the owner is
// not a key to PostgreSQL. The key was bound at number first.
func (s *Statement) lockFirst(t *Table, first int) {
	alias := s.alias()
	s.text(" and exists (select 1 from ", t.Quoted, " as ", alias, " where ", t.ownedBy(alias+".", 1))
	for i, c := range t.Key {
		s.text(" and ", alias, ".", c.Quoted, " = ")
		s.ref(first + i)
	}
	s.text(" for update)")
}
