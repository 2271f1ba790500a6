package txn

import (
	"fmt"
	"time"

	"github.com/rowkeeper/rowkeeper/errs/kind"
	"github.com/rowkeeper/rowkeeper/txn/internal/outcome"
)

// OutcomeUnknownError reports that COMMIT was sent and that its result is unknown.
// Retry only if applying the transaction twice is safe. It is never returned for a
// known outcome. It maps to HTTP 500 by its Kind.
type OutcomeUnknownError struct {
	Name     string // set by the option Name
	Attempts int    // how often the function ran
	Err      error  // received instead of an answer
}

func (e *OutcomeUnknownError) Error() string {
	return fmt.Sprintf("%s: unknown whether the transaction was committed: %v", prefix(e.Name), e.Err)
}

// Unwrap returns Err.
func (e *OutcomeUnknownError) Unwrap() error { return e.Err }

// Kind returns errs.OutcomeUnknown.
func (e *OutcomeUnknownError) Kind() kind.Kind { return kind.OutcomeUnknown }

// CommittedError reports that the transaction committed although something failed: a
// schema change on CockroachDB that failed after COMMIT (SQLSTATE XXA00), a function
// that sent COMMIT past the Tx, or a callback of [Batch]. The function's result is
// returned with it. Do not run the transaction again.
type CommittedError struct {
	Name string // set by the option Name
	Err  error  // what failed
}

func (e *CommittedError) Error() string {
	return fmt.Sprintf("%s: committed, but: %v", prefix(e.Name), e.Err)
}

// Unwrap returns Err.
func (e *CommittedError) Unwrap() error { return e.Err }

// Kind returns errs.Internal: the client cannot fix it.
func (e *CommittedError) Kind() kind.Kind { return kind.Internal }

// ExhaustedError reports that every attempt was rolled back for a retryable reason
// until attempts or time were used up. Nothing was committed. The same call may succeed
// later.
type ExhaustedError struct {
	Name     string        // set by the option Name
	Attempts int           // how often the function ran
	Elapsed  time.Duration // from the start of the call
	Err      error         // the last failure, nearly always a conflict
}

func (e *ExhaustedError) Error() string {
	return fmt.Sprintf("%s: rolled back %d times in %v: %v", prefix(e.Name), e.Attempts, e.Elapsed.Round(time.Millisecond), e.Err)
}

// Unwrap returns Err.
func (e *ExhaustedError) Unwrap() error { return e.Err }

// Kind returns errs.Contention, or errs.Unavailable if the reason was a lost connection
// and not a conflict.
func (e *ExhaustedError) Kind() kind.Kind {
	if outcome.Conflict(e.Err) == nil {
		return kind.Unavailable
	}
	return kind.Contention
}

// BusyError reports that a call got no permit from its admission queue (see
// [NoAdmission]): its deadline passed while it waited, or was expected to pass before
// its permit came. Nothing was committed: earlier attempts lost conflicts and were
// rolled back, and nothing was sent since.
type BusyError struct {
	Name  string        // set by the option Name
	Ahead int           // calls that waited ahead of it
	Wait  time.Duration // estimated wait of a call that arrives now

	lost   int           // attempts rolled back before
	waited time.Duration // 0 if it did not wait
	cause  error         // why it stopped waiting, or nil
}

func (e *BusyError) Error() string {
	text := prefix(e.Name) + ": busy: "
	if e.lost > 0 {
		text = fmt.Sprintf("%s: rolled back %d times, then busy: ", prefix(e.Name), e.lost)
	}
	if e.cause != nil {
		return text + fmt.Sprintf("waited %v for a permit, at first behind %d: %v", e.waited.Round(time.Millisecond), e.Ahead, e.cause)
	}
	return text + fmt.Sprintf("%d wait for the same rows, for about %v", e.Ahead, e.Wait.Round(time.Millisecond))
}

// Unwrap returns why the call stopped waiting, such as [context.DeadlineExceeded], or
// nil if it did not begin to wait.
func (e *BusyError) Unwrap() error { return e.cause }

// Kind returns errs.Contention.
func (e *BusyError) Kind() kind.Kind { return kind.Contention }

// RetryAfter returns when the same call may succeed: after Wait, but at least one
// second.
func (e *BusyError) RetryAfter() time.Duration { return max(e.Wait, time.Second) }

// hiddenError carries a server error that the function did not return, together with
// the error that it did return.
type hiddenError struct {
	name     string
	returned error // nil if the function ignored the error
	cause    error
}

func (e *hiddenError) Error() string {
	if e.returned == nil {
		return fmt.Sprintf("%s: the function returned nil although a statement had failed, so it was rolled back: %v", prefix(e.name), e.cause)
	}
	return fmt.Sprintf("%v (behind it: %v)", e.returned, e.cause)
}

func (e *hiddenError) Unwrap() []error {
	if e.returned == nil {
		return []error{e.cause}
	}
	return []error{e.returned, e.cause}
}

// readOnlyError reports that a call with ReadOnly wrote. Without the option the server is
// read-only by itself, such as a standby, and package errs answers with 503.
type readOnlyError struct {
	name string
	err  error
}

func (e *readOnlyError) Error() string {
	return fmt.Sprintf("%s: the call is ReadOnly, but its function writes: %v", prefix(e.name), e.err)
}

func (e *readOnlyError) Unwrap() error { return e.err }

// Kind returns kind.Internal, as the write fails on every server.
func (e *readOnlyError) Kind() kind.Kind { return kind.Internal }

func prefix(name string) string {
	if name == "" {
		return "txn"
	}
	return "txn " + name
}
