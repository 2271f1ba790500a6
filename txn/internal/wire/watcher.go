package wire

import (
	"context"
	"sync"

	"github.com/jackc/pgx/v5/pgconn/ctxwatch"
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
