package txn

import (
	"context"
	"errors"
	"os"
	"time"
)

// newAttempt creates an attempt of a call with the context ctx.
func newAttempt(c *call, ctx context.Context, number int) *attempt {
	a := &attempt{call: c, number: number}
	a.ctx, a.cancel = c.bounded(ctx)
	a.direct, a.careful = c.direct, c.plans > 0
	if c.once != nil {
		a.claim = c.once.Claim(c.claims.blocked)
	}
	a.queue = a.queueSpace[:0]
	return a
}

// closeGate ends the use of the attempt by the function's goroutines, and interrupts
// one that is inside. If that goroutine does not return, because a statement runs user
// code that does not, closeGate reports false: the goroutine then gives everything back
// when it returns, and the caller must not touch the attempt.
func (a *attempt) closeGate() bool {
	if a.gate.close() {
		a.interrupt()
		if !a.gate.take(a.ctx, rollbackGrace) && a.gate.afterwards(a.dispose) {
			a.hangUp()
			return false
		}
		a.interrupted = true
	}
	a.unwatch()
	if err := a.gate.blamed(); err != nil {
		_ = a.stop(err)
	}
	return true
}

// interrupt ends the waits of the goroutine inside: by the context those for a permit,
// a connection or user code that heeds it, and by the deadline those for an answer
// under a context that is not the function's.
func (a *attempt) interrupt() {
	a.cancel()
	if conn := a.shared.Load(); conn != nil {
		_ = conn.PgConn().Conn().SetDeadline(time.Unix(1, 0)) // a connection without deadlines is closed later
	}
}

// unwatch ends what interrupts statements when the function's context ends. A COMMIT is
// given a grace, and a ROLLBACK has a context of its own.
func (a *attempt) unwatch() {
	if a.session != nil {
		a.session.Unwatch()
	}
}

// hangUp makes the server roll back at once.
func (a *attempt) hangUp() {
	if conn := a.shared.Load(); conn != nil {
		_ = conn.PgConn().Conn().Close() // the connection is not used again
	}
}

// bound returns ctx, which also ends with the attempt. The function's own context
// already does.
func (a *attempt) bound(ctx context.Context) (context.Context, func()) {
	if r := runningIn(ctx); r != nil && r == runningIn(a.ctx) {
		return ctx, func() {}
	}
	ctx, cancel := context.WithCancel(ctx)
	stop := context.AfterFunc(a.ctx, cancel)
	return ctx, func() { stop(); cancel() }
}

// dispose undoes the transaction and gives everything back.
func (a *attempt) dispose() {
	defer a.give(a.ctx)
	defer a.rollback(a.ctx)
	a.unwatch()
	a.settle(false)
}

// drainTime is how long results that the function left open are read although the
// transaction is not to be committed. After that, closing the connection is cheaper.
var drainTime = 50 * time.Millisecond // longer in tests, which count connections on slow machines too

// settle closes what the function left open, as the connection is busy until then.
// Before a COMMIT all of it has to be read.
func (a *attempt) settle(commits bool) {
	o := a.open
	if o == nil {
		return
	}
	a.open = nil
	conn := a.conn
	if conn == nil || commits || conn.IsClosed() {
		o.abandon()
		return
	}
	before := a.failed
	socket := conn.PgConn().Conn()
	_ = socket.SetReadDeadline(time.Now().Add(drainTime)) // without a deadline everything is read
	defer func() {
		if !conn.IsClosed() { // also behind a tracer that panics
			_ = socket.SetReadDeadline(time.Time{})
		}
	}()
	o.abandon()
	if conn.IsClosed() && before == nil && errors.Is(a.failed, os.ErrDeadlineExceeded) {
		a.failed, a.undrained = nil, true
	}
}
