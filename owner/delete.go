package owner

import (
	"context"
	"slices"

	"github.com/rowkeeper/rowkeeper/owner/internal/core"
)

// A Delete deletes one of the owner's rows. It is a value that can be kept and shared
// between goroutines: each method returns a changed copy.
type Delete[R any, O comparable] struct {
	_       [0]func(R, O)
	untyped core.Delete
}

// Delete deletes the row with that primary key, which is given as for [Select.Get].
// Call [Delete.Exec] or [Delete.Queue]; until then nothing is sent.
func (s Scoped[R, O]) Delete(key ...any) Delete[R, O] {
	return Delete[R, O]{untyped: core.Delete{Table: s.q.Table, Identity: s.q.Identity, Key: slices.Clone(key)}}
}

// Exec runs the delete. The error is [ErrNotFound] if the owner has no such row, and
// [ErrStale] if the row is in another version than At says. Nothing is deleted then.
//
// If the declared primary key is not unique in the database and several rows were
// deleted, the error is [ErrTooMany]: run deletes in a transaction, which such an
// error rolls back.
func (d Delete[R, O]) Exec(ctx context.Context, db DB) error { return d.untyped.Exec(ctx, db) }
