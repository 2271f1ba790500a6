package wire

import (
	"context"
	"sync"

	"github.com/jackc/pgx/v5/pgconn/ctxwatch"

	"github.com/rowkeeper/rowkeeper/txn/internal/outcome"
)

// watcher interrupts a read or a write of its connection when a context ends, as the
// connection is configured to. It is pgx's without its allocations.
type watcher struct {
	handler ctxwatch.Handler
	ended   func() // run when the context ends
	ctx     context.Context
	stop    func() bool // nil while nothing is watched
	running sync.WaitGroup
}

func (w *watcher) of(handler ctxwatch.Handler) {
	w.handler = handler
	w.ended = func() {
		defer w.running.Done()
		w.handler.HandleCancel(w.ctx)
	}
}

func (w *watcher) watch(ctx context.Context) {
	if ctx.Done() == nil {
		return
	}
	w.ctx = ctx
	w.running.Add(1)
	w.stop = context.AfterFunc(ctx, w.ended)
}

// covers reports whether the end of a context already interrupts the connection.
func (w *watcher) covers(ctx context.Context) bool {
	return w.stop != nil && w.ctx.Done() == ctx.Done()
}

// ended reports why a read or a write was interrupted, or nil.
func (w *watcher) reason() error {
	if w.stop == nil || w.ctx.Err() == nil {
		return nil
	}
	return outcome.ContextError(w.ctx)
}

// end stops watching. After it, nothing interrupts the connection any more.
func (w *watcher) end() {
	if w.stop == nil {
		return
	}
	if w.stop() {
		w.running.Done()
	} else {
		w.running.Wait()
		w.handler.HandleUnwatchAfterCancel()
	}
	w.ctx, w.stop = nil, nil
}
