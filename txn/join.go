package txn

import (
	"context"
	"errors"

	"github.com/jackc/pgx/v5"
)

// join runs fn in a savepoint of a transaction that is somebody else's.
func join(ctx context.Context, outer pgx.Tx, name string, fn body) error {
	parent, ok := outer.(*Tx)
	if !ok {
		parent = &Tx{inner: outer, at: newAttempt(1, outer.Conn())}
	}
	sp, err := parent.begin(ctx)
	if err != nil {
		return err
	}
	at := sp.at
	inner := &Tx{inner: sp.inner, at: at} // whose Commit and Rollback are not the function's
	returned := false
	defer func() {
		if !returned { // a panic, or runtime.Goexit
			at.settle()
			undo(ctx, sp)
		}
		sp.closed, inner.closed = true, true
	}()
	err = fn(ctx, inner)
	returned = true
	at.settle()

	if cause := at.retryable(err); cause != nil {
		// A savepoint cannot undo a conflict: the transaction has to start again.
		// But where one of the function's own did, its caller may go on.
		if at.healthy() {
			undo(ctx, sp)
		}
		return reveal(name, err, cause)
	}
	switch {
	case at.ended != "":
		return errors.Join(sp.usable(), err)
	case err == nil && at.healthy():
		return sp.Commit(ctx)
	}
	cause := at.failure(nil)
	undo(ctx, sp)
	if err == nil {
		return &hiddenError{name: name, cause: cause}
	}
	return err
}

func undo(ctx context.Context, sp *Tx) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), rollbackGrace)
	defer cancel()
	_ = sp.Rollback(ctx) // where it fails, the transaction is failed, and its owner sees that
}

// reveal returns an error that both is returned and has cause in its tree.
func reveal(name string, returned, cause error) error {
	if conflict(returned) != nil {
		return returned
	}
	return &hiddenError{name: name, returned: returned, cause: cause}
}
