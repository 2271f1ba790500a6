package txn

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/rowkeeper/rowkeeper/txn/internal/outcome"
)

// join runs fn in a savepoint of a transaction begun by somebody else.
func join(ctx context.Context, outer pgx.Tx, name string, fn body) error {
	parent, ok := outer.(*Tx)
	if !ok {
		parent = &Tx{at: joined(ctx, outer), share: new(share)}
		if r := runningJoined(ctx, outer, name, parent.at.conn); r != nil {
			defer r.over.Store(true)
			ctx = r
		}
	}
	sp, err := parent.joinedBy(ctx)
	if err != nil {
		return err
	}
	at := sp.at
	inner := &Tx{at: at, share: new(share)} // its Commit and Rollback do not belong to the function
	fnCtx, cancel := context.WithCancel(ctx)
	defer cancel()
	returned := false
	defer func() {
		defer inner.closed.Store(true)
		defer sp.closed.Store(true)
		if !returned && at.endJoined(ctx, cancel) == nil { // a panic, or runtime.Goexit
			defer at.gate.leave()
			defer undo(ctx, sp)
			at.settle(false)
		}
	}()
	err = fn(fnCtx, inner)
	returned = true
	if endErr := at.endJoined(ctx, cancel); endErr != nil {
		return errors.Join(fmt.Errorf("%s: %w", prefix(name), endErr), err)
	}
	defer at.gate.leave()
	err = inner.share.verdict(name, err)
	at.settle(true)
	return endSavepoint(ctx, sp, name, err)
}

// endSavepoint releases the savepoint of a joined call whose function returned nil, or
// undoes it, and returns the call's error.
func endSavepoint(ctx context.Context, sp *Tx, name string, err error) error {
	at := sp.at
	if err == nil && at.ended == "" && at.healthy() {
		if err = sp.end(ctx, (*attempt).releaseMark); err == nil {
			return nil
		}
		sp.closed.Store(false) // released savepoints are undone too
	}
	if cause := at.reason(err); cause != nil && restarts(at, cause) {
		// A savepoint cannot undo a conflict: the transaction has to start again. But
		// if one of the function's own savepoints did, its caller may continue.
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
	switch {
	case err != nil:
		return err
	case cause == errCommitNotSeen: // no statement has failed
		return cause
	}
	return &hiddenError{name: name, cause: cause}
}

// joinedBy creates the savepoint of a call that joins.
func (tx *Tx) joinedBy(ctx context.Context) (*Tx, error) {
	if err := tx.enter(); err != nil {
		return nil, err
	}
	defer tx.leave()
	return tx.begin(ctx)
}

// endJoined enters the gate when the function of a joined call has returned. It waits
// for a goroutine that still uses the transaction, as that may belong to the function
// or to the call that is joined.
func (a *attempt) endJoined(ctx context.Context, cancel context.CancelFunc) error {
	if err := a.gate.enter(); err != errBusy {
		return err
	}
	cancel()
	out, stop := withGrace(ctx, rollbackGrace)
	defer stop()
	err := a.gate.await(out)
	if err != nil && err != pgx.ErrTxClosed {
		a.gate.blame(errStillUsed)
		return errStillUsed
	}
	return err
}

// restarts reports whether cause is for the outermost call, which alone can run the
// transaction again.
func restarts(at *attempt, cause error) bool {
	_, again := outcome.Classify(at.evidence(cause))
	return again != outcome.Never
}

func undo(ctx context.Context, sp *Tx) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), rollbackGrace)
	defer cancel()
	_ = sp.end(ctx, (*attempt).undoMark) // on failure the transaction has failed, which its owner sees
}

// reveal returns an error that contains both returned and cause.
func reveal(name string, returned, cause error) error {
	if returned != nil && errors.Is(returned, cause) {
		return returned
	}
	if outcome.Conflict(returned) != nil && outcome.Conflict(returned) == outcome.Conflict(cause) {
		return returned
	}
	return &hiddenError{name: name, returned: returned, cause: cause}
}
