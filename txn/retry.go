package txn

import (
	"context"
	"fmt"
	"time"

	"github.com/rowkeeper/rowkeeper/internal/pgerr"
	"github.com/rowkeeper/rowkeeper/txn/internal/outcome"
	"github.com/rowkeeper/rowkeeper/txn/trace"
)

// How often a call runs again for reasons other than a conflict.
const (
	maxLosses    = 3 // in the middle: the function may be what ends the connection
	maxPlans     = 8 // a pool has several connections, a function several statements
	maxDeadlines = 3
	maxProbes    = 6 // some milliseconds
	maxExcused   = 8 // each time another call has changed the key since it was read
)

// retries counts why a call has run again.
type retries struct {
	losses    int32 // connections lost in the middle of a transaction
	stale     int32 // connections that seem to have ended in the pool: 0 or 1
	plans     int32 // attempts that failed because of how a statement was prepared
	deadlines int32 // conflicts that retries seldom resolve
	excused   int32 // attempts that do not count against MaxAttempts
	nameless  bool  // one of plans because of its name, so later attempts send none
}

// allows reports whether the call may run again for this kind of reason, and counts it.
func (c *call) allows(a outcome.Again, reasonErr error, at *attempt, lost bool) bool {
	count := func(n *int32, most int32) bool { *n++; return *n <= most }
	switch a {
	case outcome.Always:
		at.conflicted = true
		c.queuing.known().Losses++
		if outcome.ConflictReason(pgerr.ServerError(reasonErr)) == outcome.CommitDeadlineExceeded {
			return count(&c.deadlines, maxDeadlines)
		}
		return true
	case outcome.WhenLost:
		if at.conn == nil || lost && c.direct && at.pooled == nil {
			return false // no connection was lost, or no other one exists
		}
		if !at.begun && at.reused && c.losses+c.stale == 0 {
			c.stale++ // it may have ended in the pool; the next one is checked first
			return true
		}
		return count(&c.losses, maxLosses)
	case outcome.WithoutPlan:
		if outcome.Misnamed(pgerr.ServerError(reasonErr)) {
			c.nameless = true
			if at.session != nil {
				at.session.WithoutNames()
			}
		}
		if outcome.IsMisdescribed(reasonErr) {
			c.excused++ // certain once it is described again
		}
		return count(&c.plans, maxPlans)
	}
	pe := pgerr.ServerError(reasonErr)
	return pe != nil && pe.Code == pgerr.LockNotAvailable && c.orphan != nil && c.timeouts.Lock == 0 && count(&c.losses, maxLosses)
}

// wait waits before the next attempt, or returns why there is none.
func (c *call) wait(ctx context.Context, failed int, cause error) error {
	end := c.start.Add(c.elapsed.after)
	if deadline, ok := ctx.Deadline(); ok && deadline.Before(end) {
		end = deadline
	}
	delay := c.backoff.delay(failed)
	if c.queuing.queued {
		delay = 0 // the queue delays it
	}
	if failed-int(c.excused) >= c.maxAttempts || !time.Now().Add(delay).Before(end) {
		return &ExhaustedError{Name: c.name, Attempts: failed, Elapsed: time.Since(c.start), Err: cause}
	}
	if err := c.pause(ctx, failed, delay, cause); err != nil {
		return fmt.Errorf("%s: waiting to retry: %w (after: %w)", prefix(c.name), err, cause)
	}
	return nil
}

// pause waits, and tells the tracer.
func (c *call) pause(ctx context.Context, attempt int, delay time.Duration, cause error) error {
	if delay == 0 {
		return nil
	}
	if t := c.tracer; t != nil {
		ctx = t.TraceWaitStart(ctx, trace.WaitStart{Name: c.name, Attempt: attempt, Delay: delay, Err: cause})
	}
	err := sleep(ctx, delay)
	if t := c.tracer; t != nil {
		t.TraceWaitEnd(ctx, trace.WaitEnd{Name: c.name, Attempt: attempt, Err: err})
	}
	return err
}

func sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return outcome.ContextError(ctx)
	}
}
