package txn

import (
	"context"
	"errors"
	"log/slog"
	"runtime/debug"

	"github.com/rowkeeper/rowkeeper/txn/internal/wire"
)

// OnCommit registers f to run once the transaction is known to be committed. f does not
// run for an attempt that is retried or fails, nor if the outcome is unknown.
// Registered functions run in order, each once, after the connection is given back and
// before the call returns. In a savepoint or a joined call f is dropped if that is
// undone.
//
// The context given to f is the call's without its end, so a client that hangs up does
// not stop f; f must limit its own time. A panic of f is logged by [log/slog] and
// otherwise ignored, because the transaction has not failed. A panic elsewhere after
// the commit, such as in a tracer or a callback of [Batch], continues after all
// functions have run. OnCommit panics if f is nil.
//
// If OnCommit is called after the function has returned, f is dropped and an error is
// logged.
//
// A call that joined a pgx.Tx begun by other code cannot see the commit, so OnCommit
// makes that call fail.
func (tx *Tx) OnCommit(f func(ctx context.Context)) {
	if f == nil {
		panic("txn: OnCommit(nil)")
	}
	for {
		switch err := tx.at.gate.enter(); {
		case err == nil:
			defer tx.leave()
			if tx.closed.Load() {
				tx.tooLate("OnCommit")
				return
			}
			tx.at.onCommit(f)
			return
		case err != errBusy || tx.closed.Load():
			tx.tooLate("OnCommit")
			return
		case tx.at.gate.afterwards(func() { tx.at.onCommit(f) }):
			return
		}
	}
}

func (a *attempt) onCommit(f func(ctx context.Context)) {
	if a.call == nil {
		a.enqueued++ // so that an earlier savepoint undoes it
		_ = a.stopBy(&wire.Statement{Number: a.enqueued}, errCommitNotSeen)
		return
	}
	a.hooks = append(a.hooks, f)
}

var errCommitNotSeen = errors.New("txn: OnCommit in a call that joined a pgx.Tx, whose commit txn does not see: " +
	"what the call did is undone; begin that transaction with txn and give the call its *txn.Tx")

// runHooks runs the functions given to OnCommit. They cannot fail the call, and one
// that ends its goroutine does not keep the others from running.
func runHooks(ctx context.Context, name string, hooks []func(context.Context)) {
	defer func() {
		if len(hooks) > 0 {
			runHooks(ctx, name, hooks)
		}
	}()
	for len(hooks) > 0 {
		f := hooks[0]
		hooks = hooks[1:]
		runHook(ctx, name, f)
	}
}

func runHook(ctx context.Context, name string, f func(context.Context)) {
	defer func() {
		if p := recover(); p != nil {
			slog.ErrorContext(ctx, "txn: a function given to OnCommit panicked", "transaction", name, "panic", p, "stack", string(debug.Stack()))
		}
	}()
	f(ctx)
}
