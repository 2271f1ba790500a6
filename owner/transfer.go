package owner

import (
	"context"
	"slices"
)

// TransferTo gives the row with that primary key to another owner, in whose
// scope it is from then on. It is the one operation that changes an owner, and
// needs the scopes of both. The version, if there is one, is counted on.
//
// It locks the row FOR UPDATE, so it waits for transactions that have written rows
// of its children, and they wait for it; see "While rows change owners".
//
// Where the owner has no such row, the error is [ErrNotFound]. Where the row
// points by a declared [Reference] at what is not the new owner's, it stays, and
// the error is [ErrReference]. Rows of other tables that point at it stay with
// their owner; give those away in the same transaction, this one first. Where a
// foreign key takes the owner along, as owner/schema proposes, that transaction begins
// with SET CONSTRAINTS ALL DEFERRED, and the key is DEFERRABLE. CockroachDB has
// neither: there declare the key ON UPDATE CASCADE, and what points at the row comes
// along by itself. The rows of a table made by [NewThrough] go with their parent, and
// cannot be given away alone.
func (s Scoped[R, O]) TransferTo(ctx context.Context, db DB, to Scope[O], key ...any) error {
	t, id := s.q.table, s.q.id
	if err := check(t, id, db); err != nil {
		return err
	}
	if err := to.check(); err != nil {
		return err
	}
	switch {
	case t.through != nil:
		return misuse("table %s: its rows go with their parent in %s", t.name, t.through.name)
	case to.id.value == id.value:
		return misuse("table %s: the row is to be given to its own owner", t.name)
	case slices.ContainsFunc(t.owners, func(c *column) bool { return c.pk }):
		return misuse("table %s: the owner is part of the primary key; insert the row anew", t.name)
	}
	args, err := t.keyArguments(key)
	if err != nil {
		return err
	}
	st := newStatement(id)
	receiver := st.bind(to.id.arg[:to.id.n])
	first := st.bind(args)
	st.text("update ", t.quoted, " set ")
	for i, c := range t.owners {
		st.text(c.quoted, " = ")
		st.ref(receiver + i)
		if i < len(t.owners)-1 {
			st.text(", ")
		}
	}
	if v := t.version; v != nil {
		st.text(", ", v.quoted, " = ", v.quoted, " + 1")
	}
	st.where(t, t.key, first, nil)
	st.lockFirst(t, first)
	st.reachable(t, receiver)
	ok, err := st.exec(ctx, db, "update", t)
	if noSuchKey(err, first, len(args)) {
		return t.notFound()
	}
	if err != nil || ok {
		return err
	}
	if len(t.references) == 0 {
		return t.notFound()
	}
	there := newStatement(id)
	first = there.bind(args)
	there.text("select exists (select 1 from ", t.quoted)
	there.where(t, t.key, first, nil)
	there.text(")")
	var found bool
	if err := there.scalars(ctx, db, &found); err != nil {
		return t.failed("select from", err)
	}
	if found {
		if len(t.references) == 1 {
			return t.noReference(t.referenceTo(t.references[0].parent))
		}
		return t.noReference(nil)
	}
	return t.notFound()
}

// reachable writes the conditions that whatever the row points at belongs to the
// owner whose values are the parameters from number first.
func (s *statement) reachable(t *table, first int) {
	for _, r := range t.references {
		alias := s.alias()
		s.text(" and (")
		for _, c := range r.from {
			s.text(c.quoted, " is null or ")
		}
		s.text("exists (select 1 from ", r.parent.quoted, " as ", alias, " where ")
		r.link(s, true, alias+".", t.ref)
		owned, lock := r.parent.heldAs(alias+".", first)
		s.text(" and ", owned, lock, "))")
	}
}

// lockFirst writes the condition that the owner has the row, and locks it so that
// whoever holds it comes before or after: the update alone would not, since to
// PostgreSQL the owner is no key. The key was bound at number first.
func (s *statement) lockFirst(t *table, first int) {
	alias := s.alias()
	s.text(" and exists (select 1 from ", t.quoted, " as ", alias, " where ", t.ownedBy(alias+".", 1))
	for i, c := range t.key {
		s.text(" and ", alias, ".", c.quoted, " = ")
		s.ref(first + i)
	}
	s.text(" for update)")
}
