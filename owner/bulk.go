package owner

import (
	"context"

	"github.com/rowkeeper/rowkeeper/owner/internal/core"
)

// An UpdateWhere changes the owner's rows for which conditions are true. It is a
// value: each method returns a changed copy.
type UpdateWhere[R any, O comparable] struct {
	_ [0]func(R, O)
	b core.Bulk
}

// A DeleteWhere deletes the owner's rows for which conditions are true. It is a
// value: each method returns a changed copy.
type DeleteWhere[R any, O comparable] struct {
	_ [0]func(R, O)
	b core.Bulk
}

func newBulk[R any](q core.Query, conditions []Condition[R]) core.Bulk {
	where, err := untyped(nil, conditions)
	return core.Bulk{Table: q.Table, Identity: q.Identity, Where: where, Most: MaxRows, Err: err}
}

// UpdateWhere changes the rows for which all conditions are true. At least one
// condition is required; [And] without conditions means all rows of the owner.
func (s Scoped[R, O]) UpdateWhere(condition Condition[R], more ...Condition[R]) UpdateWhere[R, O] {
	return UpdateWhere[R, O]{b: newBulk(s.q, append([]Condition[R]{condition}, more...))}
}

// DeleteWhere deletes the rows for which all conditions are true. At least one
// condition is required; [And] without conditions means all rows of the owner.
func (s Scoped[R, O]) DeleteWhere(condition Condition[R], more ...Condition[R]) DeleteWhere[R, O] {
	return DeleteWhere[R, O]{b: newBulk(s.q, append([]Condition[R]{condition}, more...))}
}

// Set adds assignments to those from earlier calls; see [Update.Set].
func (u UpdateWhere[R, O]) Set(assignments ...Assignment[R]) UpdateWhere[R, O] {
	u.b.Set = appendSet(u.b.Set, assignments)
	return u
}

// MaxAffected limits how many rows may be changed. The default is [MaxRows]. If more
// rows match, Exec changes none and returns [ErrTooMany].
func (u UpdateWhere[R, O]) MaxAffected(n int) UpdateWhere[R, O] {
	u.b.Most = n
	return u
}

// MaxAffected limits how many rows may be deleted; see [UpdateWhere.MaxAffected].
func (d DeleteWhere[R, O]) MaxAffected(n int) DeleteWhere[R, O] {
	d.b.Most = n
	return d
}

// Exec runs the update and returns how many rows it changed, which may be none. The
// error is [ErrTooMany] if more rows match than MaxAffected allows, and
// [ErrReference] if a row would point at one that is not the owner's. In both cases
// nothing is changed: the same statement checks it, so no transaction is needed.
func (u UpdateWhere[R, O]) Exec(ctx context.Context, db DB) (int64, error) {
	return u.b.Update(ctx, db)
}

// Exec runs the delete and returns how many rows it deleted, which may be none. If
// more rows match than MaxAffected allows, the error is [ErrTooMany] and nothing is
// deleted; see [UpdateWhere.Exec].
func (d DeleteWhere[R, O]) Exec(ctx context.Context, db DB) (int64, error) {
	return d.b.Delete(ctx, db)
}
