package txn

import (
	"context"
	"time"
)

// rollbackGrace is how long a ROLLBACK may take after its context is done.
const rollbackGrace = 2 * time.Second

// withGrace returns ctx with its end delayed by grace. stop must be called, and waits for
// what withGrace started.
func withGrace(ctx context.Context, grace time.Duration) (_ context.Context, stop func()) {
	if ctx.Done() == nil {
		return ctx, func() {}
	}
	out, cancel := context.WithCancel(context.WithoutCancel(ctx))
	ended := make(chan struct{})
	unwatch := context.AfterFunc(ctx, func() {
		defer close(ended)
		timer := time.NewTimer(grace)
		defer timer.Stop()
		select {
		case <-timer.C:
			cancel()
		case <-out.Done():
		}
	})
	return out, func() {
		cancel()
		if !unwatch() {
			<-ended
		}
	}
}
