package txn

import (
	"context"
	"sync"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
)

// How long the end of a transaction may take once its context is done: until
// the answer to a COMMIT that is on the wire, and until a ROLLBACK is done.
const (
	commitGrace   = 2 * time.Second
	rollbackGrace = 2 * time.Second
)

// grace bounds the wait for an answer that is read without a context: when ctx
// has ended and the time is over, the read fails and pgx closes the connection.
// It is a context of pgx's without what a context costs.
type grace struct {
	conn    *pgconn.PgConn
	unwatch func() bool
	running sync.WaitGroup // callbacks that may be

	mu    sync.Mutex
	over  bool
	timer *time.Timer
	fired bool
}

func graceAfter(ctx context.Context, conn *pgconn.PgConn) *grace {
	g := &grace{conn: conn}
	g.running.Add(1)
	g.unwatch = context.AfterFunc(ctx, g.start)
	return g
}

func (g *grace) start() {
	defer g.running.Done()
	g.mu.Lock()
	defer g.mu.Unlock()
	if !g.over {
		g.running.Add(1)
		g.timer = time.AfterFunc(commitGrace, g.fire)
	}
}

func (g *grace) fire() {
	defer g.running.Done()
	g.mu.Lock()
	defer g.mu.Unlock()
	if !g.over {
		g.fired = true
		_ = g.conn.Conn().SetDeadline(time.Unix(1, 0)) // a connection that cannot do this fails by itself
	}
}

// end is called when the answer is there, or when there will be none.
func (g *grace) end() {
	if g.unwatch() {
		return // ctx has not ended
	}
	g.mu.Lock()
	g.over = true
	if g.timer != nil && g.timer.Stop() {
		g.running.Done()
	}
	g.mu.Unlock()
	g.running.Wait()
	if g.fired && !g.conn.IsClosed() {
		_ = g.conn.Conn().SetDeadline(time.Time{}) // the answer came just then
	}
}

// outlast is ctx without its end, until grace after that end. stop must be
// called, and waits for what outlast started.
func outlast(ctx context.Context, grace time.Duration) (_ context.Context, stop func()) {
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
