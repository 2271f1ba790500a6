package txn

import (
	"container/list"
	"context"
	"errors"
	"fmt"
	"runtime"
	"time"
)

// turn is one attempt's place in a line. Its time counts from the connection.
type turn struct {
	of        *admission
	line      *line
	front     bool          // it comes before those that have not lost
	exclusive bool          // nobody else is let in meanwhile
	wake      chan struct{} // closed when it comes; nil: it came at once
	ahead     int           // how many waited before it when it began to wait
	place     *list.Element // while it waits
	index     int           // among the holders, once it came
	came      time.Time
	began     time.Time // zero: it has no connection yet
	bypassed  time.Time // since then it does not count any more, as it is overdue; zero: it does
}

// lasted is how long a turn had a connection, as far as that says how long such
// turns take; zero: it says nothing. One that ended soon after it was bypassed
// probably waited for one in the queue: it lasted as long as the queue held it up.
func (t *turn) lasted(now time.Time) time.Duration {
	if t == nil || t.began.IsZero() || !t.bypassed.IsZero() && now.Sub(t.bypassed) < t.bypassed.Sub(t.began) {
		return 0
	}
	return now.Sub(t.began)
}

// verdict is what a turn says of its line when it ends.
type verdict uint8

const (
	agreed verdict = iota // that it got along
	lost                  // that it did not
	cut                   // nothing, as its context ended, or it never came
)

// linesOf finds the lines for the calls on a database. Only a pool has some: on a
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

// admission is looked up when it is needed, which without conflicts is never.
func (c *call) admission() *admission {
	if !c.looked {
		c.lines, c.looked = linesOf(c.db, c.config), true
	}
	return c.lines
}

// takeTurn waits in the line for what the transaction begins with, if there is
// one.
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

// await waits until a turn comes. The end of the statement's own context is an
// error of the statement; that of the call's stops the attempt.
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
		if err != nil || !told { // a panic of a tracer's, or runtime.Goexit
			leave()
		}
	}()
	start := time.Now()
	traced := c.traceLineStart(ctx, t.ahead)
	select {
	case <-t.wake:
	case <-ctx.Done(): // also when that of the attempt is
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

// inVain is the error of a call whose context ended while it waited for a turn.
func (c *call) inVain(ctx context.Context, t *turn, waited time.Duration) error {
	err := contextError(ctx)
	if !errors.Is(err, context.DeadlineExceeded) { // nobody will come again
		return fmt.Errorf("%s: waiting for its turn: %w", prefix(c.name), err)
	}
	return &BusyError{Name: c.name, Ahead: t.ahead, Wait: c.lines.waitFor(t), lost: c.asks.lost, waited: waited, cause: err}
}

// beginsWith notes what the transaction begins with. While there are no lines that
// must cost next to nothing; then only what can be told at once is looked at.
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

// key is what the transaction may wait for, or zero.
func (a *attempt) key() fingerprint { return a.call.keyOf(a.firstPrint) }

// keyOf is the key of transactions that begin with a statement: the same under
// other settings is another one.
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

// opening stands for the text alone of what the transaction begins with.
func (a *attempt) opening() fingerprint {
	if a.firstSQL == "" {
		return 0
	}
	return fingerprintOf(a.firstSQL, nil, false)
}

// around is the running calls on the same pool inside whose functions this one
// is.
func (c *call) around(ctx context.Context) (calls []outer) {
	for r := runningIn(ctx); r != nil; r = runningIn(r.Context) {
		if r.call != c && !r.over.Load() && identity(r.db) == identity(c.db) {
			calls = append(calls, outer{r.call.keyOf(fingerprint(r.call.begins.Load())), r.call.turn.Load()})
		}
	}
	return calls
}

// follow remembers what is sent, for the case that the attempt loses.
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

// isFirst reports whether the transaction begins with s, whose arguments need not be
// looked at again then.
func (a *attempt) isFirst(s *statement) bool {
	return s.sql == a.firstSQL && len(s.args) == len(a.firstArgs) && (len(s.args) == 0 || &s.args[0] == &a.firstArgs[0])
}

// endTurn ends the attempt's turn, and makes a line where it lost.
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
		runtime.Gosched() // or who was let in waits for what this caller does next
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
