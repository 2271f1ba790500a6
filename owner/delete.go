package owner

import (
	"context"
	"slices"
)

// A Delete deletes one of the owner's rows. It is a value that can be kept and shared
// between goroutines: each method returns a changed copy.
type Delete[R any, O comparable] struct {
	_     [0]func(R, O)
	table *table
	id    identity
	key   []any
	at    version
}

// Delete deletes the row with that primary key, which is given as for [Select.Get].
// Call [Delete.Exec] or [Delete.Queue]; until then nothing is sent.
func (s Scoped[R, O]) Delete(key ...any) Delete[R, O] {
	return Delete[R, O]{table: s.q.table, id: s.q.id, key: slices.Clone(key)}
}

// Exec runs the delete. The error is [ErrNotFound] if the owner has no such row, and
// [ErrStale] if the row is in another version than At says. Nothing is deleted then.
//
// If the declared primary key is not unique in the database and several rows were
// deleted, the error is [ErrTooMany]: run deletes in a transaction, which such an
// error rolls back.
func (d Delete[R, O]) Exec(ctx context.Context, db DB) error {
	if err := check(d.table, d.id, db); err != nil {
		return err
	}
	c, err := d.change()
	if err != nil {
		return err
	}
	ok, err := c.st.exec(ctx, db, "delete from", c.table)
	return c.outcome(ctx, db, ok, err)
}

func (d Delete[R, O]) change() (*change, error) {
	t := d.table
	args, err := t.keyArguments(d.key)
	if err != nil {
		return nil, err
	}
	if err := d.at.check(t); err != nil {
		return nil, err
	}
	c := &change{st: newStatement(d.id), table: t, id: d.id, key: args, at: d.at}
	first := c.st.bind(args)
	c.st.text("delete from ", t.quoted)
	c.st.writing(t, t.key, first, nil)
	c.at.write(c.st, t)
	return c, nil
}
