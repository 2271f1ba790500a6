package owner

import (
	"context"
	"unsafe"
)

// InsertMany inserts the rows in one statement, all or none. The rules are those of
// [Scoped.Insert], but the rows are left unchanged, because no database promises to
// return them in the given order. If one of them points at no row of the owner's, the
// error is [ErrReference], which does not name the foreign key if several have
// values, and the transaction is aborted. This is checked before anything is
// inserted: otherwise a unique violation could reveal that another owner's order has
// such a line.
//
// Without rows InsertMany does nothing. More rows than a statement can carry are
// refused: about 65000 divided by the number of columns, to which each foreign key
// adds its columns once for each row that it points at. (COPY has no such limit, but
// checks nothing, and older versions of CockroachDB do not accept it from pgx.)
func (s Scoped[R, O]) InsertMany(ctx context.Context, db DB, rows []R) error {
	many := make([]unsafe.Pointer, len(rows))
	for i := range rows {
		many[i] = unsafe.Pointer(&rows[i])
	}
	return s.q.Table.InsertMany(ctx, db, s.q.Identity, many)
}
