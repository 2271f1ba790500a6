package txn

import (
	"fmt"
	"time"

	"github.com/rowkeeper/rowkeeper/errs/kind"
)

// OutcomeUnknownError says that COMMIT was sent and that nothing the server
// answered tells whether the transaction was committed. Do not run it again
// unless it is harmless twice. It is never returned for an outcome that is
// known. To an HTTP client it is a 500, by its Kind.
type OutcomeUnknownError struct {
	Name     string // as given by the option Name
	Attempts int    // how often the function ran
	Err      error  // what came back instead of an answer
}

func (e *OutcomeUnknownError) Error() string {
	return fmt.Sprintf("%s: unknown whether the transaction was committed: %v", prefix(e.Name), e.Err)
}

// Unwrap returns Err.
func (e *OutcomeUnknownError) Unwrap() error { return e.Err }

// Kind is errs.OutcomeUnknown.
func (e *OutcomeUnknownError) Kind() kind.Kind { return kind.OutcomeUnknown }

// CommittedError says that the data was committed although something went
// wrong: on CockroachDB a schema change that failed behind the COMMIT (SQLSTATE
// XXA00), or a function that sent COMMIT past the Tx. What the function returned is
// returned with it. Do not run it again.
type CommittedError struct {
	Name string // as given by the option Name
	Err  error  // what went wrong
}

func (e *CommittedError) Error() string {
	return fmt.Sprintf("%s: committed, but: %v", prefix(e.Name), e.Err)
}

// Unwrap returns Err.
func (e *CommittedError) Unwrap() error { return e.Err }

// Kind is errs.Internal: the client cannot mend it.
func (e *CommittedError) Kind() kind.Kind { return kind.Internal }

// ExhaustedError says that the transaction was rolled back each time, for a
// reason that it may not meet again, until the attempts or the time were used
// up. Nothing was committed. The same call may well succeed later.
type ExhaustedError struct {
	Name     string        // as given by the option Name
	Attempts int           // how often the function ran
	Elapsed  time.Duration // from the start of the call
	Err      error         // the last reason, nearly always a conflict
}

func (e *ExhaustedError) Error() string {
	return fmt.Sprintf("%s: rolled back %d times in %v: %v", prefix(e.Name), e.Attempts, e.Elapsed.Round(time.Millisecond), e.Err)
}

// Unwrap returns Err.
func (e *ExhaustedError) Unwrap() error { return e.Err }

// Kind is errs.Contention, or errs.Unavailable where the reason was no conflict
// but a lost connection.
func (e *ExhaustedError) Kind() kind.Kind {
	if conflict(e.Err) == nil {
		return kind.Unavailable
	}
	return kind.Contention
}

// BusyError says that a call got no turn in the line of those that want the same
// rows: its deadline came while it waited, or would have come before its turn, as far
// as can be told. Nothing was committed: what lost to another transaction before was
// rolled back, and nothing was sent since.
type BusyError struct {
	Name  string        // as given by the option Name
	Ahead int           // how many waited before it
	Wait  time.Duration // how long a call that comes now waits, as far as can be told

	lost   int           // attempts that were rolled back before
	waited time.Duration // zero: it did not wait
	cause  error         // why it waits no longer, or nil
}

func (e *BusyError) Error() string {
	text := prefix(e.Name) + ": busy: "
	if e.lost > 0 {
		text = fmt.Sprintf("%s: rolled back %d times, then busy: ", prefix(e.Name), e.lost)
	}
	if e.cause != nil {
		return text + fmt.Sprintf("waited %v for its turn, at first behind %d: %v", e.waited.Round(time.Millisecond), e.Ahead, e.cause)
	}
	return text + fmt.Sprintf("%d wait for the same rows, for about %v", e.Ahead, e.Wait.Round(time.Millisecond))
}

// Unwrap returns why the call waits no longer, such as [context.DeadlineExceeded]; nil
// where it did not begin to wait.
func (e *BusyError) Unwrap() error { return e.cause }

// Kind is errs.Contention.
func (e *BusyError) Kind() kind.Kind { return kind.Contention }

// RetryAfter is when the same call may get through: after Wait, and a second at least.
func (e *BusyError) RetryAfter() time.Duration { return max(e.Wait, time.Second) }

// hiddenError carries a server error that the function kept to itself, behind
// what the function returned.
type hiddenError struct {
	name     string
	returned error // nil: the function swallowed it
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

func prefix(name string) string {
	if name == "" {
		return "txn"
	}
	return "txn " + name
}
