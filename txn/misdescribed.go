package txn

import (
	"errors"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"
)

// misdescribedError is an error that may be due to how a statement was described: in an
// earlier transaction, which may have had another search path, or before the statements
// queued ahead were executed. The cause cannot be seen: a trigger can change the search
// path, too.
type misdescribedError struct{ error }

func (e *misdescribedError) Unwrap() error { return e.error }

// misdescribed reports whether err may disappear if the statement is described again,
// after the statements ahead of it.
func misdescribed(err error) bool {
	var m *misdescribedError
	return errors.As(err, &m)
}

// doubted wraps an error that may be a misdescribedError: the server did not find a
// name, or an operator for the types.
func doubted(err error) error {
	pe := serverError(err)
	if pe == nil || fatal(pe) || !misunderstood(pe) {
		return err
	}
	return &misdescribedError{err}
}

func misunderstood(pe *pgconn.PgError) bool {
	return slices.Contains([]string{
		"3D000", "3F000", // no such database, schema
		"42P01", "42703", "42883", "42704", // no such table, column, function or operator, type
		"42702", "42725", "42P08", "42P18", // ambiguous, or of no certain type
		"42804", "42846", "42809", "42P10", // of another type, or kind
	}, pe.Code) || pe.Code == codeInvalidParameter && strings.HasPrefix(pe.Message, "unsupported ") // CockroachDB's, of operators
}

// encodeError is the error of a statement that cannot be sent.
type encodeError struct {
	statement         *statement
	err               error
	mayBeMisdescribed bool
}

func (e *encodeError) Error() string { return e.err.Error() }
func (e *encodeError) Unwrap() error { return e.err }
