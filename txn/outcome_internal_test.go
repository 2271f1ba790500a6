package txn

import (
	"errors"
	"fmt"
	"io"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/stretchr/testify/require"
)

func TestCommitOutcome(t *testing.T) {
	t.Parallel()
	pg := func(code, severity, routine, file string) error {
		return fmt.Errorf("wrapped: %w", &pgconn.PgError{Code: code, Severity: "FEHLER", SeverityUnlocalized: severity, Routine: routine, File: file})
	}
	fromPG := func(code string) error { return pg(code, "ERROR", "ProcessInterrupts", "postgres.c") }
	fromCRDB := func(code string) error { return pg(code, "ERROR", "execStmtInOpenState", "conn_executor_exec.go") }
	for _, test := range []struct {
		name      string
		tag       string
		err       error
		cockroach bool
		want      outcome
	}{
		{"tag", "COMMIT", nil, false, committed},
		{"tag, then cut", "COMMIT", io.ErrUnexpectedEOF, false, committed},
		{"tag of a failed transaction", "ROLLBACK", nil, false, rolledBack},
		{"pgx on such a tag", "", pgx.ErrTxCommitRollback, false, rolledBack},
		{"no tag, no error", "", nil, false, unknown},
		{"another tag", "BEGIN", nil, false, unknown},
		{"connection lost", "", io.ErrUnexpectedEOF, false, unknown},
		{"closed before", "", pgx.ErrTxClosed, false, unknown},
		{"any error", "", errors.New("conn closed"), false, unknown},

		{"40001", "", fromCRDB("40001"), true, rolledBack},
		{"40001 through a pooler", "", pg("40001", "ERROR", "", ""), false, rolledBack},
		{"40P01", "", fromPG("40P01"), false, rolledBack},
		{"25P02", "", fromCRDB("25P02"), true, rolledBack},
		{"deferred constraint", "", fromPG("23505"), false, rolledBack},
		{"XXA00", "", fromCRDB("XXA00"), true, committed},

		{"timeout on PostgreSQL", "", fromPG("57014"), false, rolledBack},
		{"raised in a trigger", "", fromPG("P0001"), false, rolledBack},
		{"timeout on CockroachDB", "", fromCRDB("57014"), true, unknown},
		{"CockroachDB behind a pooler that hides it", "", fromCRDB("57014"), false, unknown},
		{"40003", "", fromCRDB("40003"), true, unknown},
		{"XXUUU", "", fromCRDB("XXUUU"), true, unknown},
		{"terminated", "", pg("57P01", "FATAL", "ProcessInterrupts", "postgres.c"), false, unknown},
		{"pooler lost its server", "", pg("08P01", "FATAL", "", ""), false, unknown},
		{"pooler says ERROR", "", pg("58000", "ERROR", "", ""), false, unknown},
		{"old server without the unlocalized severity", "", &pgconn.PgError{Code: "57014", Severity: "ERROR", Routine: "x", File: "postgres.c"}, false, rolledBack},
	} {
		require.Equal(t, test.want, commitOutcome(test.tag, test.err, test.cockroach), test.name)
	}
}
