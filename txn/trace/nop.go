package trace

import "context"

// Nop implements [Tracer] and does nothing. Embed it in a tracer that needs some of the
// methods.
type Nop struct{}

var _ Tracer = Nop{}

// TraceCallStart returns ctx.
func (Nop) TraceCallStart(ctx context.Context, _ CallStart) context.Context { return ctx }

// TraceCallEnd does nothing.
func (Nop) TraceCallEnd(context.Context, CallEnd) {}

// TraceAttemptStart returns ctx.
func (Nop) TraceAttemptStart(ctx context.Context, _ AttemptStart) context.Context { return ctx }

// TraceAttemptEnd does nothing.
func (Nop) TraceAttemptEnd(context.Context, AttemptEnd) {}

// TraceCommitStart returns ctx.
func (Nop) TraceCommitStart(ctx context.Context, _ CommitStart) context.Context { return ctx }

// TraceCommitEnd does nothing.
func (Nop) TraceCommitEnd(context.Context, CommitEnd) {}

// TraceWaitStart returns ctx.
func (Nop) TraceWaitStart(ctx context.Context, _ WaitStart) context.Context { return ctx }

// TraceWaitEnd does nothing.
func (Nop) TraceWaitEnd(context.Context, WaitEnd) {}
