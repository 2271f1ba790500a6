package errs_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/url"
	"os"
	"strings"
	"syscall"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/stretchr/testify/require"

	"github.com/rowkeeper/rowkeeper/errs"
	"github.com/rowkeeper/rowkeeper/internal/devdb/dbtest"
	"github.com/rowkeeper/rowkeeper/owner"
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
	conflict := &pgconn.PgError{Code: "40001", Message: "canary"}
	for want, err := range map[string]error{
		`error.cause="*errors.errorString (unexpected EOF)"`:                                                           io.ErrUnexpectedEOF,
		`error.cause="*errors.joinError: [*errors.errorString; *pgconn.PgError]"`:                                      errors.Join(errors.New("canary"), conflict),
		`error.cause="*txn.ExhaustedError (txn transfer: rolled back 3 times in 0s): *fmt.wrapError: *pgconn.PgError"`: &txn.ExhaustedError{Name: "transfer", Attempts: 3, Err: fmt.Errorf("canary: %w", conflict)},
		`error.operation=transfer`:                                   fmt.Errorf("txn transfer: commit: %w", conflict),
		`error.cause="*fmt.wrapError (txn: begin): *pgconn.PgError"`: fmt.Errorf("txn: begin: %w", conflict),
		`error.cause="*fmt.wrapError: *errors.errorString (failed to encode args[0], into binary format for int4 (OID 23))"`: fmt.Errorf("canary: %w", errors.New(
			"failed to encode args[0]: unable to encode \"canary into binary format for canary (OID 5)\" into binary format for int4 (OID 23): canary is greater than maximum value for int4")),
		`error.cause="pgx.ScanArgError (column 2 name): *errors.errorString (cannot scan NULL into *string)"`: pgx.ScanArgError{ColumnIndex: 2, FieldName: "name", Err: errors.New("cannot scan NULL into *string")},
		`error.cause="*fmt.wrapError: *url.Error (Get api.example.com): *net.OpError: syscall.Errno (connection refused)"`: fmt.Errorf("charge: %w", &url.Error{
			Op: "Get", URL: "https://u:canary@api.example.com:8443/canary?key=canary", Err: &net.OpError{Op: "dial", Err: syscall.ECONNREFUSED}}),
		`error.cause="*errs.misuseError (errs.New(not_found): the code is empty)"`: errs.New(errs.NotFound, errs.Code(""), errs.Cause(conflict)),
		`error.cause="*net.OpError: *os.SyscallError: syscall.Errno (connection refused)"`: &net.OpError{
			Op: "dial", Err: os.NewSyscallError("connect", syscall.ECONNREFUSED)},
	} {
		line := strings.ReplaceAll(logged(shop.Translate(err)), `\"`, `"`)
		require.Contains(t, line, want)
		require.NotContains(t, line, "canary")
	}
	deep := error(conflict)
	for range 100 {
		deep = fmt.Errorf("%w", deep)
	}
	require.Contains(t, logged(shop.Translate(deep)), "…")
}

// A service's own error is logged unredacted, unless it contains a driver's error.
func TestLogsTextsOfTheApplicationsOwn(t *testing.T) {
	t.Parallel()
	own := fmt.Errorf("writing the receipt: %w", errors.New("disk on fire"))
	require.Contains(t, logged(shop.Translate(own)), `error.text="writing the receipt: disk on fire"`)
	require.Contains(t, logged(errs.New(errs.Conflict, errs.Cause(own))), `error.text="writing the receipt: disk on fire"`)

	conn, err := pgx.ParseConfig("host=127.0.0.1 port=1 user=canary")
	require.NoError(t, err)
	_, refused := pgx.ConnectConfig(t.Context(), conn)
	require.ErrorContains(t, refused, "canary")
	unencodable := errors.New("failed to encode args[0]: unable to encode canary into binary format for int4 (OID 23)")
	pe := &pgconn.PgError{Code: "23505", Message: "canary"}
	for _, err := range []error{
		refused, unencodable, pe, fmt.Errorf("canary: %w", pe), fmt.Errorf("canary: %v", pe), errors.Join(own, pe),
		pgx.ScanArgError{ColumnIndex: 1, FieldName: "a", Err: errors.New("canary")},
		errors.New(`sql: Scan error on column index 0, name "a": converting driver.Value type string ("canary") to a int: invalid syntax`),
	} {
		require.NotContains(t, logged(shop.Translate(err)), "canary", "%T", err)
		require.Contains(t, logged(shop.WithValues().Translate(err)), "canary", "%T", err)
	}
}

type account struct {
	ID    int64  `db:"id" owner:"pk"`
	Owner int64  `db:"owner_id" owner:"owner"`
	Name  string `db:"name"`
}

var accounts = owner.MustTable[account, int64]("missing_accounts")

// The log has the statement, its table and the fault.
func TestLogsWhatWasBeingDone(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *dbtest.DB) {
		me, err := owner.For(int64(4711))
		require.NoError(t, err)
		in := accounts.In(me)
		get := func(ctx context.Context, tx *txn.Tx) error { _, err := in.Get(ctx, tx, int64(4712)); return err }
		_, update := in.UpdateWhere(owner.Column(accounts, func(a *account) *string { return &a.Name }).Eq("canary")).
			Set(owner.Column(accounts, func(a *account) *string { return &a.Name }).Set("canary")).Exec(t.Context(), db)
		for statement, err := range map[string]error{
			"select from": txn.Run(t.Context(), db, get, txn.Name("read account")),
			"insert into": in.Insert(t.Context(), db, &account{Name: "canary"}),
			"update":      update,
		} {
			line := logged(shop.Translate(fmt.Errorf("handler: %w", err)))
			for _, want := range []string{statement, "error.table=missing_accounts", "error.sqlstate=42P01", "error.condition=undefined_table",
				"missing_accounts\\\" does not exist", "*core.statementError (" + statement + " missing_accounts)"} {
				require.Contains(t, line, want)
			}
			for _, value := range []string{"canary", "4711", "4712"} {
				require.NotContains(t, line, value)
			}
		}
	})
}
