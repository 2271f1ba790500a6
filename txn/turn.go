package txn

import (
	"container/list"
	"context"
	"errors"
	"fmt"
	"runtime"
	"time"
)

// turn is an attempt's permit in a line. Its duration counts from the connection.
type turn struct {
	of        *admission
	line      *line
	front     bool          // goes before those that have not lost
	exclusive bool          // no other call is admitted meanwhile
	wake      chan struct{} // closed when granted; nil if granted at once
	ahead     int           // permits ahead of it when it began to wait
	place     *list.Element // while waiting
	index     int           // among the holders, once granted
	came      time.Time
	began     time.Time // zero while it has no connection
	bypassed  time.Time // when it stopped counting as overdue; zero if it counts
}

// lasted returns how long a permit had a connection, or zero if that does not tell how
// long such permits last. A holder that ended soon after it was bypassed probably
// waited for a call in the queue: it lasted as long as the queue held it up.
func (t *turn) lasted(now time.Time) time.Duration {
	if t == nil || t.began.IsZero() || !t.bypassed.IsZero() && now.Sub(t.bypassed) < t.bypassed.Sub(t.began) {
		return 0
	}
	return now.Sub(t.began)
}

// verdict is what the end of a permit tells about its queue.
type verdict uint8

const (
	agreed verdict = iota // no conflict
	lost                  // a conflict
	cut                   // nothing: its context ended, or it was never granted
)

// linesOf returns the admission of a database, or nil. Only a pool has one: on a
// caller's own connection waiting would hold it.
func linesOf(db DB, cfg *config) *admission {
	if cfg.noAdmission {
		return nil
	}
	if pool := poolOf(db); pool != nil {
		return admissionOf(pool)
	}
	return nil
}

// admission is looked up on demand, which without conflicts is never.
func (c *call) admission() *admission {
	if !c.looked {
		c.lines, c.looked = linesOf(c.db, c.config), true
	}
	return c.lines
}

// takeTurn waits in the queue for what the transaction begins with, if there is one.
func (a *attempt) takeTurn(ctx context.Context, first *statement) error {
	c := a.call
	if a.turn != nil || c.noAdmission {
		return nil
	}
	busy := linesAnywhere.Load() > 0
	a.beginsWith(first, busy)
	if !busy || c.admission() == nil || a.key() == 0 {
		return nil
	}
	c.asks.key, c.asks.opening, c.asks.outer = a.key(), a.opening(), c.around(a.ctx)
	t, err := c.lines.enter(&c.asks)
	if err != nil {
		return a.stop(err)
	}
	if t != nil && t.wake != nil {
		if err := a.await(ctx, t); err != nil {
			return err
		}
	}
	if t != nil {
		a.turn = t
		c.turn.Store(t)
	}
	return nil
}

// await waits until a permit is granted. The end of the statement's own context is an
// error of the statement; the end of the call's context stops the attempt.
func (a *attempt) await(ctx context.Context, t *turn) (err error) {
	c := a.call
	left := false
	leave := func() {
		if !left {
			left = true
			c.lines.leave(t, cut)
		}
	}
	told := false
	defer func() {
		if err != nil || !told { // a panic of a tracer, or runtime.Goexit
			leave()
		}
	}()
	start := time.Now()
	traced := c.traceLineStart(ctx, t.ahead)
	select {
	case <-t.wake:
	case <-ctx.Done(): // also if the attempt's context is done
		err = fmt.Errorf("%s: waiting for its turn: %w", prefix(c.name), contextError(ctx))
	}
	if a.ctx.Err() != nil {
		err = a.stop(c.inVain(a.ctx, t, time.Since(start)))
	}
	if err != nil {
		leave()
	}
	c.traceLineEnd(traced, start, err)
	told = true
	return err
}

// inVain returns the error of a call whose context ended while it waited for a permit.
func (c *call) inVain(ctx context.Context, t *turn, waited time.Duration) error {
	err := contextError(ctx)
	if !errors.Is(err, context.DeadlineExceeded) { // the caller will not retry
		return fmt.Errorf("%s: waiting for its turn: %w", prefix(c.name), err)
	}
	return &BusyError{Name: c.name, Ahead: t.ahead, Wait: c.lines.waitFor(t), lost: c.asks.lost, waited: waited, cause: err}
}

