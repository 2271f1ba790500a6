package wire

import (
	"context"
	"sync"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
)

// CommitGrace is how long the answer to a COMMIT on the wire is waited for after its
// context has ended.
const CommitGrace = 2 * time.Second

// cancelAfter is how long a packet with COMMIT is left alone after its context has
// ended. A write in it that still waits then, perhaps for a lock, is canceled, which
// makes it a definite rollback.
const cancelAfter = 200 * time.Millisecond

// past is a deadline that ends a read or a write at once.
var past = time.Unix(1, 0)

// Watchdog limits the wait for an answer that is read without a context: when a context
// has ended and the time is over, the read fails and the connection is closed.
type Watchdog struct {
	conn    *pgconn.PgConn
	ended   func()         // run when the context ends
	unwatch func() bool    // nil if the context never ends
	running sync.WaitGroup // callbacks that may be running

	mu       sync.Mutex
	body     bool // the server may still execute a statement before COMMIT
	over     bool
	timer    *time.Timer
	canceled bool
	fired    bool
}

func (g *Watchdog) of(conn *pgconn.PgConn) { g.conn, g.ended = conn, g.start }

// WatchCommit watches over a packet with COMMIT until End. body reports whether there
// are statements before COMMIT in the packet.
func (s *Session) WatchCommit(ctx context.Context, body bool) *Watchdog {
	g := &s.watchdog
	g.body, g.over, g.timer, g.canceled, g.fired, g.unwatch = body, false, nil, false, false, nil
	if ctx.Done() != nil {
		g.running.Add(1)
		g.unwatch = context.AfterFunc(ctx, g.ended)
	}
	return g
}

// AtCommit records that only the answer to COMMIT is missing.
func (g *Watchdog) AtCommit() {
	g.mu.Lock()
	g.body = false
	g.mu.Unlock()
}

func (g *Watchdog) start() {
	defer g.running.Done()
	g.mu.Lock()
	defer g.mu.Unlock()
	if !g.over {
		g.afterLocked(cancelAfter, g.cancel)
	}
}

// afterLocked runs f later, unless End comes first.
func (g *Watchdog) afterLocked(d time.Duration, f func()) {
	g.running.Add(1)
	g.timer = time.AfterFunc(d, func() {
		defer g.running.Done()
		f()
	})
}

func (g *Watchdog) cancel() {
	g.mu.Lock()
	if g.over {
		g.mu.Unlock()
		return
	}
	g.canceled = g.body
	g.afterLocked(CommitGrace-cancelAfter, g.fire)
	cancels := g.canceled
	g.mu.Unlock()
	if cancels {
		ctx, done := context.WithTimeout(context.Background(), CommitGrace-cancelAfter)
		defer done()
		_ = g.conn.CancelRequest(ctx) // on failure the connection is given up later
	}
}

func (g *Watchdog) fire() {
	g.mu.Lock()
	defer g.mu.Unlock()
	if !g.over {
		g.fired = true
		_ = g.conn.Conn().SetDeadline(past) // a connection without deadlines fails by itself
	}
}

// End is called when the answer has arrived, or none will. It reports whether a cancel
// request for the packet may still hit the connection.
func (g *Watchdog) End() (hit bool) {
	if g.unwatch == nil {
		return false
	}
	if g.unwatch() {
		g.running.Done()
		return false // the context has not ended
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
