package core

// hold is the lock that a statement takes on rows that decide who owns another row:
// the parents of the rows that it writes or locks, and the targets of their foreign
// keys. It is the lock of a foreign key check, so it prevents [Table.TransferTo]
// from giving these rows away and allows other changes.
//
// Without it PostgreSQL would judge ownership by a snapshot below SERIALIZABLE. After
// the wait for a row, READ COMMITTED looks again at that row alone and not at its
// parent; REPEATABLE READ never looks again. The lock is taken on the row in its
// current version, or fails with 40001.
//
// Alternatives were tried with 4000 transactions of 8 workers on PostgreSQL 18, each
// of which changes a line and every second one then one of 4 orders. With this lock
// none failed at READ COMMITTED. FOR SHARE deadlocked without end. Refusing
// everything below SERIALIZABLE gave 7075 serialization failures, and still let a
// transaction with an older snapshot change a line after the transfer.
const hold = " for key share"

// held returns the condition that the parent of a row of t, and the owner of that
// parent, stay the owner's until the transaction ends. It is added to
// [Table.ownedBy], by which the planner finds the rows: the planner can turn that
// into a join, but not a subquery that locks.
func (t *Table) held(prefix string, first int, wait string) string {
	if t.Through == nil {
		return ""
	}
	return " and " + t.ownedWithin(prefix, first, 1, hold+wait)
}

// heldAs returns [Table.ownedBy] for a row that is looked up in a subquery, and the
// lock to append to that subquery, which is empty if everybody may read the row.
func (t *Table) heldAs(prefix string, first int) (owned, lock string) {
	if t.Shared {
		return t.ownedBy(prefix, first), ""
	}
	return t.ownedWithin(prefix, first, 1, hold), hold
}
