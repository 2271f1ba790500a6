package owner

import (
	"context"
	"slices"
)

// TransferTo gives the row with that primary key to another owner. It is the only
// operation that changes an owner, and needs the scopes of both. It increments the
// version, if there is one.
//
// If the owner has no such row, the error is [ErrNotFound]. If the row points by a
// declared [Reference] at a row that is not the new owner's, it stays and the error
// is [ErrReference]. Rows of other tables that point at it stay with their owner;
// give those away in the same transaction, this one first. If a foreign key includes
// the owner, as owner/schema proposes, begin that transaction with SET CONSTRAINTS
// ALL DEFERRED and declare the key DEFERRABLE. CockroachDB has neither: declare the
// key ON UPDATE CASCADE there, and the rows that point at this one follow by
// themselves. Rows of a table made by [MustThrough] follow their parent and cannot be
// given away alone.
//
// # Concurrent statements
//
// The owner of a row can change while a statement waits for it. PostgreSQL then
// evaluates the owner column of that row again. But the owner of rows of [MustThrough]
// is that of their parent, which PostgreSQL does not evaluate again below
// SERIALIZABLE: READ COMMITTED judges the parent by the snapshot from before the
// wait, and REPEATABLE READ by that of the whole transaction. So statements that
// write or lock such rows, or make a row point at another by a [Reference], lock the
// parent FOR KEY SHARE until the transaction ends and see its current version. Under
// REPEATABLE READ and SERIALIZABLE they fail with 40001 if the parent was changed
// since the snapshot; package txn retries that. TransferTo locks the row FOR UPDATE.
// So either the statement comes first and the transfer waits for its transaction, or
// the transfer comes first and the statement finds no row.
//
// This is the lock that a foreign key takes on every insert. It costs no round trip
// and allows other changes of the parent. The role needs the privilege UPDATE on at
// least one column of the parent. SQL by hand that changes an owner must first select
// the row FOR UPDATE.
//
// A transfer can deadlock with a transaction that waits for a row that the giver has
// written before: transfer first, or let txn retry. Plain reads take no lock and see
// their snapshot. CockroachDB takes this lock from v23.2 on, which was not tested,
// and does not need it under SERIALIZABLE, the only level of older versions: there a
// statement may be ordered before a transfer that was committed while its transaction
// was open, but never after it.
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

// reachable writes the conditions that all rows at which the row points belong to the
// owner whose values are the parameters from number first.
func (s *statement) reachable(t *table, first int) {
	for _, r := range t.references {
		alias := s.alias()
		s.text(" and (")
		for _, c := range r.from {
			s.text(c.quoted, " is null or ")
		}
		s.text("exists (select 1 from ", r.parent.quoted, " as ", alias, " where ")
		r.compareKeys(s, true, alias+".", t.ref)
		owned, lock := r.parent.heldAs(alias+".", first)
		s.text(" and ", owned, lock, "))")
	}
}

// lockFirst writes the condition that the owner has the row, and locks it so that
// other transactions come before or after. The update alone would not, since the owner is
// not a key to PostgreSQL. The key was bound at number first.
func (s *statement) lockFirst(t *table, first int) {
	alias := s.alias()
	s.text(" and exists (select 1 from ", t.quoted, " as ", alias, " where ", t.ownedBy(alias+".", 1))
	for i, c := range t.key {
		s.text(" and ", alias, ".", c.quoted, " = ")
		s.ref(first + i)
	}
	s.text(" for update)")
}
