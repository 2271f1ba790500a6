package txn

import (
	"context"
	"errors"
	"time"

	"github.com/rowkeeper/rowkeeper/internal/pgerr"
	"github.com/rowkeeper/rowkeeper/txn/internal/outcome"
	"github.com/rowkeeper/rowkeeper/txn/trace"
)

func (c *call) traceCallEnd(ctx context.Context, attempts int, committed bool, err error) {
	if c.tracer == nil {
		return
	}
	data := trace.CallEnd{Name: c.name, Attempts: attempts, Elapsed: time.Since(c.start), Outcome: trace.RolledBack, Err: err}
	switch {
	case committed || c.known:
		data.Outcome = trace.Committed
	case errors.As(err, new(*OutcomeUnknownError)):
		data.Outcome = trace.Unknown
	}
	if pe := pgerr.ServerError(err); pe != nil {
		data.SQLState = pe.Code
	}
	c.tracer.TraceCallEnd(ctx, data)
}

func (c *call) traceAttemptEnd(ctx context.Context, number int, res result) {
	if c.tracer == nil {
		return
	}
	data := trace.AttemptEnd{Name: c.name, Attempt: number, Committed: res.committed, Err: res.err, Retryable: res.restart}
	if pe := pgerr.ServerError(res.err); pe != nil {
		data.SQLState, data.Reason = pe.Code, outcome.ConflictReason(pe)
	}
	c.tracer.TraceAttemptEnd(ctx, data)
}

func (c *call) traceCommitStart(ctx context.Context, at *attempt) context.Context {
	if c.tracer == nil {
		return ctx
	}
	return c.tracer.TraceCommitStart(ctx, trace.CommitStart{Name: c.name, Attempt: at.number, Queued: len(at.queue)})
}

func (c *call) traceCommitEnd(ctx context.Context, at *attempt, o outcome.Outcome, err error) {
	if c.tracer != nil {
		c.tracer.TraceCommitEnd(ctx, trace.CommitEnd{Name: c.name, Attempt: at.number, Outcome: o.String(), Err: err})
	}
}

func (c *call) traceQueueStart(ctx context.Context, ahead int) context.Context {
	if c.tracer == nil {
		return ctx
	}
	return c.tracer.TraceWaitStart(ctx, trace.WaitStart{Name: c.name, Attempt: c.number, ForPermit: true, Ahead: ahead})
}

func (c *call) traceQueueEnd(ctx context.Context, start time.Time, err error) {
	if c.tracer != nil {
		c.tracer.TraceWaitEnd(ctx, trace.WaitEnd{Name: c.name, Attempt: c.number, ForPermit: true, Waited: time.Since(start), Err: err})
	}
}
