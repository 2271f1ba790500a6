package outcome

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/rowkeeper/rowkeeper/internal/pgerr"
)

// WrongAnswer reports that a statement of this package got the answer to another
// one, as if a pooler had mixed them up. Such a connection is not used again.
type WrongAnswer struct {
	SQL, Tag string
	Effects  bool // statements sent with it may have been committed
}

func (e *WrongAnswer) Error() string {
	return fmt.Sprintf("the answer to %q was %q, which is another statement's", e.SQL, e.Tag)
}

// Misdescribed is an error that may be due to how a statement was described: in an
// earlier transaction, which may have had another search path, or before the statements
// queued ahead were executed. The cause cannot be seen: a trigger can change the search
// path, too.
type Misdescribed struct{ error }

func (e *Misdescribed) Unwrap() error { return e.error }

// IsMisdescribed reports whether err may disappear if the statement is described again,
// after the statements ahead of it.
func IsMisdescribed(err error) bool {
	var m *Misdescribed
	return errors.As(err, &m)
}

// SuspectDescription wraps an error that may be a Misdescribed: the server did not find a
// name, or an operator for the types.
func SuspectDescription(err error) error {
	pe := pgerr.ServerError(err)
	if pe == nil || pgerr.Fatal(pe) || !misunderstood(pe) {
		return err
	}
	return &Misdescribed{err}
}

func misunderstood(pe *pgconn.PgError) bool {
	return slices.Contains([]string{
		"3D000", "3F000", // no such database, schema
		"42P01", "42703", "42883", "42704", // no such table, column, function or operator, type
		"42702", "42725", "42P08", "42P18", // ambiguous, or of no certain type
		"42804", "42846", "42809", "42P10", // of another type, or kind
	}, pe.Code) || pe.Code == pgerr.InvalidParameter && strings.HasPrefix(pe.Message, "unsupported ") // CockroachDB's, of operators
}
