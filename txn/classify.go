package txn

import (
	"context"
	"errors"
	"io"
	"net"
	"regexp"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

const (
	codeSerializationFailure = "40001"
	codeCompletionUnknown    = "40003"
	codeDeadlockDetected     = "40P01"
	codeLockNotAvailable     = "55P03"
	codeInFailedTransaction  = "25P02"
	codeReadOnly             = "25006"
	codeIdleInTransaction    = "25P03"
	codeTransactionTimeout   = "25P04"
	codeInvalidParameter     = "22023"
	codeUndefinedStatement   = "26000"
	codeDuplicateStatement   = "42P05"
	codeQueryCanceled        = "57014"
	codeNotSupported         = "0A000"
	codeProtocolViolation    = "08P01"
	codeTooManyConnections   = "53300"
	codeCannotConnectNow     = "57P03"
	codeSyntax               = "42601"
	codeUnknownSetting       = "42704"
	codeInternalError        = "XX000"
	codeInvalidCursor        = "34000"
	codeCommittedButSchema   = "XXA00" // CockroachDB: pgcode.TransactionCommittedWithSchemaChangeFailure
	classIntegrityViolation  = "23"
)

// phase is the part of a transaction that an answer belongs to.
type phase uint8

const (
	phaseBegin  phase = iota // BEGIN and the settings after it
	phaseBody                // statements of the function
	phaseCommit              // COMMIT
)

func (p phase) String() string { return [...]string{"begin", "body", "commit"}[p] }

type outcome uint8

const (
	unknown outcome = iota
	committed
	rolledBack
)

func (o outcome) String() string { return [...]string{"unknown", "committed", "rolled back"}[o] }

// again is how a transaction may run again after an error.
type again uint8

const (
	never       again = iota
	always            // a conflict, which the next attempt may not meet
	whenLost          // a lost connection: a few times, as the function may be what ends it
	withoutPlan       // a prepared statement that the server no longer has or wants: a few times
)

func (a again) String() string { return [...]string{"never", "always", "whenLost", "withoutPlan"}[a] }

// evidence is what is known when a transaction has ended or failed.
type evidence struct {
	phase      phase           // of the result that carries a server error
	commitSent bool            // COMMIT was sent, unless err says otherwise
	tag        string          // of the answer to COMMIT, if one was read
	cut        *pgconn.PgError // the warning that COMMIT did not wait for a synchronous standby
	err        error
	lost       bool // the connection is gone
	cockroach  bool // CockroachDB named itself; behind a pooler it may not
}

// before reports whether the server wrote the error before it reached COMMIT: it
// executes what it receives in order.
func (e evidence) before(pe *pgconn.PgError) bool {
	return !e.commitSent || e.phase < phaseCommit && said(pe) || e.phase == phaseBegin && refused(pe)
}

// refused reports whether a pooler says that it found no session for the transaction,
// so that nothing was sent to the server. PgBouncer uses the code 08P01 for all its own
// errors, including a session lost after COMMIT was sent, so the text decides, which is
// not translated. Newer versions pass on the code with which the server refused a
// session.
func refused(pe *pgconn.PgError) bool {
	switch {
	case !fatal(pe) || said(pe):
		return false
	case pe.Code == codeTooManyConnections || pe.Code == codeCannotConnectNow:
		return true
	}
	return pe.Code == codeProtocolViolation && (pe.Message == "query_wait_timeout" ||
		strings.HasPrefix(pe.Message, "server login has been failing") || strings.HasPrefix(pe.Message, "pgbouncer cannot connect to server"))
}

// rules are tried in order; the first that holds decides. The table in the package
// comment mirrors them.
var rules = []struct {
	name    string
	holds   func(e evidence, pe *pgconn.PgError) bool
	outcome outcome
	again   again
}{
	{"the wait of COMMIT for a synchronous standby was cut short", func(e evidence, _ *pgconn.PgError) bool { return e.cut != nil }, unknown, never},
	{"COMMIT was answered with its tag", func(e evidence, _ *pgconn.PgError) bool { return e.tag == "COMMIT" }, committed, never},
	{"COMMIT was answered with ROLLBACK", func(e evidence, _ *pgconn.PgError) bool {
		return e.tag == "ROLLBACK" || errors.Is(e.err, pgx.ErrTxCommitRollback)
	}, rolledBack, never},
	{"the data is committed, a schema change behind it failed", func(e evidence, pe *pgconn.PgError) bool {
		return pe != nil && pe.Code == codeCommittedButSchema && e.commitSent && e.phase == phaseCommit &&
			(e.cockroach || said(pe) && !saidByPostgreSQL(pe)) // any user function can raise that code
	}, committed, never},

	{"BEGIN was answered as another statement, so what was sent with it may have been committed", func(e evidence, _ *pgconn.PgError) bool {
		var wrong *wrongAnswerError
		return errors.As(e.err, &wrong) && wrong.effects
	}, unknown, never},

	// Rules below this line find that nothing was committed, unless COMMIT was sent.
	{"serialization failure or deadlock", func(e evidence, pe *pgconn.PgError) bool {
		return pe != nil && !fatal(pe) && (pe.Code == codeSerializationFailure || pe.Code == codeDeadlockDetected)
	}, rolledBack, always},
	{"ambiguous, but before COMMIT", func(e evidence, pe *pgconn.PgError) bool {
		return pe != nil && pe.Code == codeCompletionUnknown && !fatal(pe) && e.before(pe)
	}, rolledBack, always},
	{"the prepared statement is gone or stale, or its name is taken", func(e evidence, pe *pgconn.PgError) bool {
		// This includes COMMIT's own error: it was not executed. Its text never raises
		// this.
		return pe != nil && (stalePlan(pe) || misdescribed(e.err)) && !fatal(pe) && (e.before(pe) || misnamed(pe) && said(pe))
	}, rolledBack, withoutPlan},
	{"the session was too slow", func(e evidence, pe *pgconn.PgError) bool {
		return pe != nil && (pe.Code == codeIdleInTransaction || pe.Code == codeTransactionTimeout) &&
			(e.before(pe) || !e.cockroach && saidByPostgreSQL(pe))
	}, rolledBack, never},
	{"PgBouncer pools statements, so it has no transactions", func(e evidence, pe *pgconn.PgError) bool {
		return pe != nil && fatal(pe) && e.before(pe) && pe.Message == "transaction blocks not allowed in statement pooling mode"
	}, rolledBack, never},
	{"the session was ended before COMMIT was reached", func(e evidence, pe *pgconn.PgError) bool {
		return pe != nil && fatal(pe) && e.before(pe)
	}, rolledBack, whenLost},
	{"the server is read-only, and OnPgError has closed the connection for it", func(e evidence, pe *pgconn.PgError) bool {
		return pe != nil && pe.Code == codeReadOnly && e.lost && e.before(pe)
	}, rolledBack, whenLost},
	{"an error of a statement before COMMIT", func(e evidence, pe *pgconn.PgError) bool {
		return pe != nil && !fatal(pe) && e.before(pe)
	}, rolledBack, never},
	{"an error that comes with a rollback on either engine", func(e evidence, pe *pgconn.PgError) bool {
		return pe != nil && !fatal(pe) && (pe.Code == codeInFailedTransaction || strings.HasPrefix(pe.Code, classIntegrityViolation))
	}, rolledBack, never},
	{"an error of PostgreSQL's, which it raises before it commits", func(e evidence, pe *pgconn.PgError) bool {
		return pe != nil && !fatal(pe) && !e.cockroach && saidByPostgreSQL(pe)
	}, rolledBack, never},
	{"any other answer to COMMIT", func(e evidence, pe *pgconn.PgError) bool { return pe != nil }, unknown, never},

	{"the context ended it before COMMIT", func(e evidence, _ *pgconn.PgError) bool {
		return contextEnded(e.err) && (!e.commitSent || notSent(e.err))
	}, rolledBack, never},
	{"the connection was lost before COMMIT", func(e evidence, _ *pgconn.PgError) bool {
		return e.lost && (!e.commitSent || notSent(e.err))
	}, rolledBack, whenLost},
	{"it failed on this side, before COMMIT", func(e evidence, _ *pgconn.PgError) bool {
		return !e.commitSent || notSent(e.err)
	}, rolledBack, never},
	{"the connection was lost behind COMMIT", nil, unknown, never}, // everything else
}

// classify returns the outcome of a transaction, and whether it may run again.
func classify(e evidence) (outcome, again) {
	r := &rules[ruleFor(e)]
	return r.outcome, r.again
}

func ruleFor(e evidence) int {
	pe := serverError(e.err)
	for i := range rules[:len(rules)-1] {
		if rules[i].holds(e, pe) {
			return i
		}
	}
	return len(rules) - 1
}

func serverError(err error) *pgconn.PgError {
	var pe *pgconn.PgError
	if errors.As(err, &pe) {
		return pe
	}
	return nil
}

// conflict returns the server error in err that a new transaction may not meet again,
// or nil.
func conflict(err error) *pgconn.PgError {
	if pe := serverError(err); pe != nil {
		switch pe.Code {
		case codeSerializationFailure, codeDeadlockDetected, codeCompletionUnknown:
			return pe
		}
	}
	return nil
}

// notSent reports whether err proves that no part of a packet was sent. pgx also
// reports SafeToRetry for a connection that it found closed while waiting for the
// answer, which proves nothing.
func notSent(err error) bool {
	return pgconn.SafeToRetry(err) && !errors.Is(err, pgconn.ErrConnClosed)
}

// cutOff reports whether err leaves a connection closed, as pgx does. It is for a
// connection that is hidden.
func cutOff(err error) bool {
	return !pgconn.SafeToRetry(err) && (contextEnded(err) || pgconn.Timeout(err)) || errors.Is(err, pgconn.ErrConnClosed) ||
		errors.Is(err, io.ErrUnexpectedEOF) || errors.As(err, new(net.Error))
}

func contextEnded(err error) bool {
	return errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded)
}

