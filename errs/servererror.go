package errs

import (
	"errors"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"
)

func findServerError(err error) (*pgconn.PgError, bool) {
	var pe *pgconn.PgError
	ok := errors.As(err, &pe) && pe != nil
	return pe, ok
}

type direction uint8

const (
	directionUnknown direction = iota
	missing                    // the row points at nothing
	inUse                      // others point at the row
)

// foreignKeyDirection tells the two sides of a foreign key violation apart. No
// field does: SQLSTATE, table and constraint are the same. But the message of
// the side that points names two things (its table, the constraint), and that
// of the other side three, on both engines and in every language that
// PostgreSQL speaks.
func foreignKeyDirection(message string) direction {
	quotes := strings.Count(message, `"`)
	for _, q := range []string{"«", "»", "„", "“", "”", "「", "」"} {
		quotes += strings.Count(message, q)
	}
	switch quotes {
	case 4:
		return missing
	case 6:
		return inUse
	}
	return directionUnknown
}

// notNullColumn is the column of a not-null violation. CockroachDB names it in
// the message alone.
func notNullColumn(e *pgconn.PgError) string {
	if e.ColumnName != "" || e.Code != codeNotNull {
		return e.ColumnName
	}
	_, rest, _ := strings.Cut(e.Message, `null value in column "`)
	column, _, ok := strings.Cut(rest, `" violates not-null constraint`)
	if !ok {
		return ""
	}
	return column
}
