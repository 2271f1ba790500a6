package txn

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/rowkeeper/rowkeeper/txn/internal/admission"
	"github.com/rowkeeper/rowkeeper/txn/internal/outcome"
)

// queuing is a call's part in admission.
type queuing struct {
	queues  *admission.Queues // of the pool; nil if none, or not looked up yet
	looked  bool
	request *admission.Request // nil if the call has not lost, nor met a queue
	queued  bool               // the call lost with others, so a retry needs no further wait

	// Read by calls inside the function, which may run in other goroutines.
	begins atomic.Uint64 // the fingerprint of the attempt's first statement
	permit atomic.Pointer[admission.Permit]
}

// known returns the request, in which a call is known to the queues.
func (q *queuing) known() *admission.Request {
	if q.request == nil {
		q.request = new(admission.Request)
	}
	return q.request
}

// losses returns how many conflicts the call has lost.
func (q *queuing) losses() int {
	if q.request == nil {
		return 0
	}
	return q.request.Losses
}

// contention is an attempt's part in admission.
type contention struct {
	first      first
	touched    []admission.Fingerprint // of what was sent, while there are queues
	permit     *admission.Permit       // nil if there is no queue
	conflicted bool                    // it lost to another transaction
}

// first is what a transaction begins with.
type first struct {
	sql  string
	args []any
	key  admission.Fingerprint // zero if none, or if it was too costly while there were no queues
}

// mostTouched is how many statements are remembered of an attempt.
const mostTouched = 8

var queuesByPool admission.Registry[pgxpool.Pool]

// queuesOf returns the queues of a database, or nil. Only a pool has them: on a
// caller's own connection waiting would hold it.
func queuesOf(db DB, cfg *config) *admission.Queues {
	if cfg.noAdmission {
		return nil
	}
	pool := poolOf(db)
	if pool == nil {
		return nil
	}
	return queuesByPool.Of(pool, func() int { return int(pool.Stat().MaxConns()) })
}

// admission returns the queues of the call's pool, or nil. They are looked up on
// demand, which without conflicts is never.
func (c *call) admission() *admission.Queues {
	if !c.queuing.looked {
		c.queuing.queues, c.queuing.looked = queuesOf(c.db, c.config), true
	}
	return c.queuing.queues
}

// enter waits in the queue for what the transaction begins with, if there is one.
func (a *attempt) enter(ctx context.Context, sql string, args []any) error {
	c := a.call
	if a.permit != nil || c.noAdmission {
		return nil
	}
	busy := admission.Any()
	a.beginsWith(sql, args, busy)
	if !busy || c.admission() == nil || a.key() == 0 {
		return nil
	}
	r := c.queuing.known()
	r.Key, r.Prefix, r.Outer = a.key(), a.prefix(), c.around(a.ctx)
	if deadline, ok := a.ctx.Deadline(); ok {
		r.Deadline = deadline
	}
	p, err := c.queuing.queues.Enter(r)
	if late := (*admission.TooLate)(nil); errors.As(err, &late) {
		return a.stop(&BusyError{Name: c.name, Ahead: late.Ahead, Wait: late.Wait, lost: r.Losses})
	}
	if p == nil {
		return nil
	}
	if p.Granted() != nil {
		if err := a.await(ctx, p); err != nil {
			return err
		}
	}
	a.permit = p
	c.queuing.permit.Store(p)
	return nil
}

// await waits until a permit is granted. The end of the statement's own context is an
// error of the statement; the end of the call's context stops the attempt.
func (a *attempt) await(ctx context.Context, p *admission.Permit) (err error) {
	c := a.call
	released := false
	release := func() {
		if !released {
			released = true
			c.queuing.queues.Release(p, admission.Cut)
		}
	}
	traced := false
	defer func() {
		if err != nil || !traced { // a panic of a tracer, or runtime.Goexit
			release()
		}
	}()
	start := time.Now()
	tracing := c.traceQueueStart(ctx, p.Ahead())
	select {
	case <-p.Granted():
	case <-ctx.Done(): // also if the attempt's context is done
		err = fmt.Errorf("%s: waiting for a permit: %w", prefix(c.name), outcome.ContextError(ctx))
	}
	if a.ctx.Err() != nil {
		err = a.stop(c.inVain(a.ctx, p, time.Since(start)))
	}
	if err != nil {
		release()
	}
	c.traceQueueEnd(tracing, start, err)
	traced = true
	return err
}

