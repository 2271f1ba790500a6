package owner

import "context"

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
	return s.q.Table.TransferTo(ctx, db, s.q.Identity, to.id, key)
}
