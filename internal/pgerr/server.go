package pgerr

import (
	"errors"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"
)

// ServerError returns the error of a server in err, or nil.
func ServerError(err error) *pgconn.PgError {
	if err == nil { // which must cost nothing
		return nil
	}
	var pe *pgconn.PgError
	if errors.As(err, &pe) {
		return pe
	}
	return nil
}

// FromDatabase reports whether a database wrote the error: it names the routine that
// raised it, which a pooler's error does not.
func FromDatabase(pe *pgconn.PgError) bool { return pe.Routine != "" }

// FromPostgreSQL also requires a C source file: CockroachDB behind a pooler that hides
// crdb_version names Go files.
func FromPostgreSQL(pe *pgconn.PgError) bool {
	return FromDatabase(pe) && strings.HasSuffix(pe.File, ".c")
}

// Fatal reports whether the error ended the session.
func Fatal(pe *pgconn.PgError) bool {
	s := pe.SeverityUnlocalized
	if s == "" {
		s = pe.Severity
	}
	return s == "FATAL" || s == "PANIC"
}
