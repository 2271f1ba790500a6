package errs_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/stretchr/testify/require"

	"github.com/rowkeeper/rowkeeper/errs"
	"github.com/rowkeeper/rowkeeper/txn"
)

func translate(t *testing.T, c *errs.Catalog, err error) *errs.Error {
	t.Helper()
	var e *errs.Error
	require.ErrorAs(t, c.Translate(err), &e)
	return e
}

type stale struct{}

func (stale) Error() string   { return "secret" }
func (stale) Kind() errs.Kind { return errs.Stale }

func TestTranslate(t *testing.T) {
	t.Parallel()
	conflict := &pgconn.PgError{Code: "40001", Message: "secret"}
	mine := errs.New(errs.Invalid, errs.Code("mine"), errs.Field("/x"), errs.Message("Mine."))
	for _, test := range []struct {
		name string
		err  error
		kind errs.Kind
	}{
		{"serialization failure", conflict, errs.Contention},
		{"deadlock", &pgconn.PgError{Code: "40P01"}, errs.Contention},
		{"result is ambiguous", &pgconn.PgError{Code: "40003"}, errs.OutcomeUnknown},
		{"restrict of PostgreSQL 18", &pgconn.PgError{Code: "23001"}, errs.StillReferenced},
		{"exclusion", &pgconn.PgError{Code: "23P01"}, errs.Conflict},
		{"foreign key of unknown direction", &pgconn.PgError{Code: "23503", Message: "?"}, errs.Conflict},
		{"no partition for the row", &pgconn.PgError{Code: "23514"}, errs.Internal},
		{"a code yet unborn", &pgconn.PgError{Code: "ZZ999"}, errs.Internal},
		{"pgx: no rows", pgx.ErrNoRows, errs.NotFound},
		{"database/sql: no rows", sql.ErrNoRows, errs.NotFound},
		{"pgx v4: no rows", errors.New("no rows in result set"), errs.NotFound},
		{"too many rows", pgx.ErrTooManyRows, errs.Internal},
		{"deadline", context.DeadlineExceeded, errs.Timeout},
		{"canceled", context.Canceled, errs.Canceled},
		{"body too large", &http.MaxBytesError{Limit: 1}, errs.TooLarge},
		{"anything", errors.New("secret"), errs.Internal},
		{"nil pointer", (*errs.Error)(nil), errs.Internal},
		{"another nil pointer", (*pgconn.PgError)(nil), errs.Internal},

		{"a kind", errs.TooManyRequests, errs.TooManyRequests},
		{"a type with a kind", stale{}, errs.Stale},
		{"mine", mine, errs.Invalid},
		{"txn: exhausted", &txn.ExhaustedError{Err: conflict}, errs.Contention},
		{"txn: unknown", &txn.OutcomeUnknownError{Err: conflict}, errs.OutcomeUnknown},
		{"txn: committed", &txn.CommittedError{Err: conflict}, errs.Internal},

		{"the outermost wins", fmt.Errorf("%w", &txn.OutcomeUnknownError{Err: mine}), errs.OutcomeUnknown},
		{"the first of several", errors.Join(errors.New("x"), mine, conflict), errs.Invalid},
	} {
		for _, err := range []error{test.err, fmt.Errorf("wrapped: %w", test.err), errors.Join(nil, test.err)} {
			e := translate(t, nil, err)
			require.Equal(t, test.kind, e.Kind(), test.name)
			require.NotContains(t, e.Error(), "secret", test.name)
			require.NotEmpty(t, e.Error(), test.name)
		}
	}
	require.NoError(t, shop.Translate(nil))
	require.Same(t, mine, shop.Translate(mine))
	require.Equal(t, "Mine.", translate(t, shop, fmt.Errorf("%w", mine)).Error())
}

func TestOnlyWhatMaySucceedLaterSaysRetry(t *testing.T) {
	t.Parallel()
	require.Equal(t, 503, translate(t, nil, &txn.ExhaustedError{}).Status())
	require.Positive(t, translate(t, nil, &txn.ExhaustedError{}).RetryAfter())
	require.Equal(t, 500, translate(t, nil, &txn.OutcomeUnknownError{}).Status())
	require.Zero(t, translate(t, nil, &txn.OutcomeUnknownError{}).RetryAfter())
	require.Zero(t, translate(t, nil, errors.New("x")).RetryAfter())
}

func TestRetryAfterOfTheErrorItself(t *testing.T) {
	t.Parallel()
	e := translate(t, shop, fmt.Errorf("transfer: %w", &txn.BusyError{Ahead: 5, Wait: 3 * time.Second}))
	require.Equal(t, errs.Contention, e.Kind())
	require.Equal(t, 3*time.Second, e.RetryAfter())
	require.Equal(t, errs.Contention.Error(), e.Error())
}