// beginsWith records what the transaction begins with. While there are no queues this
// must cost almost nothing, so only cheap values are read then.
func (a *attempt) beginsWith(first *statement, thoroughly bool) {
	c := a.call
	for i := range a.queue {
		if a.queue[i].kind == queued {
			first = &a.queue[i]
			break
		}
	}
	if c.key != 0 || first == nil {
		return
	}
	a.firstSQL, a.firstArgs = first.sql, first.args
	a.firstPrint = fingerprintOf(first.sql, first.args, thoroughly || c.asks.lost > 0)
	c.begins.Store(uint64(a.firstPrint))
}

// key returns the admission key of the transaction, or zero.
func (a *attempt) key() fingerprint { return a.call.keyOf(a.firstPrint) }

// keyOf returns the key of transactions that begin with a statement. Other settings
// make another key.
func (c *config) keyOf(statement fingerprint) fingerprint {
	if c.key != 0 || statement == 0 {
		return c.key
	}
	if len(c.first) > 1 || c.first[0].sql != defaults.first[0].sql {
		for i := range c.first {
			statement ^= fingerprintOf(c.first[i].sql, nil, false)
		}
	}
	return statement
}

// opening returns a fingerprint of the text alone of what the transaction begins with.
func (a *attempt) opening() fingerprint {
	if a.firstSQL == "" {
		return 0
	}
	return fingerprintOf(a.firstSQL, nil, false)
}

// around returns the running calls on the same pool whose functions make this call.
func (c *call) around(ctx context.Context) (calls []outer) {
	for r := runningIn(ctx); r != nil; r = runningIn(r.Context) {
		if r.call != c && !r.over.Load() && identity(r.db) == identity(c.db) {
			calls = append(calls, outer{r.call.keyOf(fingerprint(r.call.begins.Load())), r.call.turn.Load()})
		}
	}
	return calls
}

// follow remembers what is sent, in case the attempt loses.
func (a *attempt) follow(statements []statement) {
	if linesAnywhere.Load() == 0 || a.call == nil || a.call.admission() == nil {
		return
	}
	for i := range statements {
		if s := &statements[i]; (s.kind == queued || s.kind == answered) && len(a.trail) < mostTrail {
			f := a.firstPrint
			if f == 0 || len(a.trail) > 0 || !a.isFirst(s) {
				f = fingerprintOf(s.sql, s.args, true)
			}
			if f != 0 {
				a.trail = append(a.trail, f)
			}
		}
	}
}

// isFirst reports whether the transaction begins with s, whose arguments then need not
// be hashed again.
func (a *attempt) isFirst(s *statement) bool {
	return s.sql == a.firstSQL && len(s.args) == len(a.firstArgs) && (len(s.args) == 0 || &s.args[0] == &a.firstArgs[0])
}

// endTurn ends the attempt's permit, and creates a queue if it lost.
func (a *attempt) endTurn() {
	c, t := a.call, a.turn
	if c == nil {
		return
	}
	a.turn = nil
	c.turn.Store(nil)
	c.begins.Store(0)
	if t == nil && !a.conflicted && len(a.trail) == 0 || c.admission() == nil {
		return
	}
	next := t != nil && c.lines.leave(t, a.verdict())
	if key := a.key(); key != 0 {
		if a.conflicted {
			c.asks.key, c.asks.opening, c.asks.trail = key, a.opening(), a.trail
			c.asks.took = 0
			if c.number == 1 {
				c.asks.took = time.Since(c.start)
			}
			c.inLine = c.lines.conflict(&c.asks, t)
		}
		if len(a.trail) > 0 {
			c.lines.ended(a.opening(), key, a.trail)
		}
	}
	if next {
		runtime.Gosched() // otherwise the admitted call waits for what this caller does next
	}
}

func (a *attempt) verdict() verdict {
	switch {
	case a.conflicted:
		return lost
	case a.ctx.Err() != nil && !a.call.known:
		return cut
	}
	return agreed
}

func (c *call) traceLineStart(ctx context.Context, ahead int) context.Context {
	if c.tracer == nil {
		return ctx
	}
	return c.tracer.TraceWaitStart(ctx, TraceWaitStartData{Name: c.name, Attempt: c.number, InLine: true, Ahead: ahead})
}

func (c *call) traceLineEnd(ctx context.Context, start time.Time, err error) {
	if c.tracer != nil {
		c.tracer.TraceWaitEnd(ctx, TraceWaitEndData{Name: c.name, Attempt: c.number, InLine: true, Waited: time.Since(start), Err: err})
	}
}