// inVain returns the error of a call whose context ended while it waited for a permit.
func (c *call) inVain(ctx context.Context, p *admission.Permit, waited time.Duration) error {
	err := outcome.ContextError(ctx)
	if !errors.Is(err, context.DeadlineExceeded) { // the caller will not retry
		return fmt.Errorf("%s: waiting for a permit: %w", prefix(c.name), err)
	}
	return &BusyError{Name: c.name, Ahead: p.Ahead(), Wait: c.queuing.queues.Wait(p), lost: c.queuing.losses(), waited: waited, cause: err}
}

// beginsWith records what the transaction begins with. While there are no queues this
// must cost almost nothing, so only cheap values are read then.
func (a *attempt) beginsWith(sql string, args []any, thoroughly bool) {
	c := a.call
	if c.key != 0 || sql == "" {
		return
	}
	a.first = first{sql, args, admission.OfStatement(sql, args, thoroughly || c.queuing.losses() > 0)}
	c.queuing.begins.Store(uint64(a.first.key))
}

// key returns the admission key of the transaction, or zero.
func (a *attempt) key() admission.Fingerprint { return a.call.keyOf(a.first.key) }

// keyOf returns the key of transactions that begin with a statement. Other settings
// make another key.
func (c *config) keyOf(statement admission.Fingerprint) admission.Fingerprint {
	if c.key != 0 || statement == 0 {
		return c.key
	}
	if len(c.first) > 1 || c.first[0].SQL != defaults.first[0].SQL {
		for i := range c.first {
			statement ^= admission.OfStatement(c.first[i].SQL, nil, false)
		}
	}
	return statement
}

// prefix returns a fingerprint of the text alone of what the transaction begins with.
func (a *attempt) prefix() admission.Fingerprint {
	if a.first.sql == "" {
		return 0
	}
	return admission.OfStatement(a.first.sql, nil, false)
}

// around returns the running calls on the same pool whose functions make this call.
func (c *call) around(ctx context.Context) (calls []admission.Outer) {
	for r := runningIn(ctx); r != nil; r = runningIn(r.Context) {
		if r.call != c && !r.over.Load() && identity(r.db) == identity(c.db) {
			q := &r.call.queuing
			calls = append(calls, admission.Outer{Key: r.call.keyOf(admission.Fingerprint(q.begins.Load())), Permit: q.permit.Load()})
		}
	}
	return calls
}

// touches reports whether to remember what is sent.
func (a *attempt) touches() bool {
	return admission.Any() && a.call != nil && a.call.admission() != nil
}

// touch remembers a statement that is sent, in case the attempt loses.
func (a *attempt) touch(sql string, args []any) {
	if !a.touches() || len(a.touched) >= mostTouched {
		return
	}
	f := a.first.key
	if f == 0 || len(a.touched) > 0 || !a.first.is(sql, args) {
		f = admission.OfStatement(sql, args, true)
	}
	if f != 0 {
		a.touched = append(a.touched, f)
	}
}

// is reports whether the transaction begins with that statement, whose arguments then
// need not be hashed again.
func (f *first) is(sql string, args []any) bool {
	return sql == f.sql && len(args) == len(f.args) && (len(args) == 0 || &args[0] == &f.args[0])
}

// releasePermit ends the attempt's permit, and makes a queue if the attempt lost.
func (a *attempt) releasePermit() {
	c, p := a.call, a.permit
	if c == nil {
		return
	}
	a.permit = nil
	c.queuing.permit.Store(nil)
	c.queuing.begins.Store(0)
	if p == nil && !a.conflicted && len(a.touched) == 0 || c.admission() == nil {
		return
	}
	next := p != nil && c.queuing.queues.Release(p, a.verdict())
	if key := a.key(); key != 0 {
		if a.conflicted {
			r := c.queuing.known()
			r.Key, r.Prefix, r.Touched, r.Took = key, a.prefix(), a.touched, 0
			if c.number == 1 {
				r.Took = time.Since(c.start)
			}
			c.queuing.queued = c.queuing.queues.Lost(r, p)
		}
		if len(a.touched) > 0 {
			c.queuing.queues.Ended(a.prefix(), key, a.touched)
		}
	}
	if next {
		runtime.Gosched() // otherwise the admitted call waits for what this caller does next
	}
}

func (a *attempt) verdict() admission.Verdict {
	switch {
	case a.conflicted:
		return admission.Lost
	case a.ctx.Err() != nil && !a.call.known:
		return admission.Cut
	}
	return admission.Agreed
}
