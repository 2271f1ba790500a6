package txn

import (
	"context"
	"runtime"
	"time"
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
	if a.turn != nil {
		return nil
	}
	for i := range a.queue {
		if a.queue[i].kind == queued {
			first = &a.queue[i]
			break
		}
	}
	if c.key != 0 {
		a.key = c.key
	} else if first != nil {
		a.firstSQL, a.firstArgs = first.sql, first.args
	}
	if linesAnywhere.Load() == 0 || c.admission() == nil || a.fingerprint() == 0 {
		return nil
	}
	c.opening = a.opening()
	t, err := c.lines.enter(ctx, c, a.key)
	if err != nil {
		if ctx.Err() != nil && a.ctx.Err() == nil { // the statement's own context
			return a.beginError(err)
		}
		return a.stop(err)
	}
	a.turn = t
	return nil
}

// fingerprint is computed when it is needed, which without conflicts is never.
func (a *attempt) fingerprint() fingerprint {
	if a.key == 0 && a.firstSQL != "" {
		a.key = fingerprintOf(a.firstSQL, a.firstArgs)
		if n := len(a.call.first); a.key != 0 && (n > 1 || a.call.first[0].sql != defaults.first[0].sql) {
			for i := range a.call.first { // the same under other settings is another one
				a.key ^= fingerprintOf(a.call.first[i].sql, nil)
			}
		}
	}
	return a.key
}

// opening stands for the text alone of what the transaction begins with.
func (a *attempt) opening() fingerprint {
	if a.firstSQL == "" {
		return 0
	}
	return fingerprintOf(a.firstSQL, nil)
}

// follow remembers what is sent, for the case that the attempt loses.
func (a *attempt) follow(statements []statement) {
	if linesAnywhere.Load() == 0 || a.call == nil || a.call.admission() == nil {
		return
	}
	for i := range statements {
		if s := &statements[i]; (s.kind == queued || s.kind == answered) && len(a.trail) < mostTrail {
			if f := fingerprintOf(s.sql, s.args); f != 0 {
				a.trail = append(a.trail, f)
			}
		}
	}
}

// endTurn ends the attempt's turn, and makes a line where it lost.
func (a *attempt) endTurn() {
	c := a.call
	if c == nil || a.turn == nil && !a.conflicted && len(a.trail) == 0 || c.admission() == nil {
		return
	}
	next := false
	if a.turn != nil {
		next = c.lines.leave(a.turn, a.conflicted)
		a.turn = nil
	}
	if key := a.fingerprint(); key != 0 {
		if a.conflicted {
			c.opening, c.trail = a.opening(), a.trail
			c.inLine = c.lines.conflict(c, key, a.trail)
		}
		if len(a.trail) > 0 {
			c.lines.ended(c.opening, key, a.trail)
		}
	}
	if next {
		runtime.Gosched() // or who was let in waits for what this caller does next
	}
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
