package outcome

import (
	"context"
	"errors"
	"fmt"
	"io"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/stretchr/testify/require"
)

type safeToRetry struct{ error }

func (safeToRetry) SafeToRetry() bool { return true }
func (e safeToRetry) Unwrap() error   { return e.error }

func TestClassify(t *testing.T) {
	t.Parallel()
	raise := func(severity, code, routine, file string) error {
		return fmt.Errorf("wrapped: %w", &pgconn.PgError{Code: code, Severity: "FEHLER", SeverityUnlocalized: severity, Routine: routine, File: file})
	}
	postgres := func(code string) error { return raise("ERROR", code, "ProcessInterrupts", "postgres.c") }
	cockroach := func(code string) error { return raise("ERROR", code, "execStmtInOpenState", "conn_executor_exec.go") }
	pooler := func(severity, code string) error { return raise(severity, code, "", "") }
	words := func(severity, code, message string) error {
		return &pgconn.PgError{Code: code, Severity: severity, SeverityUnlocalized: severity, Message: message}
	}
	dead := func(code string) error { return raise("FATAL", code, "ProcessInterrupts", "postgres.c") }
	atCommit := func(err error) Evidence { return Evidence{Phase: Commit, CommitSent: true, Err: err} }
	inPacket := func(err error) Evidence { return Evidence{Phase: Body, CommitSent: true, Err: err} }
	before := func(err error) Evidence { return Evidence{Phase: Body, Err: err} }
	with := func(e Evidence, change func(*Evidence)) Evidence { change(&e); return e }
	onCockroach := func(e *Evidence) { e.Cockroach = true }
	lost := func(e *Evidence) { e.Lost = true }
	tag := func(tag string, err error) Evidence { return with(atCommit(err), func(e *Evidence) { e.Tag = tag }) }
	// A server from before 9.6 says the severity in its own language only.
	localised := &pgconn.PgError{Code: "57P01", Severity: "FATAL", Routine: "ProcessInterrupts", File: "postgres.c"}

	hit := make([]bool, len(rules))
	for _, test := range []struct {
		name    string
		e       Evidence
		outcome Outcome
		again   Again
	}{
		{"tag", tag("COMMIT", nil), Committed, Never},
		{"tag, then cut", with(tag("COMMIT", io.ErrUnexpectedEOF), lost), Committed, Never},
		{"tag of a failed transaction", tag("ROLLBACK", nil), RolledBack, Never},
		{"pgx on such a tag", atCommit(pgx.ErrTxCommitRollback), RolledBack, Never},
		{"tag, but the wait for a standby was cut short", with(tag("COMMIT", nil), func(e *Evidence) { e.Cut = &pgconn.PgError{Code: "01000"} }), Unknown, Never},
		{"schema change failed", with(atCommit(cockroach("XXA00")), onCockroach), Committed, Never},
		{"schema change failed, behind a pooler", atCommit(cockroach("XXA00")), Committed, Never},
		{"its code raised in the body", with(before(cockroach("XXA00")), onCockroach), RolledBack, Never},
		{"its code raised in COMMIT's packet", with(inPacket(cockroach("XXA00")), onCockroach), RolledBack, Never},
		{"its code raised by PostgreSQL, at COMMIT", atCommit(raise("ERROR", "XXA00", "exec_stmt_raise", "pl_exec.c")), RolledBack, Never},

		{"BEGIN answered as a SELECT", with(before(&WrongAnswer{Effects: true}), lost), Unknown, Never},
		{"the same, with nothing behind it", with(before(&WrongAnswer{}), lost), RolledBack, WhenLost},

		{"conflict in the body", before(cockroach("40001")), RolledBack, Always},
		{"conflict at COMMIT, without a routine", atCommit(pooler("ERROR", "40001")), RolledBack, Always},
		{"deadlock", before(postgres("40P01")), RolledBack, Always},
		{"conflict on a standby ends the session at COMMIT", atCommit(dead("40001")), Unknown, Never},
		{"conflict on a standby ends the session", before(dead("40001")), RolledBack, WhenLost},
		{"ambiguous in the body", before(cockroach("40003")), RolledBack, Always},
		{"ambiguous before COMMIT, in its packet", inPacket(cockroach("40003")), RolledBack, Always},
		{"ambiguous at COMMIT", with(atCommit(cockroach("40003")), onCockroach), Unknown, Never},
		{"ambiguous at COMMIT behind a pooler", atCommit(cockroach("40003")), Unknown, Never},

		{"type made anew", before(words("ERROR", "XX000", "cache lookup failed for type 16432")), RolledBack, WithoutPlan},
		{"table made anew", before(words("ERROR", "XX000", "could not open relation with OID 16432")), RolledBack, WithoutPlan},
		{"another internal error", before(words("ERROR", "XX000", "could not find pathkey item to sort")), RolledBack, Never},
		{"type made anew, on CockroachDB", before(words("ERROR", "42704", "type with ID 61 does not exist")), RolledBack, WithoutPlan},
		{"the same, behind Bind", before(words("ERROR", "34000", `unknown portal ""`)), RolledBack, WithoutPlan},
		{"no such setting", before(words("ERROR", "42704", `unrecognized configuration parameter "x"`)), RolledBack, Never},
		{"described too early", before(SuspectDescription(postgres("42P01"))), RolledBack, WithoutPlan},
		{"described too early, in COMMIT's packet", inPacket(SuspectDescription(postgres("42703"))), RolledBack, WithoutPlan},
		{"described early, but not allowed", before(SuspectDescription(postgres("42501"))), RolledBack, Never},
		{"statement gone", before(postgres("26000")), RolledBack, WithoutPlan},
		{"statement gone, in COMMIT's packet", inPacket(postgres("26000")), RolledBack, WithoutPlan},
		{"COMMIT's own statement gone", with(atCommit(cockroach("26000")), onCockroach), RolledBack, WithoutPlan},
		{"statement gone, says a pooler behind COMMIT", atCommit(pooler("ERROR", "26000")), Unknown, Never},
		{"name taken", before(postgres("42P05")), RolledBack, WithoutPlan},
		{"name taken, in COMMIT's packet", inPacket(postgres("42P05")), RolledBack, WithoutPlan},
		{"COMMIT's own name taken", atCommit(postgres("42P05")), RolledBack, WithoutPlan},
		{"name taken, says a pooler behind COMMIT", atCommit(pooler("ERROR", "42P05")), Unknown, Never},
		{"plan stale", before(raise("ERROR", "0A000", "RevalidateCachedQuery", "plancache.c")), RolledBack, WithoutPlan},
		{"plan stale on CockroachDB", before(&pgconn.PgError{Code: "0A000", Severity: "ERROR", Message: "cached plan must not change result type", Routine: "x"}), RolledBack, WithoutPlan},
		{"columns added", before(raise("ERROR", "08P01", "PortalSetResultFormat", "pquery.c")), RolledBack, WithoutPlan},
		{"not supported", before(postgres("0A000")), RolledBack, Never},

		{"idle too long", before(dead("25P03")), RolledBack, Never},
		{"idle too long, at COMMIT", atCommit(dead("25P03")), RolledBack, Never},
		{"transaction timeout, at COMMIT", atCommit(dead("25P04")), RolledBack, Never},
		{"idle too long, at COMMIT, on CockroachDB", with(atCommit(raise("FATAL", "25P03", "x", "y.go")), onCockroach), Unknown, Never},

		{"terminated in the body", before(dead("57P01")), RolledBack, WhenLost},
		{"terminated in the body, by a pooler", before(pooler("FATAL", "08P01")), RolledBack, WhenLost},
		{"terminated before BEGIN's answer", with(inPacket(dead("57P01")), func(e *Evidence) { e.Phase = Begin }), RolledBack, WhenLost},
		{"the same by a pooler", with(inPacket(pooler("FATAL", "08P01")), func(e *Evidence) { e.Phase = Begin }), Unknown, Never},
		{"no session in time, says PgBouncer", with(inPacket(words("FATAL", "08P01", "query_wait_timeout")), func(e *Evidence) { e.Phase = Begin }), RolledBack, WhenLost},
		{"the same behind BEGIN", inPacket(words("FATAL", "08P01", "query_wait_timeout")), Unknown, Never},
		{"no login, says PgBouncer", with(inPacket(words("FATAL", "08P01", "server login has been failing, try again later (server_login_retry)")), func(e *Evidence) { e.Phase = Begin }), RolledBack, WhenLost},
		{"no login, by the server's code", with(inPacket(pooler("FATAL", "53300")), func(e *Evidence) { e.Phase = Begin }), RolledBack, WhenLost},
		{"no transactions, says PgBouncer", before(words("FATAL", "08P01", "transaction blocks not allowed in statement pooling mode")), RolledBack, Never},
		{"the same behind COMMIT", inPacket(words("FATAL", "08P01", "transaction blocks not allowed in statement pooling mode")), Unknown, Never},
		{"session lost, says PgBouncer", with(inPacket(words("FATAL", "08P01", "server conn crashed?")), func(e *Evidence) { e.Phase = Begin }), Unknown, Never},
		{"terminated at COMMIT", atCommit(dead("57P01")), Unknown, Never},
		{"the same, localised", atCommit(localised), Unknown, Never},
		{"crash at COMMIT", atCommit(raise("PANIC", "XX000", "x", "xlog.c")), Unknown, Never},

		{"read-only server, which the pool keeps", before(postgres("25006")), RolledBack, Never},
		{"read-only server, which OnPgError gave up", with(before(postgres("25006")), lost), RolledBack, WhenLost},
		{"the same, in COMMIT's packet", with(inPacket(postgres("25006")), lost), RolledBack, WhenLost},

		{"lock not available", before(postgres("55P03")), RolledBack, Never},
		{"timeout in the body", before(cockroach("57014")), RolledBack, Never},
		{"timeout in the body, in COMMIT's packet", with(inPacket(cockroach("57014")), onCockroach), RolledBack, Never},
		{"the same by a pooler", inPacket(pooler("ERROR", "57014")), Unknown, Never},

		{"failed transaction, at COMMIT", atCommit(cockroach("25P02")), RolledBack, Never},
		{"constraint at COMMIT", atCommit(pooler("ERROR", "23505")), RolledBack, Never},
		{"timeout at COMMIT on PostgreSQL", atCommit(postgres("57014")), RolledBack, Never},
		{"timeout at COMMIT on CockroachDB", with(atCommit(cockroach("57014")), onCockroach), Unknown, Never},
		{"the same behind a pooler", atCommit(cockroach("57014")), Unknown, Never},
		{"range unavailable", with(atCommit(cockroach("58C00")), onCockroach), Unknown, Never},
		{"pooler lost its server", atCommit(pooler("FATAL", "08P01")), Unknown, Never},

		{"context ended in the body", with(before(context.DeadlineExceeded), lost), RolledBack, Never},
		{"context was done before COMMIT was sent", atCommit(safeToRetry{context.Canceled}), RolledBack, Never},
		{"context ended while COMMIT was awaited", with(atCommit(context.Canceled), lost), Unknown, Never},
		{"lost in the body", with(before(io.ErrUnexpectedEOF), lost), RolledBack, WhenLost},
		{"COMMIT could not be written", with(atCommit(safeToRetry{errors.New("broken pipe")}), lost), RolledBack, WhenLost},
		{"value that cannot be encoded", before(errors.New("cannot encode")), RolledBack, Never},
		{"lost at COMMIT", with(atCommit(io.ErrUnexpectedEOF), lost), Unknown, Never},
		{"found closed while the answer was awaited", with(atCommit(safeToRetry{pgconn.ErrConnClosed}), lost), Unknown, Never},
		{"no answer at all", atCommit(nil), Unknown, Never},
	} {
		gotOutcome, gotAgain := Classify(test.e)
		require.Equal(t, test.outcome.String()+", "+test.again.String(), gotOutcome.String()+", "+gotAgain.String(), test.name)
		hit[ruleFor(test.e)] = true
	}
	for i, h := range hit {
		require.True(t, h, "no case for: %s", rules[i].name)
	}
}

func TestReason(t *testing.T) {
	t.Parallel()
	for message, want := range map[string]string{
		"restart transaction: TransactionRetryWithProtoRefreshError: TransactionRetryError: retry txn (RETRY_SERIALIZABLE - failed preemptive refresh)": "RETRY_SERIALIZABLE",
		"restart transaction: TransactionAbortedError(ABORT_REASON_PUSHER_ABORTED): x":                                                                  "ABORT_REASON_PUSHER_ABORTED",
		"restart transaction: ReadWithinUncertaintyIntervalError: x":                                                                                    "ReadWithinUncertaintyInterval",
		"could not serialize access due to concurrent update":                                                                                           "",
	} {
		require.Equal(t, want, ConflictReason(&pgconn.PgError{Code: "40001", Message: message}))
	}
	require.Empty(t, ConflictReason(&pgconn.PgError{Code: "23505", Message: "RETRY_SERIALIZABLE"}))
	require.Empty(t, ConflictReason(nil))
}
