package errs_test

import (
	"bytes"
	"errors"
	"io"
	"log/slog"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/stretchr/testify/require"

	"github.com/rowkeeper/rowkeeper/errs"
)

func TestNew(t *testing.T) {
	t.Parallel()
	err := errs.New(errs.Invalid, errs.Code("too_old"), errs.Field("/born~1on"), errs.Message("Too old."), errs.Cause(io.EOF), errs.RetryAfter(3*time.Second))
	e := translate(t, nil, err)
	require.Equal(t, errs.Invalid, e.Kind())
	require.Equal(t, 422, e.Status())
	require.Equal(t, "too_old", e.Code())
	require.Equal(t, "/born~1on", e.Field())
	require.EqualError(t, err, "Too old.")
	require.Equal(t, 3*time.Second, e.RetryAfter())
	require.ErrorIs(t, err, io.EOF)
	require.ErrorIs(t, err, errs.Invalid)
	require.NotErrorIs(t, err, errs.NotFound)

	plain := translate(t, nil, errs.New(errs.NotFound))
	require.Equal(t, "not_found", plain.Code())
	require.Equal(t, "Not found.", plain.Error())
}

func TestNewWithNonsenseIsInternalAndSaysWhy(t *testing.T) {
	t.Parallel()
	for want, o := range map[string]errs.Option{
		"the code is empty":                      errs.Code(""),
		`the code "Bad Code" is not`:             errs.Code("Bad Code"),
		`the field "name" is not a JSON Pointer`: errs.Field("name"),
		`the field "/a~" has a ~`:                errs.Field("/a~"),
		"the message is empty":                   errs.Message(""),
		"the time to retry after, 0s, is not":    errs.RetryAfter(0),
		"errs.New(not_found): an option is nil":  nil,
	} {
		err := errs.New(errs.NotFound, o, errs.Cause(io.EOF))
		require.ErrorIs(t, err, errs.Internal)
		require.EqualError(t, err, "Internal error.")
		require.ErrorContains(t, errors.Unwrap(err), want)
	}
}

func logged(err error) string {
	var out bytes.Buffer
	slog.New(slog.NewTextHandler(&out, nil)).Info("x", "error", err)
	return out.String()
}

func TestLogsNamesButNoValues(t *testing.T) {
	t.Parallel()
	line := logged(shop.Translate(&pgconn.PgError{
		Code: "23505", ConstraintName: "customers_email_key", TableName: "customers", Routine: "_bt_check_unique",
		Message: "canary", Detail: "Key (email)=(canary) already exists.", Where: "canary",
	}))
	for _, want := range []string{"error.kind=already_exists", "error.status=409", "error.code=email_taken", "error.field=/email",
		"error.sqlstate=23505", "error.constraint=customers_email_key", "error.table=customers", "error.routine=_bt_check_unique"} {
		require.Contains(t, line, want)
	}
	require.NotContains(t, line, "canary")
	require.Contains(t, logged(shop.Translate(&pgconn.PgError{Code: "23502", Message: `null value in column "email" violates not-null constraint`})), "error.column=email")
	require.Contains(t, logged(shop.Translate(io.ErrUnexpectedEOF)), "unexpected EOF", "an engineer has to know")
}
