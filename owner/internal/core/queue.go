package core

import (
	"reflect"
	"unsafe"
)

// Queue sends writes later. Its methods are those of owner.Queue.
type Queue interface {
	Queue(sql string, args ...any)
	QueueExpect(rows int64, sql string, args ...any)
}

// QueueInsert queues the insert of a copy of the row.
func (t *Table) QueueInsert(id Identity, q Queue, row unsafe.Pointer) error {
	if err := checkQueue(t, id, q); err != nil {
		return err
	}
	if row == nil {
		return Misuse("table %s: the row to insert is nil", t.Name)
	}
	inserted := reflect.New(t.Row)
	inserted.Elem().Set(reflect.NewAt(t.Row, row).Elem())
	st := newStatement(id)
	refs, err := t.inserting(st, id, inserted.UnsafePointer())
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

func checkQueue(t *Table, id Identity, q Queue) error {
	if err := checkScope(t, id); err != nil {
		return err
	}
	if q == nil {
		return Misuse("the queue is nil")
	}
	return nil
}
