package errs_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"testing"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/stretchr/testify/require"

	"github.com/rowkeeper/rowkeeper/errs"
	"github.com/rowkeeper/rowkeeper/txn"
)

func logged(err error) string {
	var out bytes.Buffer
	slog.New(slog.NewTextHandler(&out, nil)).Info("x", "error", err)
	return out.String()
}

func TestLogsNamesButNoValues(t *testing.T) {
	t.Parallel()
	for name, driver := range drivers {
		err := driver(&pgconn.PgError{
			Code: "23505", ConstraintName: "customers_email_key", TableName: "customers", Routine: "_bt_check_unique",
			Message: "canary", Detail: "Key (email)=(canary) already exists.", Where: "canary", Hint: "canary",
		})
		line := logged(shop.Translate(fmt.Errorf("canary: %w", err)))
		for _, want := range []string{"error.kind=already_exists", "error.status=409", "error.code=email_taken", "error.field=/email",
			"error.sqlstate=23505", "error.condition=unique_violation", "error.constraint=customers_email_key", "error.table=customers",
			"error.key=email", "error.routine=_bt_check_unique", "*fmt.wrapError"} {
			require.Contains(t, line, want, name)
		}
		require.NotContains(t, line, "canary", name)

		values := logged(shop.WithValues().Translate(err))
		for _, want := range []string{"error.message=canary", `error.detail="Key (email)=(canary)`, "error.hint=canary", "error.where=canary", "error.text="} {
			require.Contains(t, values, want, name)
		}
	}
	require.Contains(t, logged(shop.Translate(&pgconn.PgError{Code: "23502", Message: `null value in column "email" violates not-null constraint`})), "error.column=email")
	require.Contains(t, logged(shop.Translate(&pgconn.PgError{Code: "23502", DataTypeName: "d"})), "error.domain=d")
	require.Contains(t, logged(errs.New(errs.Conflict, errs.Cause(&pgconn.PgError{Code: "23505"}))), "error.sqlstate=23505")
	require.Contains(t, logged(shop.Translate(&pgconn.PgError{Code: "canary x"})), "error.sqlstate=invalid")
}

func TestLogsAttempts(t *testing.T) {
	t.Parallel()
	conflict := &pgconn.PgError{Code: "40001"}
	for _, err := range []error{&txn.ExhaustedError{Attempts: 7, Err: conflict}, fmt.Errorf("%w", &txn.OutcomeUnknownError{Attempts: 7, Err: conflict})} {
		line := logged(shop.Translate(err))
		require.Contains(t, line, "error.attempts=7")
		require.Contains(t, line, "error.sqlstate=40001")
	}
	require.NotContains(t, logged(shop.Translate(conflict)), "attempts")
}

func TestLogsTypesOfCausesAndConstantTexts(t *testing.T) {
	t.Parallel()
	secret := errors.New("canary")
	for want, err := range map[string]error{
		`error.cause="*errors.errorString (unexpected EOF)"`:                       io.ErrUnexpectedEOF,
		`error.cause="*fmt.wrapError: *errors.errorString (EOF)"`:                  fmt.Errorf("canary: %w", io.EOF),
		`error.cause="*errors.joinError: [*errors.errorString; *pgconn.PgError]"`:  errors.Join(secret, &pgconn.PgError{Code: "23505"}),
		`error.cause="*txn.ExhaustedError: *fmt.wrapError: *errors.errorString"`:   &txn.ExhaustedError{Name: "canary", Err: fmt.Errorf("%w", secret)},
		`error.cause="*errs.misuseError (errs.New(not_found): the code is empty)"`: errs.New(errs.NotFound, errs.Code(""), errs.Cause(secret)),
		`error.cause="*fmt.wrapError: kind.Kind (not_found)"`:                      fmt.Errorf("canary: %w", errs.NotFound),
	} {
		line := logged(shop.Translate(err))
		require.Contains(t, line, want)
		require.NotContains(t, line, "canary")
	}
	deep := secret
	for range 100 {
		deep = fmt.Errorf("%w", deep)
	}
	require.Contains(t, logged(shop.Translate(deep)), "…")

	mine := errs.New(errs.Conflict, errs.Cause(secret))
	require.NotContains(t, logged(shop.Translate(mine)), "canary")
	require.Contains(t, logged(shop.WithValues().Translate(mine)), "error.text=canary")
	require.NotContains(t, logged(mine), "canary", "only what the catalog gave")
}
