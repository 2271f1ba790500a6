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
	t, id := s.q.table, s.q.id
	if err := checkQueue(t, id, q); err != nil {
		return err
	}
	if row == nil {
		return misuse("table %s: the row to insert is nil", t.name)
	}
	inserted := *row
	st := newStatement(id)
	refs, err := t.inserting(st, id, unsafe.Pointer(&inserted))
	if err != nil {
		return err
	}
	if len(refs) > 0 {
		q.QueueExpect(1, st.sql.String(), st.args...)
	} else {
		q.Queue(st.sql.String(), st.args...)
	}
	return nil
}

// Queue queues the update, which saves a round trip. If the owner has no such row,
// the row is in another version, or it would point at a row that is not the owner's,
// the queue reports the error when it sends the statement, and the transaction fails.
func (u Update[R, O]) Queue(q Queue) error {
	if err := checkQueue(u.table, u.id, q); err != nil {
		return err
	}
	c, err := u.change()
	if err != nil {
		return err
	}
	q.QueueExpect(1, c.st.sql.String(), c.st.args...)
	return nil
}

// Queue queues the delete, which saves a round trip. If the owner has no such row, or
// the row is in another version, the queue reports it as for [Update.Queue].
func (d Delete[R, O]) Queue(q Queue) error {
	if err := checkQueue(d.table, d.id, q); err != nil {
		return err
	}
	c, err := d.change()
	if err != nil {
		return err
	}
	q.QueueExpect(1, c.st.sql.String(), c.st.args...)
	return nil
}

func checkQueue(t *table, id identity, q Queue) error {
	if err := checkScope(t, id); err != nil {
		return err
	}
	if q == nil {
		return misuse("the queue is nil")
	}
	return nil
}
