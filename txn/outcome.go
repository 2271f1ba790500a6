package txn

import (
	"errors"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

const (
	codeSerializationFailure = "40001"
	codeDeadlockDetected     = "40P01"
	codeCompletionUnknown    = "40003" // in the body CockroachDB has rolled back by then
	codeInFailedTransaction  = "25P02"
	classIntegrityViolation  = "23"
	codeCommittedButSchema   = "XXA00" // CockroachDB: pgcode.TransactionCommittedWithSchemaChangeFailure
)

type outcome uint8

const (
	unknown outcome = iota
	committed
	rolledBack
)

// conflict is the server error in err that a new transaction may not meet
// again, or nil.
func conflict(err error) *pgconn.PgError {
	var pe *pgconn.PgError
	if errors.As(err, &pe) {
		switch pe.Code {
		case codeSerializationFailure, codeDeadlockDetected, codeCompletionUnknown:
			return pe
		}
	}
	return nil
}

// commitOutcome says what the answer to COMMIT means.
//
// A tag that was read decides, whatever follows it. Of errors only those on
// the list are known to come with a rollback. CockroachDB may send any other
// one, a statement timeout included, for a transaction that it has applied. A
// server that is PostgreSQL beyond doubt reports an ERROR before it commits;
// FATAL and what poolers send in their own name prove nothing.
func commitOutcome(tag string, err error, cockroach bool) outcome {
	switch tag {
	case "COMMIT":
		return committed
	case "ROLLBACK":
		return rolledBack
	}
	if errors.Is(err, pgx.ErrTxCommitRollback) {
		return rolledBack
	}
	var pe *pgconn.PgError
	if !errors.As(err, &pe) {
		return unknown
	}
	switch {
	case pe.Code == codeSerializationFailure, pe.Code == codeDeadlockDetected, pe.Code == codeInFailedTransaction,
		strings.HasPrefix(pe.Code, classIntegrityViolation):
		return rolledBack
	case pe.Code == codeCommittedButSchema:
		return committed
	case !cockroach && saidByPostgreSQL(pe) && severity(pe) == "ERROR":
		return rolledBack
	}
	return unknown
}

// saidByPostgreSQL reports whether the error names the C source it was raised
// in: CockroachDB names Go files, and poolers name nothing.
func saidByPostgreSQL(pe *pgconn.PgError) bool {
	return pe.Routine != "" && strings.HasSuffix(pe.File, ".c")
}

func severity(pe *pgconn.PgError) string {
	if pe.SeverityUnlocalized != "" {
		return pe.SeverityUnlocalized
	}
	return pe.Severity
}
