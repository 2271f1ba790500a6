package owner

import (
	"context"
	"unsafe"
)

// Upsert inserts the row as the owner's, as [Scoped.Insert] does. If the owner has a
// row with the same key already, it updates that row instead: all columns that an
// insert would set, except the owner, the primary key, the columns of the given key,
// and hidden columns that are zero, since nothing reads those into a row. It then
// fills the row with what the database stored.
//
//	err := Accounts.In(me).Upsert(ctx, db, &account, Name)
//
// The key and more are the columns of a [Unique] in the declaration of the table, in
// any order; other columns are refused.
//
// The version is incremented and not compared, whatever the given row holds: the last
// upsert wins. Use [Update.At] to change only the version that was read. A row stays
// with its parent: if the row with the same key has another parent, the error is
// [ErrNotFound].
//
// Upsert never changes a row of another owner. If the key begins with the owner, no
// such row can conflict. If it is a primary key without the owner, a row of another
// owner with the same key gives [ErrNotFound], as it would for an update. The
// difference between a key that is inserted and one that is not reveals that row, as
// for any key that clients choose and that does not include the owner. Conflicts with
// other unique constraints are errors of the database.
func (s Scoped[R, O]) Upsert(ctx context.Context, db DB, row *R, key AnyColumn[R], more ...AnyColumn[R]) error {
	columns := untypedColumns(append([]AnyColumn[R]{key}, more...))
	return s.q.Table.Upsert(ctx, db, s.q.Identity, unsafe.Pointer(row), columns)
}
