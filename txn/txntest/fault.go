package txntest

import (
	"fmt"
	"io"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// Fault is what one transaction meets. [New] refuses the zero value, which is no fault.
type Fault struct {
	kind      kind
	statement int
	applied   bool
}

type kind uint8

const (
	none kind = iota
	conflictAt
	conflictAtCommit
	unknownAtCommit
)

// ConflictAt makes the n-th statement of the transaction, counted from 1, fail with a
// serialization failure (SQLSTATE 40001). The statement is not sent. The error is
// returned where pgx would return it: for Query from the rows, for a batch from the
// result of that query.
//
// Exec, Query, QueryRow, CopyFrom and each query of a batch count as statements.
// Savepoints, Prepare and large objects do not count and meet no conflict. Commands
// sent on the transaction's Conn are not seen at all.
//
// A transaction that met a conflict cannot commit. On PostgreSQL a savepoint may undo
// the error, and sometimes the conflict with it; here COMMIT then fails, as it does on
// CockroachDB.
func ConflictAt(n int) Fault { return Fault{kind: conflictAt, statement: n} }

// ConflictAtCommit answers COMMIT with a serialization failure (SQLSTATE 40001) and
// rolls back. It reveals a function with side effects, which has run to its end before
// it runs again.
func ConflictAtCommit() Fault { return Fault{kind: conflictAtCommit} }

// UnknownAtCommit loses the answer to COMMIT, which txn reports as a
// *txn.OutcomeUnknownError. applied chooses whether the transaction has really
// committed or rolled back. If the database refuses to commit, that error is returned
// and the fault is not met.
func UnknownAtCommit(applied bool) Fault { return Fault{kind: unknownAtCommit, applied: applied} }

// String returns the call that made the fault.
func (f Fault) String() string {
	switch f.kind {
	case conflictAt:
		return fmt.Sprintf("ConflictAt(%d)", f.statement)
	case conflictAtCommit:
		return "ConflictAtCommit()"
	case unknownAtCommit:
		return fmt.Sprintf("UnknownAtCommit(%t)", f.applied)
	}
	return "Fault{}"
}

func (f Fault) check() error {
	switch {
	case f.kind == none:
		return fmt.Errorf("%v is no fault: use ConflictAt, ConflictAtCommit or UnknownAtCommit", f)
	case f.kind == conflictAt && f.statement < 1:
		return fmt.Errorf("%v: statements are counted from 1", f)
	}
	return nil
}

var errAnswerLost = fmt.Errorf("txntest: the answer to COMMIT is lost: %w", io.ErrUnexpectedEOF)

// serializationFailure returns the error that the server on conn would send. Some code
// checks more than the SQLSTATE: CockroachDB's reason, PostgreSQL's C file.
func serializationFailure(conn *pgx.Conn) *pgconn.PgError {
	e := &pgconn.PgError{
		Severity:            "ERROR",
		SeverityUnlocalized: "ERROR",
		Code:                "40001",
		Message:             "could not serialize access due to read/write dependencies among transactions (injected by txntest)",
		Detail:              "Reason code: Canceled on identification as a pivot, during conflict out checking.",
		Hint:                "The transaction might succeed if retried.",
		File:                "predicate.c",
		Line:                4046,
		Routine:             "CheckForSerializableConflictOut",
	}
	if conn != nil && conn.PgConn().ParameterStatus("crdb_version") != "" {
		e.Message = "restart transaction: TransactionRetryWithProtoRefreshError: TransactionRetryError: retry txn (RETRY_SERIALIZABLE - injected by txntest)"
		e.Detail = ""
		e.Hint = "See: https://www.cockroachlabs.com/docs/stable/transaction-retry-error-reference.html#retry_serializable"
		e.File, e.Line, e.Routine = "conn_executor_exec.go", 0, "execStmtInOpenState"
	}
	return e
}
