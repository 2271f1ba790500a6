package owner

import "unsafe"

// Queue takes writes to send them later, with others: a *txn.Tx. QueueExpect
// makes the transaction fail where the statement changes another number of rows.
type Queue interface {
	Queue(sql string, args ...any)
	QueueExpect(rows int64, sql string, args ...any)
}

// QueueInsert queues what [Scoped.Insert] would send. The row is copied, and not
// filled. That it points at rows which are not the owner's comes up when it is
// sent, as the error of the queue.
func (s Scoped[R, O]) QueueInsert(q Queue, row *R) error {
	t, id := s.q.table, s.q.id
	if err := checkQueue(t, id, q); err != nil {
		return err
	}
	if row == nil {
		return misuse("table %s: the row to insert is nil", t.name)
	}
	kept := *row
	st := newStatement(id)
	refs, err := t.inserting(st, id, unsafe.Pointer(&kept))
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

// Queue queues the update. That the owner has no such row, that it is in another
// version, or that it is to point at a row which is not the owner's, comes up
// when it is sent, as the error of the queue: then the transaction fails.
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

// QueueDelete queues what [Scoped.Delete] would send. That the owner has no such
// row comes up as for [Update.Queue].
func (s Scoped[R, O]) QueueDelete(q Queue, key ...any) error {
	if err := checkQueue(s.q.table, s.q.id, q); err != nil {
		return err
	}
	c, err := s.deletion(version{}, key)
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
