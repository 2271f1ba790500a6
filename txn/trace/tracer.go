package trace

import (
	"context"
	"time"
)

// Tracer observes calls. As with pgx's tracers, each start method returns the context
// for what follows, up to its end. Methods run in the goroutine of the call, so they
// must not block. A call that joins is part of the call that it joins and is not traced.
//
// Minor versions may add methods: embed [Nop] in your own tracer.
type Tracer interface {
	TraceCallStart(ctx context.Context, data CallStart) context.Context
	TraceCallEnd(ctx context.Context, data CallEnd)

	// An attempt is one run of the function with its COMMIT or ROLLBACK.
	TraceAttemptStart(ctx context.Context, data AttemptStart) context.Context
	TraceAttemptEnd(ctx context.Context, data AttemptEnd)

	// A commit lasts from before queued statements are sent with COMMIT until the
	// answer.
	TraceCommitStart(ctx context.Context, data CommitStart) context.Context
	TraceCommitEnd(ctx context.Context, data CommitEnd)

	// A wait is the time before a retry, or until a permit of an admission queue.
	TraceWaitStart(ctx context.Context, data WaitStart) context.Context
	TraceWaitEnd(ctx context.Context, data WaitEnd)
}

// Outcomes of a transaction. A call may have committed and return an error: a
// *txn.CommittedError.
const (
	Committed  = "committed"
	RolledBack = "rolled back"
	Unknown    = "unknown"
)

// CallStart is passed to [Tracer.TraceCallStart].
type CallStart struct {
	Name string // set by the option Name
}

// CallEnd is passed to [Tracer.TraceCallEnd].
type CallEnd struct {
	Name     string
	Attempts int
	Elapsed  time.Duration
	Outcome  string // Committed, RolledBack or Unknown
	Err      error  // returned by the call
	SQLState string // of the server's error in Err, if there is one
}

// AttemptStart is passed to [Tracer.TraceAttemptStart].
type AttemptStart struct {
	Name    string
	Attempt int // from 1
}

// AttemptEnd is passed to [Tracer.TraceAttemptEnd].
type AttemptEnd struct {
	Name      string
	Attempt   int
	Committed bool
	Err       error  // why it did not commit
	Retryable bool   // whether Err is a reason to run again
	SQLState  string // of the server's error in Err, if there is one
	Reason    string // CockroachDB's name for a conflict, such as RETRY_SERIALIZABLE
}

// CommitStart is passed to [Tracer.TraceCommitStart].
type CommitStart struct {
	Name    string
	Attempt int
	Queued  int // statements sent with COMMIT
}

// CommitEnd is passed to [Tracer.TraceCommitEnd].
type CommitEnd struct {
	Name    string
	Attempt int
	Outcome string // Committed, RolledBack or Unknown
	Err     error
}

// WaitStart is passed to [Tracer.TraceWaitStart].
type WaitStart struct {
	Name      string
	Attempt   int           // the failed attempt
	Delay     time.Duration // length of the wait; unknown in a queue
	Err       error         // the reason; nil in a queue
	ForPermit bool          // of an admission queue, before the attempt takes a connection
	Ahead     int           // calls waiting ahead of it
}

// WaitEnd is passed to [Tracer.TraceWaitEnd].
type WaitEnd struct {
	Name      string
	Attempt   int
	ForPermit bool
	Waited    time.Duration // in a queue
	Err       error         // nil, or why the wait was cut short
}
