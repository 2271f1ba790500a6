package owner

import (
	"context"
	"slices"
	"unsafe"

	"github.com/rowkeeper/rowkeeper/owner/internal/core"
)

// An Assignment gives a column a value; see [ColumnOf.Set] and [ColumnOf.Add].
type Assignment[R any] struct {
	_       [0]func(R)
	untyped core.Assignment
}

// An Update changes one of the owner's rows. It is a value that can be kept and
// shared between goroutines: each method returns a changed copy.
type Update[R any, O comparable] struct {
	_       [0]func(R, O)
	untyped core.Update
}

// Update changes the row with that primary key, which is given as for [Select.Get].
// If the table has a version column, each update increments it.
func (s Scoped[R, O]) Update(key ...any) Update[R, O] {
	return Update[R, O]{untyped: core.Update{Table: s.q.Table, Identity: s.q.Identity, Key: slices.Clone(key)}}
}

// Set adds assignments to those from earlier calls. Each column can be assigned once.
// The owner, the primary key and the version cannot be assigned.
func (u Update[R, O]) Set(assignments ...Assignment[R]) Update[R, O] {
	u.untyped.Set = appendSet(u.untyped.Set, assignments)
	return u
}

func appendSet[R any](to []core.Assignment, assignments []Assignment[R]) []core.Assignment {
	to = slices.Clip(to)
	for _, a := range assignments {
		to = append(to, a.untyped)
	}
	return to
}

// Exec runs the update. The error is [ErrNotFound] if the owner has no such row,
// [ErrStale] if the row is in another version than At says, and [ErrReference] if it
// would point at a row that is not the owner's. Nothing is changed then, and a second
// statement was sent if there were several reasons to tell apart.
//
// If the declared primary key is not unique in the database and several rows changed,
// the error is [ErrTooMany]: run updates in a transaction, which such an error rolls
// back.
func (u Update[R, O]) Exec(ctx context.Context, db DB) error { return u.untyped.Exec(ctx, db) }

// Returning is like [Update.Exec] and returns the changed row.
func (u Update[R, O]) Returning(ctx context.Context, db DB) (R, error) {
	var row R
	err := u.untyped.Returning(ctx, db, unsafe.Pointer(&row))
	return row, err
}
