package owner

import "unsafe"

// Queue sends writes later, together with others: a *txn.Tx. QueueExpect makes the
// transaction fail if the statement changes another number of rows.
type Queue interface {
	Queue(sql string, args ...any)
	QueueExpect(rows int64, sql string, args ...any)
}

// QueueInsert queues the statement of [Scoped.Insert], which saves a round trip. It
// copies the row and does not fill it. If the row points at one that is not the
// owner's, the queue reports the error when it sends the statement.
func (s Scoped[R, O]) QueueInsert(q Queue, row *R) error {
	return s.q.Table.QueueInsert(s.q.Identity, q, unsafe.Pointer(row))
}

// Queue queues the update, which saves a round trip. If the owner has no such row,
// the row is in another version, or it would point at a row that is not the owner's,
// the queue reports the error when it sends the statement, and the transaction fails.
func (u Update[R, O]) Queue(q Queue) error { return u.untyped.Queue(q) }

// Queue queues the delete, which saves a round trip. If the owner has no such row, or
// the row is in another version, the queue reports it as for [Update.Queue].
func (d Delete[R, O]) Queue(q Queue) error { return d.untyped.Queue(q) }
