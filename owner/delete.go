package owner

import "context"

// Delete deletes the row with that primary key, which is given as for [Select.Get].
// If the owner has no such row, the error is [ErrNotFound]. If the declared primary
// key is not unique in the database and several rows were deleted, the error is
// [ErrTooMany]: run deletes in a transaction, which such an error rolls back.
func (s Scoped[R, O]) Delete(ctx context.Context, db DB, key ...any) error {
	return s.delete(ctx, db, version{}, key)
}

// DeleteAt is like [Scoped.Delete] but deletes the row only in that version; see
// [Update.At].
func (s Scoped[R, O]) DeleteAt(ctx context.Context, db DB, n int64, key ...any) error {
	return s.delete(ctx, db, version{given: true, n: n}, key)
}

func (s Scoped[R, O]) delete(ctx context.Context, db DB, at version, key []any) error {
	if err := check(s.q.table, s.q.id, db); err != nil {
		return err
	}
	c, err := s.deletion(at, key)
	if err != nil {
		return err
	}
	ok, err := c.st.exec(ctx, db, "delete from", c.table)
	return c.outcome(ctx, db, ok, err)
}

func (s Scoped[R, O]) deletion(at version, key []any) (*change, error) {
	t := s.q.table
	args, err := t.keyArguments(key)
	if err != nil {
		return nil, err
	}
	if err := at.check(t); err != nil {
		return nil, err
	}
	c := &change{st: newStatement(s.q.id), table: t, id: s.q.id, key: args, at: at}
	first := c.st.bind(args)
	c.st.text("delete from ", t.quoted)
	c.st.writing(t, t.key, first, nil)
	at.write(c.st, t)
	return c, nil
}
