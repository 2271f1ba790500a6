package owner

import "context"

// Delete deletes the row with that primary key, which is given as for
// [Select.Get]. Where the owner has no such row, the error is [ErrNotFound].
// Where the declared primary key is not unique after all and several rows were
// deleted, it is [ErrTooMany]: run deletes in a transaction, which such an
// error rolls back.
func (s Scoped[R, O]) Delete(ctx context.Context, db DB, key ...any) error {
	t := s.table
	if err := check(t, s.scope, db); err != nil {
		return err
	}
	args, err := t.keyArguments(key)
	if err != nil {
		return err
	}
	st := newStatement(s.scope.arg)
	st.text("delete from ", t.quoted)
	st.where(t, args, nil)
	return st.exec(ctx, db, "delete from", t)
}