// said reports whether a database wrote the error: it names the routine that raised it,
// which a pooler's error does not.
func said(pe *pgconn.PgError) bool { return pe.Routine != "" }

// saidByPostgreSQL also requires a C source file: CockroachDB behind a pooler that
// hides crdb_version names Go files.
func saidByPostgreSQL(pe *pgconn.PgError) bool {
	return said(pe) && strings.HasSuffix(pe.File, ".c")
}

func fatal(pe *pgconn.PgError) bool {
	s := pe.SeverityUnlocalized
	if s == "" {
		s = pe.Severity
	}
	return s == "FATAL" || s == "PANIC"
}

// stalePlan reports whether the server refuses a statement only because of how it was
// prepared. 0A000 has many meanings; on PostgreSQL the routine tells this one, on
// CockroachDB the text, which is not translated.
func stalePlan(pe *pgconn.PgError) bool {
	switch pe.Code {
	case codeUndefinedStatement, codeDuplicateStatement:
		return true
	case codeProtocolViolation: // in cache_describe, if there are more columns than described
		return pe.Routine == "PortalSetResultFormat" || strings.Contains(pe.Message, "for number of format codes")
	case codeNotSupported:
		return pe.Routine == "RevalidateCachedQuery" || pe.Message == "cached plan must not change result type"
	case codeUnknownSetting, codeInvalidCursor: // the same on CockroachDB, for a name that the server makes up
		return strings.HasPrefix(pe.Message, "type with ID ") || pe.Message == `unknown portal ""`
	case codeInternalError: // a type, function or table that was there when it was prepared; not translated
		return strings.HasPrefix(pe.Message, "cache lookup failed for ") || strings.HasPrefix(pe.Message, "could not open relation with OID ")
	}
	return false
}

// misnamed reports whether the server did not know the name of a prepared statement, or
// knew it already. Names last as long as a session, so the statement reached another
// session than the one it was prepared in.
func misnamed(pe *pgconn.PgError) bool {
	return pe.Code == codeUndefinedStatement || pe.Code == codeDuplicateStatement
}

var reasonPattern = regexp.MustCompile(`(?:ABORT_|RETRY_)[A-Z_]+|ReadWithinUncertaintyInterval`)

// reasonCommitDeadline is a conflict that a retry seldom resolves. Source: CockroachDB,
// "Transaction retry error reference".
const reasonCommitDeadline = "RETRY_COMMIT_DEADLINE_EXCEEDED"

// reason returns CockroachDB's name for a conflict, such as RETRY_SERIALIZABLE.
func reason(pe *pgconn.PgError) string {
	if pe == nil || pe.Code != codeSerializationFailure {
		return ""
	}
	return reasonPattern.FindString(pe.Message)
}
