package txn

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
	atCommit := func(err error) evidence { return evidence{phase: phaseCommit, commitSent: true, err: err} }
	inPacket := func(err error) evidence { return evidence{phase: phaseBody, commitSent: true, err: err} }
	before := func(err error) evidence { return evidence{phase: phaseBody, err: err} }
	with := func(e evidence, change func(*evidence)) evidence { change(&e); return e }
	onCockroach := func(e *evidence) { e.cockroach = true }
	lost := func(e *evidence) { e.lost = true }
	tag := func(tag string, err error) evidence { return with(atCommit(err), func(e *evidence) { e.tag = tag }) }
	// A server from before 9.6 says the severity in its own language only.
	localised := &pgconn.PgError{Code: "57P01", Severity: "FATAL", Routine: "ProcessInterrupts", File: "postgres.c"}

	hit := make([]bool, len(rules))
	for _, test := range []struct {
		name    string
		e       evidence
		outcome outcome
		again   again
	}{
		{"tag", tag("COMMIT", nil), committed, never},
		{"tag, then cut", with(tag("COMMIT", io.ErrUnexpectedEOF), lost), committed, never},
		{"tag of a failed transaction", tag("ROLLBACK", nil), rolledBack, never},
		{"pgx on such a tag", atCommit(pgx.ErrTxCommitRollback), rolledBack, never},
		{"tag, but the wait for a standby was cut short", with(tag("COMMIT", nil), func(e *evidence) { e.cut = &pgconn.PgError{Code: "01000"} }), unknown, never},
		{"schema change failed", with(atCommit(cockroach("XXA00")), onCockroach), committed, never},
		{"schema change failed, behind a pooler", atCommit(cockroach("XXA00")), committed, never},
		{"its code raised in the body", with(before(cockroach("XXA00")), onCockroach), rolledBack, never},
		{"its code raised in COMMIT's packet", with(inPacket(cockroach("XXA00")), onCockroach), rolledBack, never},
		{"its code raised by PostgreSQL, at COMMIT", atCommit(raise("ERROR", "XXA00", "exec_stmt_raise", "pl_exec.c")), rolledBack, never},

		{"BEGIN answered as a SELECT", with(before(&wrongAnswerError{effects: true}), lost), unknown, never},
		{"the same, with nothing behind it", with(before(&wrongAnswerError{}), lost), rolledBack, whenLost},

		{"conflict in the body", before(cockroach("40001")), rolledBack, always},
		{"conflict at COMMIT, without a routine", atCommit(pooler("ERROR", "40001")), rolledBack, always},
		{"deadlock", before(postgres("40P01")), rolledBack, always},
		{"conflict on a standby ends the session at COMMIT", atCommit(dead("40001")), unknown, never},
		{"conflict on a standby ends the session", before(dead("40001")), rolledBack, whenLost},
		{"ambiguous in the body", before(cockroach("40003")), rolledBack, always},
		{"ambiguous before COMMIT, in its packet", inPacket(cockroach("40003")), rolledBack, always},
		{"ambiguous at COMMIT", with(atCommit(cockroach("40003")), onCockroach), unknown, never},
		{"ambiguous at COMMIT behind a pooler", atCommit(cockroach("40003")), unknown, never},

		{"type made anew", before(words("ERROR", "XX000", "cache lookup failed for type 16432")), rolledBack, withoutPlan},
		{"table made anew", before(words("ERROR", "XX000", "could not open relation with OID 16432")), rolledBack, withoutPlan},
		{"another internal error", before(words("ERROR", "XX000", "could not find pathkey item to sort")), rolledBack, never},
		{"type made anew, on CockroachDB", before(words("ERROR", "42704", "type with ID 61 does not exist")), rolledBack, withoutPlan},
		{"the same, behind Bind", before(words("ERROR", "34000", `unknown portal ""`)), rolledBack, withoutPlan},
		{"no such setting", before(words("ERROR", "42704", `unrecognized configuration parameter "x"`)), rolledBack, never},
		{"described too early", before(doubted(postgres("42P01"))), rolledBack, withoutPlan},
		{"described too early, in COMMIT's packet", inPacket(doubted(postgres("42703"))), rolledBack, withoutPlan},
		{"described early, but not allowed", before(doubted(postgres("42501"))), rolledBack, never},
		{"statement gone", before(postgres("26000")), rolledBack, withoutPlan},
		{"statement gone, in COMMIT's packet", inPacket(postgres("26000")), rolledBack, withoutPlan},
		{"COMMIT's own statement gone", with(atCommit(cockroach("26000")), onCockroach), rolledBack, withoutPlan},
		{"statement gone, says a pooler behind COMMIT", atCommit(pooler("ERROR", "26000")), unknown, never},
		{"name taken", before(postgres("42P05")), rolledBack, withoutPlan},
		{"name taken, in COMMIT's packet", inPacket(postgres("42P05")), rolledBack, withoutPlan},
		{"COMMIT's own name taken", atCommit(postgres("42P05")), rolledBack, withoutPlan},
		{"name taken, says a pooler behind COMMIT", atCommit(pooler("ERROR", "42P05")), unknown, never},
		{"plan stale", before(raise("ERROR", "0A000", "RevalidateCachedQuery", "plancache.c")), rolledBack, withoutPlan},
		{"plan stale on CockroachDB", before(&pgconn.PgError{Code: "0A000", Severity: "ERROR", Message: "cached plan must not change result type", Routine: "x"}), rolledBack, withoutPlan},
		{"columns added", before(raise("ERROR", "08P01", "PortalSetResultFormat", "pquery.c")), rolledBack, withoutPlan},
		{"not supported", before(postgres("0A000")), rolledBack, never},

		{"idle too long", before(dead("25P03")), rolledBack, never},
		{"idle too long, at COMMIT", atCommit(dead("25P03")), rolledBack, never},
		{"transaction timeout, at COMMIT", atCommit(dead("25P04")), rolledBack, never},
		{"idle too long, at COMMIT, on CockroachDB", with(atCommit(raise("FATAL", "25P03", "x", "y.go")), onCockroach), unknown, never},

		{"terminated in the body", before(dead("57P01")), rolledBack, whenLost},
		{"terminated in the body, by a pooler", before(pooler("FATAL", "08P01")), rolledBack, whenLost},
		{"terminated before BEGIN's answer", with(inPacket(dead("57P01")), func(e *evidence) { e.phase = phaseBegin }), rolledBack, whenLost},
		{"the same by a pooler", with(inPacket(pooler("FATAL", "08P01")), func(e *evidence) { e.phase = phaseBegin }), unknown, never},
		{"no session in time, says PgBouncer", with(inPacket(words("FATAL", "08P01", "query_wait_timeout")), func(e *evidence) { e.phase = phaseBegin }), rolledBack, whenLost},
		{"the same behind BEGIN", inPacket(words("FATAL", "08P01", "query_wait_timeout")), unknown, never},
		{"no login, says PgBouncer", with(inPacket(words("FATAL", "08P01", "server login has been failing, try again later (server_login_retry)")), func(e *evidence) { e.phase = phaseBegin }), rolledBack, whenLost},
		{"no login, by the server's code", with(inPacket(pooler("FATAL", "53300")), func(e *evidence) { e.phase = phaseBegin }), rolledBack, whenLost},
		{"no transactions, says PgBouncer", before(words("FATAL", "08P01", "transaction blocks not allowed in statement pooling mode")), rolledBack, never},
		{"the same behind COMMIT", inPacket(words("FATAL", "08P01", "transaction blocks not allowed in statement pooling mode")), unknown, never},
		{"session lost, says PgBouncer", with(inPacket(words("FATAL", "08P01", "server conn crashed?")), func(e *evidence) { e.phase = phaseBegin }), unknown, never},
		{"terminated at COMMIT", atCommit(dead("57P01")), unknown, never},
		{"the same, localised", atCommit(localised), unknown, never},
		{"crash at COMMIT", atCommit(raise("PANIC", "XX000", "x", "xlog.c")), unknown, never},

		{"read-only server, which the pool keeps", before(postgres("25006")), rolledBack, never},
		{"read-only server, which OnPgError gave up", with(before(postgres("25006")), lost), rolledBack, whenLost},
		{"the same, in COMMIT's packet", with(inPacket(postgres("25006")), lost), rolledBack, whenLost},

		{"lock not available", before(postgres("55P03")), rolledBack, never},
		{"timeout in the body", before(cockroach("57014")), rolledBack, never},
		{"timeout in the body, in COMMIT's packet", with(inPacket(cockroach("57014")), onCockroach), rolledBack, never},
		{"the same by a pooler", inPacket(pooler("ERROR", "57014")), unknown, never},

		{"failed transaction, at COMMIT", atCommit(cockroach("25P02")), rolledBack, never},
		{"constraint at COMMIT", atCommit(pooler("ERROR", "23505")), rolledBack, never},
		{"timeout at COMMIT on PostgreSQL", atCommit(postgres("57014")), rolledBack, never},
		{"timeout at COMMIT on CockroachDB", with(atCommit(cockroach("57014")), onCockroach), unknown, never},
		{"the same behind a pooler", atCommit(cockroach("57014")), unknown, never},
		{"range unavailable", with(atCommit(cockroach("58C00")), onCockroach), unknown, never},
		{"pooler lost its server", atCommit(pooler("FATAL", "08P01")), unknown, never},

		{"context ended in the body", with(before(context.DeadlineExceeded), lost), rolledBack, never},
		{"context was done before COMMIT was sent", atCommit(safeToRetry{context.Canceled}), rolledBack, never},
		{"context ended while COMMIT was awaited", with(atCommit(context.Canceled), lost), unknown, never},
		{"lost in the body", with(before(io.ErrUnexpectedEOF), lost), rolledBack, whenLost},
		{"COMMIT could not be written", with(atCommit(safeToRetry{errors.New("broken pipe")}), lost), rolledBack, whenLost},
		{"value that cannot be encoded", before(errors.New("cannot encode")), rolledBack, never},
		{"lost at COMMIT", with(atCommit(io.ErrUnexpectedEOF), lost), unknown, never},
		{"found closed while the answer was awaited", with(atCommit(safeToRetry{pgconn.ErrConnClosed}), lost), unknown, never},
		{"no answer at all", atCommit(nil), unknown, never},
	} {
		gotOutcome, gotAgain := classify(test.e)
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
		require.Equal(t, want, reason(&pgconn.PgError{Code: "40001", Message: message}))
	}
	require.Empty(t, reason(&pgconn.PgError{Code: "23505", Message: "RETRY_SERIALIZABLE"}))
	require.Empty(t, reason(nil))
}
