package owner

// hold is the lock that a statement takes on the rows by which it is decided whose
// another row is: the parents of the rows that it writes or locks, and what they
// are to point at. It is that of a foreign key, so it keeps nobody from changing
// these rows otherwise, but [Scoped.TransferTo] from giving them away.
//
// Without it PostgreSQL would judge by a snapshot below SERIALIZABLE. After the
// wait for a row, READ COMMITTED looks again at that row alone, and not at its
// parent; REPEATABLE READ never looks again. The lock is taken on the row as it is
// by then, or fails with 40001.
const hold = " for key share"

// held is the condition that the parent of a row of t, and whose that is, stays the
// owner's until the transaction ends. It comes on top of [table.ownedBy], by which
// the planner finds the rows: it can make a join of that, and not of one that locks.
func (t *table) held(prefix string, first int, wait string) string {
	if t.through == nil {
		return ""
	}
	return " and " + t.ownedWithin(prefix, first, 1, hold+wait)
}

// heldAs is [table.ownedBy] for a row that is looked up in a subquery, which the
// text behind the condition locks: nothing if the row is everybody's.
func (t *table) heldAs(prefix string, first int) (owned, lock string) {
	if t.shared {
		return t.ownedBy(prefix, first), ""
	}
	return t.ownedWithin(prefix, first, 1, hold), hold
}
