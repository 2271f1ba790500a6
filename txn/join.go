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
		parent = &Tx{at: joined(ctx, outer)}
	}
	sp, err := parent.begin(ctx)
	if err != nil {
		return err
	}
	at := sp.at
	inner := &Tx{at: at} // whose Commit and Rollback are not the function's
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

	if err == nil && at.ended == "" && at.healthy() {
		if err = sp.Commit(ctx); err == nil {
			return nil
		}
		sp.closed = false // what it released is undone with the rest
	}
	if cause := at.reason(err); cause != nil && restarts(at, cause) {
		// A savepoint cannot undo a conflict: the transaction has to start again.
		// But where one of the function's own did, its caller may go on.
		if at.healthy() {
			undo(ctx, sp)
		}
		return reveal(name, err, cause)
	}
	if at.ended != "" {
		return errors.Join(sp.usable(), err)
	}
	cause := at.failure(nil)
	undo(ctx, sp)
	if err == nil {
		return &hiddenError{name: name, cause: cause}
	}
	return err
}

// restarts reports whether cause is for the outermost call, which alone can run
// the transaction again.
func restarts(at *attempt, cause error) bool {
	_, again := classify(at.evidence(cause))
	return again != never
}

func undo(ctx context.Context, sp *Tx) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), rollbackGrace)
	defer cancel()
	_ = sp.Rollback(ctx) // where it fails, the transaction is failed, and its owner sees that
}

// reveal returns an error that both is returned and has cause in its tree.
func reveal(name string, returned, cause error) error {
	if returned != nil && errors.Is(returned, cause) {
		return returned
	}
	if conflict(returned) != nil && conflict(returned) == conflict(cause) {
		return returned
	}
	return &hiddenError{name: name, returned: returned, cause: cause}
}
