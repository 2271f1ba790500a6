package txn

import (
	"context"
	"time"
)

// Tracer observes calls. As with pgx's tracers, each start method returns the context
// for what follows, up to its end. pgx's own tracers see the statements. Methods run in
// the goroutine of the call, so they must not block. A call that joins is part of the
// call that it joins and is not traced.
//
// Minor versions may add methods: embed [NopTracer] in your own tracer.
type Tracer interface {
	TraceCallStart(ctx context.Context, data TraceCallStartData) context.Context
	TraceCallEnd(ctx context.Context, data TraceCallEndData)

	// An attempt is one run of the function with its COMMIT or ROLLBACK.
	TraceAttemptStart(ctx context.Context, data TraceAttemptStartData) context.Context
	TraceAttemptEnd(ctx context.Context, data TraceAttemptEndData)

	// A commit lasts from before queued statements are sent with COMMIT until the
	// answer.
	TraceCommitStart(ctx context.Context, data TraceCommitStartData) context.Context
	TraceCommitEnd(ctx context.Context, data TraceCommitEndData)

	// A wait is the time before a retry, or until a permit of an admission queue.
	TraceWaitStart(ctx context.Context, data TraceWaitStartData) context.Context
	TraceWaitEnd(ctx context.Context, data TraceWaitEndData)
}

// TraceCallStartData is passed to [Tracer.TraceCallStart].
type TraceCallStartData struct {
	Name string // set by the option Name
}

// TraceCallEndData is passed to [Tracer.TraceCallEnd].
type TraceCallEndData struct {
	Name     string
	Attempts int
	Elapsed  time.Duration
	Err      error // returned by the call
}

// TraceAttemptStartData is passed to [Tracer.TraceAttemptStart].
type TraceAttemptStartData struct {
	Name    string
	Attempt int // from 1
}

// TraceAttemptEndData is passed to [Tracer.TraceAttemptEnd].
type TraceAttemptEndData struct {
	Name      string
	Attempt   int
	Committed bool
	Err       error  // why it did not commit
	Retryable bool   // whether Err is a reason to run again
	SQLState  string // of the server's error in Err, if there is one
	Reason    string // CockroachDB's name for a conflict, such as RETRY_SERIALIZABLE
}

// TraceCommitStartData is passed to [Tracer.TraceCommitStart].
type TraceCommitStartData struct {
	Name    string
	Attempt int
	Queued  int // statements sent with COMMIT
}

// TraceCommitEndData is passed to [Tracer.TraceCommitEnd].
type TraceCommitEndData struct {
	Name    string
	Attempt int
	Outcome string // "committed", "rolled back" or "unknown"
	Err     error
}

// TraceWaitStartData is passed to [Tracer.TraceWaitStart].
type TraceWaitStartData struct {
	Name      string
	Attempt   int           // the failed attempt
	Delay     time.Duration // length of the wait; unknown in a queue
	Err       error         // the reason; nil in a queue
	ForPermit bool          // of an admission queue, before the attempt takes a connection
	Ahead     int           // calls waiting ahead of it
}

// TraceWaitEndData is passed to [Tracer.TraceWaitEnd].
type TraceWaitEndData struct {
	Name      string
	Attempt   int
	ForPermit bool
	Waited    time.Duration // in a queue
	Err       error         // nil, or why the wait was cut short
}

// NopTracer implements [Tracer] and does nothing. Embed it in a tracer that needs some
// of the methods.
type NopTracer struct{}

var _ Tracer = NopTracer{}

// TraceCallStart returns ctx.
func (NopTracer) TraceCallStart(ctx context.Context, _ TraceCallStartData) context.Context {
	return ctx
}

// TraceCallEnd does nothing.
func (NopTracer) TraceCallEnd(context.Context, TraceCallEndData) {}

// TraceAttemptStart returns ctx.
func (NopTracer) TraceAttemptStart(ctx context.Context, _ TraceAttemptStartData) context.Context {
	return ctx
}

// TraceAttemptEnd does nothing.
func (NopTracer) TraceAttemptEnd(context.Context, TraceAttemptEndData) {}

// TraceCommitStart returns ctx.
func (NopTracer) TraceCommitStart(ctx context.Context, _ TraceCommitStartData) context.Context {
	return ctx
}

// TraceCommitEnd does nothing.
func (NopTracer) TraceCommitEnd(context.Context, TraceCommitEndData) {}

// TraceWaitStart returns ctx.
func (NopTracer) TraceWaitStart(ctx context.Context, _ TraceWaitStartData) context.Context {
	return ctx
}

// TraceWaitEnd does nothing.
func (NopTracer) TraceWaitEnd(context.Context, TraceWaitEndData) {}

func (c *call) traceAttemptEnd(ctx context.Context, number int, res result) {
	if c.tracer == nil {
		return
	}
	data := TraceAttemptEndData{Name: c.name, Attempt: number, Committed: res.kept, Err: res.err, Retryable: res.restart}
	if pe := serverError(res.err); pe != nil {
		data.SQLState, data.Reason = pe.Code, reason(pe)
	}
	c.tracer.TraceAttemptEnd(ctx, data)
}

func (c *call) traceCommitStart(ctx context.Context, at *attempt) context.Context {
	if c.tracer == nil {
		return ctx
	}
	return c.tracer.TraceCommitStart(ctx, TraceCommitStartData{Name: c.name, Attempt: at.number, Queued: len(at.queue)})
}

func (c *call) traceCommitEnd(ctx context.Context, at *attempt, o outcome, err error) {
	if c.tracer != nil {
		c.tracer.TraceCommitEnd(ctx, TraceCommitEndData{Name: c.name, Attempt: at.number, Outcome: o.String(), Err: err})
	}
}
