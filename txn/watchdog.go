package txn

import (
	"context"
	"sync"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
)

// The time that the end of a transaction may take after its context is done: until the
// answer to a COMMIT on the wire, and until a ROLLBACK is done.
const (
	commitGrace   = 2 * time.Second
	rollbackGrace = 2 * time.Second
)

// cancelAfter is how long a packet with COMMIT is left alone after its context has
// ended. A write in it that still waits then, perhaps for a lock, is canceled, which
// makes it a definite rollback.
const cancelAfter = 200 * time.Millisecond

// commitWatchdog limits the wait for an answer that is read without a context: when ctx has
// ended and the time is over, the read fails and pgx closes the connection. It replaces
// a context in pgx without its cost.
type commitWatchdog struct {
	conn    *pgconn.PgConn
	unwatch func() bool
	running sync.WaitGroup // possibly running callbacks

	mu       sync.Mutex
	body     bool // the server may still execute a statement before COMMIT
	over     bool
	timer    *time.Timer
	canceled bool
	fired    bool
}

// watchCommit starts a grace. body reports whether there are statements before COMMIT in
// the packet.
func watchCommit(ctx context.Context, conn *pgconn.PgConn, body bool) *commitWatchdog {
	g := &commitWatchdog{conn: conn, body: body}
	g.running.Add(1)
	g.unwatch = context.AfterFunc(ctx, g.start)
	return g
}

// atCommit records that only the answer to COMMIT is missing.
func (g *commitWatchdog) atCommit() {
	g.mu.Lock()
	g.body = false
	g.mu.Unlock()
}

func (g *commitWatchdog) start() {
	defer g.running.Done()
	g.mu.Lock()
	defer g.mu.Unlock()
	if !g.over {
		g.after(cancelAfter, g.cancel)
	}
}

// after runs f later, unless end comes first. The caller holds the lock.
func (g *commitWatchdog) after(d time.Duration, f func()) {
	g.running.Add(1)
	g.timer = time.AfterFunc(d, func() {
		defer g.running.Done()
		f()
	})
}

func (g *commitWatchdog) cancel() {
	g.mu.Lock()
	if g.over {
		g.mu.Unlock()
		return
	}
	g.canceled = g.body
	g.after(commitGrace-cancelAfter, g.fire)
	cancels := g.canceled
	g.mu.Unlock()
	if cancels {
		ctx, done := context.WithTimeout(context.Background(), commitGrace-cancelAfter)
		defer done()
		_ = g.conn.CancelRequest(ctx) // on failure the connection is given up later
	}
}

func (g *commitWatchdog) fire() {
	g.mu.Lock()
	defer g.mu.Unlock()
	if !g.over {
		g.fired = true
		_ = g.conn.Conn().SetDeadline(time.Unix(1, 0)) // a connection without deadlines fails by itself
	}
}

// end is called when the answer has arrived, or none will. It reports whether a cancel
// request for the packet may still hit the connection.
func (g *commitWatchdog) end() (hit bool) {
	if g.unwatch() {
		return false // ctx has not ended
	}
	g.mu.Lock()
	g.over = true
	if g.timer != nil && g.timer.Stop() {
		g.running.Done()
	}
	g.mu.Unlock()
	g.running.Wait()
	if g.fired && !g.conn.IsClosed() {
		_ = g.conn.Conn().SetDeadline(time.Time{}) // the answer came meanwhile
	}
	return g.canceled
}

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
