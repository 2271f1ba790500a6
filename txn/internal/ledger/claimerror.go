package ledger

import (
	"errors"
	"fmt"

	"github.com/rowkeeper/rowkeeper/internal/pgerr"
	"github.com/rowkeeper/rowkeeper/txn/internal/sqltext"
)

// takenError reports that the key was already there.
type takenError struct{ err error }

func (e *takenError) Error() string { return "txn: Once: the key was used before: " + e.err.Error() }
func (e *takenError) Unwrap() error { return e.err }

// Taken reports whether err says that the key of a claim was already there.
func Taken(err error) bool { return err != nil && errors.As(err, new(*takenError)) }

// primaryKey is the constraint of the table.
const primaryKey = "rowkeeper_ledger_pkey"

// Error returns the error of a statement that Begin returned, for a call with that
// prefix. orphaned reports whether an orphaned session may hold the lock.
func (c *Claim) Error(prefix string, err error, orphaned bool) error {
	pe := pgerr.ServerError(err)
	switch {
	case pe == nil:
	case pe.Code == pgerr.UniqueViolation && (pe.ConstraintName == primaryKey || pe.ConstraintName == ""):
		return &takenError{err}
	case pe.Code == pgerr.InvalidText && isUnexpected(pe.Message):
		return &takenError{err} // another call took it over
	case pe.Code == pgerr.LockNotAvailable && c.request.NoWait && !orphaned:
		return fmt.Errorf("%s: %w (%w)", prefix, ErrInFlight, err)
	case pe.Code == pgerr.UndefinedTable:
		return fmt.Errorf("%s: Once: there is no ledger: create it by once.Schema: %w", prefix, err)
	}
	return fmt.Errorf("%s: Once: %w", prefix, err)
}

func isUnexpected(message string) bool {
	_, is := sqltext.Unexpected(message)
	return is
}
