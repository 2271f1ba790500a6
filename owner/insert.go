package owner

import (
	"context"
	"unsafe"
)

// Insert inserts the row as the owner's and fills it with what the database stored:
// keys, defaults and changes by triggers. On an error the row is unchanged. Hidden
// columns are inserted and not read back.
//
// A zero owner field stands for the owner in scope; another owner in it is refused
// with [ErrOtherOwner]. Columns declared default, and a primary key of one column
// besides the owner, are left to the database if they are zero. All others are
// inserted as they are, and the version as 1. If a declared [Reference], or the
// parent of a table made with [MustThrough], is not a row of the owner's, the error is
// [ErrReference].
//
// A violation of a unique constraint that does not begin with the owner column
// reveals that another owner has that value. The same is true of the primary key if
// the client chooses it.
func (s Scoped[R, O]) Insert(ctx context.Context, db DB, row *R) error {
	return s.q.Table.Insert(ctx, db, s.q.Identity, unsafe.Pointer(row))
}
