package outcome

import (
	"errors"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/rowkeeper/rowkeeper/internal/pgerr"
)

// rules are tried in order; the first that holds decides. The table in
// docs/outcomes.md mirrors them.
var rules = []struct {
	name    string
	holds   func(e Evidence, pe *pgconn.PgError) bool
	outcome Outcome
	again   Again
}{
	{"the wait of COMMIT for a synchronous standby was cut short", func(e Evidence, _ *pgconn.PgError) bool { return e.Cut != nil }, Unknown, Never},
	{"COMMIT was answered with its tag", func(e Evidence, _ *pgconn.PgError) bool { return e.Tag == "COMMIT" }, Committed, Never},
	{"COMMIT was answered with ROLLBACK", func(e Evidence, _ *pgconn.PgError) bool {
		return e.Tag == "ROLLBACK" || errors.Is(e.Err, pgx.ErrTxCommitRollback)
	}, RolledBack, Never},
	{"the data is committed, a schema change behind it failed", func(e Evidence, pe *pgconn.PgError) bool {
		return pe != nil && pe.Code == pgerr.CommittedButSchema && e.CommitSent && e.Phase == Commit &&
			(e.Cockroach || pgerr.FromDatabase(pe) && !pgerr.FromPostgreSQL(pe)) // any user function can raise that code
	}, Committed, Never},

	{"BEGIN was answered as another statement, so what was sent with it may have been committed", func(e Evidence, _ *pgconn.PgError) bool {
		var wrong *WrongAnswer
		return errors.As(e.Err, &wrong) && wrong.Effects
	}, Unknown, Never},

	// Rules below this line find that nothing was committed, unless COMMIT was sent.
	{"serialization failure or deadlock", func(e Evidence, pe *pgconn.PgError) bool {
		return pe != nil && !pgerr.Fatal(pe) && (pe.Code == pgerr.SerializationFailure || pe.Code == pgerr.DeadlockDetected)
	}, RolledBack, Always},
	{"ambiguous, but before COMMIT", func(e Evidence, pe *pgconn.PgError) bool {
		return pe != nil && pe.Code == pgerr.CompletionUnknown && !pgerr.Fatal(pe) && e.before(pe)
	}, RolledBack, Always},
	{"the prepared statement is gone or stale, or its name is taken", func(e Evidence, pe *pgconn.PgError) bool {
		// This includes COMMIT's own error: it was not executed. Its text never raises
		// this.
		return pe != nil && (StalePlan(pe) || IsMisdescribed(e.Err)) && !pgerr.Fatal(pe) && (e.before(pe) || Misnamed(pe) && pgerr.FromDatabase(pe))
	}, RolledBack, WithoutPlan},
	{"the session was too slow", func(e Evidence, pe *pgconn.PgError) bool {
		return pe != nil && (pe.Code == pgerr.IdleInTransaction || pe.Code == pgerr.TransactionTimeout) &&
			(e.before(pe) || !e.Cockroach && pgerr.FromPostgreSQL(pe))
	}, RolledBack, Never},
	{"PgBouncer pools statements, so it has no transactions", func(e Evidence, pe *pgconn.PgError) bool {
		return pe != nil && pgerr.Fatal(pe) && e.before(pe) && pe.Message == "transaction blocks not allowed in statement pooling mode"
	}, RolledBack, Never},
	{"the session was ended before COMMIT was reached", func(e Evidence, pe *pgconn.PgError) bool {
		return pe != nil && pgerr.Fatal(pe) && e.before(pe)
	}, RolledBack, WhenLost},
	{"the server is read-only, and OnPgError has closed the connection for it", func(e Evidence, pe *pgconn.PgError) bool {
		return pe != nil && pe.Code == pgerr.ReadOnly && e.Lost && e.before(pe)
	}, RolledBack, WhenLost},
	{"an error of a statement before COMMIT", func(e Evidence, pe *pgconn.PgError) bool {
		return pe != nil && !pgerr.Fatal(pe) && e.before(pe)
	}, RolledBack, Never},
	{"an error that comes with a rollback on either engine", func(e Evidence, pe *pgconn.PgError) bool {
		return pe != nil && !pgerr.Fatal(pe) && (pe.Code == pgerr.InFailedTransaction || strings.HasPrefix(pe.Code, pgerr.ClassIntegrityViolation))
	}, RolledBack, Never},
	{"an error of PostgreSQL's, which it raises before it commits", func(e Evidence, pe *pgconn.PgError) bool {
		return pe != nil && !pgerr.Fatal(pe) && !e.Cockroach && pgerr.FromPostgreSQL(pe)
	}, RolledBack, Never},
	{"any other answer to COMMIT", func(e Evidence, pe *pgconn.PgError) bool { return pe != nil }, Unknown, Never},

	{"the context ended it before COMMIT", func(e Evidence, _ *pgconn.PgError) bool {
		return ContextEnded(e.Err) && (!e.CommitSent || NotSent(e.Err))
	}, RolledBack, Never},
	{"the connection was lost before COMMIT", func(e Evidence, _ *pgconn.PgError) bool {
		return e.Lost && (!e.CommitSent || NotSent(e.Err))
	}, RolledBack, WhenLost},
	{"it failed on this side, before COMMIT", func(e Evidence, _ *pgconn.PgError) bool {
		return !e.CommitSent || NotSent(e.Err)
	}, RolledBack, Never},
	{"the connection was lost behind COMMIT", nil, Unknown, Never}, // everything else
}

// Classify returns the outcome of a transaction, and whether it may run again.
func Classify(e Evidence) (Outcome, Again) {
	r := &rules[ruleFor(e)]
	return r.outcome, r.again
}

func ruleFor(e Evidence) int {
	pe := pgerr.ServerError(e.Err)
	for i := range rules[:len(rules)-1] {
		if rules[i].holds(e, pe) {
			return i
		}
	}
	return len(rules) - 1
}
