package txn

import (
	"context"
	"time"
)

// newAttempt makes an attempt of a call whose context is ctx.
func newAttempt(c *call, ctx context.Context, number int) *attempt {
	a := &attempt{call: c, number: number, outer: ctx, direct: c.direct, careful: c.plans > 0}
	a.ctx, a.cancel = context.WithCancel(ctx)
	a.queue = a.queueSpace[:0]
	return a
}

// closeGate ends the use of the attempt by the function's goroutines. One that is in
// the middle of something is interrupted. If it does not come back, because code
// of the function's that a statement runs does not, closeGate reports false: then that
// goroutine gives everything back when it does, and the attempt is not to be
// touched.
func (a *attempt) closeGate() bool {
	if a.gate.close() {
		a.interrupt()
		if !a.gate.take(a.ctx, rollbackGrace) && a.gate.afterwards(a.dispose) {
			a.hangUp()
			return false
		}
		a.interrupted = true
	}
	if err := a.gate.blamed(); err != nil {
		_ = a.stop(err)
	}
	return true
}

// interrupt ends the waits of the one who is inside: those for a permit, a
// connection or user code that heeds the context, and by the deadline those for
// an answer under a context that is not the function's.
func (a *attempt) interrupt() {
	a.cancel()
	if conn := a.wire.Load(); conn != nil {
		_ = conn.PgConn().Conn().SetDeadline(time.Unix(1, 0)) // a connection that cannot do this is closed later
	}
}

// hangUp has the server roll back at once.
func (a *attempt) hangUp() {
	if conn := a.wire.Load(); conn != nil {
		_ = conn.PgConn().Conn().Close() // the connection is not used again
	}
}

// bound is ctx, which also ends with the attempt. The context that the function
// was given does that by itself.
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
	defer a.give(a.outer)
	defer a.rollback(a.outer)
	a.settle(false)
}

// drainTime is how long what the function left open is read on although the
// transaction is not to be committed. After that it is cheaper to close the
// connection.
const drainTime = 50 * time.Millisecond

// settle closes what the function left open: the connection is busy until then.
// All of it has to be read for a COMMIT.
func (a *attempt) settle(commits bool) {
	o := a.open
	if o == nil {
		return
	}
	a.open = nil
	if conn := a.conn; conn != nil && !commits && !conn.IsClosed() {
		wire := conn.PgConn().Conn()
		_ = wire.SetReadDeadline(time.Now().Add(drainTime)) // without one all is read
		defer func() {
			if !conn.IsClosed() {
				_ = wire.SetReadDeadline(time.Time{})
			}
		}()
	}
	o.abandon()
}
