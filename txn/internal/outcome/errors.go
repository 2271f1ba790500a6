package outcome

import (
	"context"
	"errors"
	"io"
	"net"
	"regexp"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/rowkeeper/rowkeeper/internal/pgerr"
)

// Refused reports whether a pooler says that it found no session for the transaction,
// so that nothing was sent to the server. PgBouncer uses the code 08P01 for all its own
// errors, including a session lost after COMMIT was sent, so the text decides, which is
// not translated. Newer versions pass on the code with which the server refused a
// session.
func Refused(pe *pgconn.PgError) bool {
	switch {
	case !pgerr.Fatal(pe) || pgerr.FromDatabase(pe):
		return false
	case pe.Code == pgerr.TooManyConnections || pe.Code == pgerr.CannotConnectNow:
		return true
	}
	return pe.Code == pgerr.ProtocolViolation && (pe.Message == "query_wait_timeout" ||
		strings.HasPrefix(pe.Message, "server login has been failing") || strings.HasPrefix(pe.Message, "pgbouncer cannot connect to server"))
}

// Conflict returns the server error in err that a new transaction may not meet again,
// or nil.
func Conflict(err error) *pgconn.PgError {
	if pe := pgerr.ServerError(err); pe != nil {
		switch pe.Code {
		case pgerr.SerializationFailure, pgerr.DeadlockDetected, pgerr.CompletionUnknown:
			return pe
		}
	}
	return nil
}

// NotSent reports whether err proves that no part of a packet was sent. pgx also
// reports SafeToRetry for a connection that it found closed while waiting for the
// answer, which proves nothing.
func NotSent(err error) bool {
	return pgconn.SafeToRetry(err) && !errors.Is(err, pgconn.ErrConnClosed)
}

// CutOff reports whether err leaves a connection closed, as pgx does. It is for a
// connection that is hidden.
func CutOff(err error) bool {
	return !pgconn.SafeToRetry(err) && (ContextEnded(err) || pgconn.Timeout(err)) || errors.Is(err, pgconn.ErrConnClosed) ||
		errors.Is(err, io.ErrUnexpectedEOF) || errors.As(err, new(net.Error))
}

// ContextEnded reports whether the end of a context caused err.
func ContextEnded(err error) bool {
	return errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded)
}

// StalePlan reports whether the server refuses a statement only because of how it was
// prepared. 0A000 has many meanings; on PostgreSQL the routine tells this one, on
// CockroachDB the text, which is not translated.
func StalePlan(pe *pgconn.PgError) bool {
	switch pe.Code {
	case pgerr.UndefinedStatement, pgerr.DuplicateStatement:
		return true
	case pgerr.ProtocolViolation: // in cache_describe, if there are more columns than described
		return pe.Routine == "PortalSetResultFormat" || strings.Contains(pe.Message, "for number of format codes")
	case pgerr.NotSupported:
		return pe.Routine == "RevalidateCachedQuery" || pe.Message == "cached plan must not change result type"
	case pgerr.UnknownSetting, pgerr.InvalidCursor: // the same on CockroachDB, for a name that the server makes up
		return strings.HasPrefix(pe.Message, "type with ID ") || pe.Message == `unknown portal ""`
	case pgerr.InternalError: // a type, function or table that was there when it was prepared; not translated
		return strings.HasPrefix(pe.Message, "cache lookup failed for ") || strings.HasPrefix(pe.Message, "could not open relation with OID ")
	}
	return false
}

// Misnamed reports whether the server did not know the name of a prepared statement, or
// knew it already. Names last as long as a session, so the statement reached another
// session than the one it was prepared in.
func Misnamed(pe *pgconn.PgError) bool {
	return pe.Code == pgerr.UndefinedStatement || pe.Code == pgerr.DuplicateStatement
}

var reasonPattern = regexp.MustCompile(`(?:ABORT_|RETRY_)[A-Z_]+|ReadWithinUncertaintyInterval`)

// CommitDeadlineExceeded is the name of a conflict that a retry seldom resolves. Source: CockroachDB,
// "Transaction retry error reference".
const CommitDeadlineExceeded = "RETRY_COMMIT_DEADLINE_EXCEEDED"

// ConflictReason returns CockroachDB's name for a conflict, such as RETRY_SERIALIZABLE.
func ConflictReason(pe *pgconn.PgError) string {
	if pe == nil || pe.Code != pgerr.SerializationFailure {
		return ""
	}
	return reasonPattern.FindString(pe.Message)
}
