package outcome

import (
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/rowkeeper/rowkeeper/internal/pgerr"
)

// Phase is the part of a transaction that an answer belongs to.
type Phase uint8

const (
	Begin  Phase = iota // BEGIN and the settings after it
	Body                // statements of the function
	Commit              // COMMIT
)

func (p Phase) String() string { return [...]string{"begin", "body", "commit"}[p] }

// Outcome is what became of a transaction.
type Outcome uint8

const (
	Unknown Outcome = iota
	Committed
	RolledBack
)

func (o Outcome) String() string { return [...]string{"unknown", "committed", "rolled back"}[o] }

// Again is how a transaction may run again after an error.
type Again uint8

const (
	Never       Again = iota
	Always            // a conflict, which the next attempt may not meet
	WhenLost          // a lost connection: a few times, as the function may be what ends it
	WithoutPlan       // a prepared statement that the server no longer has or wants: a few times
)

func (a Again) String() string { return [...]string{"never", "always", "whenLost", "withoutPlan"}[a] }

// Evidence is what is known when a transaction has ended or failed.
type Evidence struct {
	Phase      Phase           // of the result that carries a server error
	CommitSent bool            // COMMIT was sent, unless Err says otherwise
	Tag        string          // of the answer to COMMIT, if one was read
	Cut        *pgconn.PgError // the warning that COMMIT did not wait for a synchronous standby
	Err        error
	Lost       bool // the connection is gone
	Cockroach  bool // CockroachDB named itself; behind a pooler it may not
}

// before reports whether the server wrote the error before it reached COMMIT: it
// executes what it receives in order.
func (e Evidence) before(pe *pgconn.PgError) bool {
	return !e.CommitSent || e.Phase < Commit && pgerr.FromDatabase(pe) || e.Phase == Begin && Refused(pe)
}
