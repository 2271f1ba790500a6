package errs_test

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"os"
	"syscall"
	"testing"

	legacy "github.com/jackc/pgconn"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/stretchr/testify/require"

	"github.com/rowkeeper/rowkeeper/errs"
	"github.com/rowkeeper/rowkeeper/internal/devdb/dbtest"
	"github.com/rowkeeper/rowkeeper/txn"
)

// pqCode and pqError have the methods and fields of lib/pq's pq.Error.
type pqCode string

type pqError struct {
	Severity, Message, Detail, Hint, Where, Schema, Table, Column, DataTypeName, Constraint, File, Routine string
	Code                                                                                                   pqCode
}

func (e *pqError) Error() string    { return "pq: " + e.Message + " " + e.Detail }
func (e *pqError) SQLState() string { return string(e.Code) }

// oldPqError is that of lib/pq before 1.10.6.
type oldPqError struct{ e pqError }

func (e *oldPqError) Error() string { return e.e.Error() }

func (e *oldPqError) Get(k byte) string {
	return map[byte]string{'S': e.e.Severity, 'C': string(e.e.Code), 'M': e.e.Message, 'D': e.e.Detail, 'H': e.e.Hint, 'W': e.e.Where,
		's': e.e.Schema, 't': e.e.Table, 'c': e.e.Column, 'd': e.e.DataTypeName, 'n': e.e.Constraint, 'F': e.e.File, 'R': e.e.Routine}[k]
}

// codeOnly is a database error that has only a code.
type codeOnly string

func (e codeOnly) Error() string    { return "secret" }
func (e codeOnly) SQLState() string { return string(e) }

// drivers turn an error of pgx v5 into that of each driver.
var drivers = map[string]func(*pgconn.PgError) error{
	"pgx v5": func(e *pgconn.PgError) error { return e },
	"pgx v4": func(e *pgconn.PgError) error {
		return &legacy.PgError{Severity: e.Severity, Code: e.Code, Message: e.Message, Detail: e.Detail, Hint: e.Hint,
			InternalQuery: e.InternalQuery, Where: e.Where, SchemaName: e.SchemaName, TableName: e.TableName, ColumnName: e.ColumnName,
			DataTypeName: e.DataTypeName, ConstraintName: e.ConstraintName, File: e.File, Routine: e.Routine}
	},
	"lib/pq":     func(e *pgconn.PgError) error { return asPq(e) },
	"old lib/pq": func(e *pgconn.PgError) error { return &oldPqError{*asPq(e)} },
}

func asPq(e *pgconn.PgError) *pqError {
	return &pqError{Severity: e.Severity, Code: pqCode(e.Code), Message: e.Message, Detail: e.Detail, Hint: e.Hint, Where: e.Where,
		Schema: e.SchemaName, Table: e.TableName, Column: e.ColumnName, DataTypeName: e.DataTypeName, Constraint: e.ConstraintName,
		File: e.File, Routine: e.Routine}
}

func TestEveryDriverSaysTheSame(t *testing.T) {
	t.Parallel()
	c := shop.With(errs.SQLState("OW001").Kind(errs.Forbidden).Code("closed"), errs.DomainNotNull("email").Code("email_required"),
		errs.PrimaryKey("customers", "id").Code("customer_exists"))
	for want, e := range map[string]*pgconn.PgError{
		"email_taken":         {Code: "23505", ConstraintName: "customers_email_key", TableName: "customers"},
		"no_credit":           {Code: "23514", ConstraintName: "customers_credit_check"},
		"unknown_customer":    {Code: "23503", ConstraintName: "orders_customer_fkey", TableName: "orders", Message: `insert on table "orders" violates foreign key constraint "orders_customer_fkey"`},
		"customer_has_orders": {Code: "23503", ConstraintName: "orders_customer_fkey", Message: `delete on table "p" violates foreign key constraint "orders_customer_fkey" on table "orders"`},
		"email_required":      {Code: "23502", ColumnName: "email", TableName: "customers"},
		"email_required ":     {Code: "23502", DataTypeName: "email"},
		"customer_exists":     {Code: "23505", ConstraintName: "primary", Detail: "Key (id)=(1) already exists."},
		"forbidden":           {Code: "42501", Routine: "ExecWithCheckOptions"},
		"unavailable":         {Code: "08P01", Severity: "FATAL"},
		"contention":          {Code: "40001"},
		"closed":              {Code: "OW001"},
		"outcome_unknown":     {Code: "40003"},
		"internal":            {Code: "XXA00"},
	} {
		first, err := json.Marshal(c.Translate(e))
		require.NoError(t, err)
		for name, driver := range drivers {
			for _, err := range []error{driver(e), fmt.Errorf("repository: %w", driver(e)), errors.Join(errors.New("x"), driver(e)),
				fmt.Errorf("%w (%w)", errors.New("x"), driver(e))} {
				translated := translate(t, c, err)
				require.Contains(t, want+" ", translated.Code()+" ", name)
				body, err := json.Marshal(translated)
				require.NoError(t, err)
				require.Equal(t, string(first), string(body), name)
			}
		}
	}
	require.Equal(t, errs.AlreadyExists, translate(t, c, codeOnly("23505")).Kind())
	require.Equal(t, errs.Internal, translate(t, c, codeOnly("not a code")).Kind())
	for _, null := range []error{(*legacy.PgError)(nil), (*pqError)(nil), (*oldPqError)(nil), (*txn.BusyError)(nil), (*pgconn.ConnectError)(nil), (*net.OpError)(nil), (*url.Error)(nil)} {
		require.Equal(t, errs.Internal, translate(t, c, null).Kind(), "%T", null)
		require.NotEmpty(t, logged(c.Translate(null)))
	}
}

func TestWhatDriversSayWithoutTheServer(t *testing.T) {
	t.Parallel()
	reset := &net.OpError{Op: "read", Net: "tcp", Err: os.NewSyscallError("read", syscall.ECONNRESET)}
	for _, test := range []struct {
		name string
		err  error
		kind errs.Kind
	}{
		{"closed", pgconn.ErrConnClosed, errs.Unavailable},
		{"database/sql: closed", sql.ErrConnDone, errs.Unavailable},
		{"database/sql: bad connection", driver.ErrBadConn, errs.Unavailable},
		{"end of file", io.EOF, errs.Unavailable},
		{"in a message", io.ErrUnexpectedEOF, errs.Unavailable},
		{"reset", reset, errs.Unavailable},
		{"no such host", &net.DNSError{Err: "no such host", Name: "db"}, errs.Unavailable},
		{"socket closed", net.ErrClosed, errs.Unavailable},
		{"out of time", &net.OpError{Op: "dial", Err: context.DeadlineExceeded}, errs.Timeout},
		{"given up", &net.OpError{Op: "dial", Err: context.Canceled}, errs.Canceled},
		{"a call to another service", &url.Error{Op: "Post", URL: "http://secret", Err: reset}, errs.Internal},
		{"which took too long", &url.Error{Op: "Post", URL: "http://secret", Err: context.DeadlineExceeded}, errs.Timeout},

		{"transaction is over", pgx.ErrTxClosed, errs.Internal},
		{"swallowed error", pgx.ErrTxCommitRollback, errs.Internal},
		{"database/sql: transaction is over", sql.ErrTxDone, errs.Internal},
		{"too many rows", pgx.ErrTooManyRows, errs.Internal},
		{"scan", pgx.ScanArgError{ColumnIndex: 1, Err: io.EOF}, errs.Internal},
		{"connection string", pgconn.NewParseConfigError("secret", "secret", io.EOF), errs.Internal},

		{"statement_timeout", &pgconn.PgError{Code: "57014"}, errs.Timeout},
		{"canceled by us", errors.Join(&pgconn.PgError{Code: "57014"}, context.Canceled), errs.Canceled},
		{"out of time by us", errors.Join(&pgconn.PgError{Code: "57014"}, context.DeadlineExceeded), errs.Timeout},

		{"unknown outcome behind its reason", errors.Join(&pgconn.PgError{Code: "40001"}, &txn.OutcomeUnknownError{Err: reset}), errs.OutcomeUnknown},
		{"unknown outcome around it", &txn.OutcomeUnknownError{Err: &pgconn.PgError{Code: "23505"}}, errs.OutcomeUnknown},
		{"committed, joined to what may come again", errors.Join(reset, &txn.CommittedError{Err: reset}), errs.Internal},
		{"the same by SQLSTATE", errors.Join(reset, &pgconn.PgError{Code: "XXA00"}), errs.Internal},
		{"conflict, joined to its rollback's", errors.Join(&pgconn.PgError{Code: "40001"}, pgx.ErrTxClosed), errs.Contention},
	} {
		for _, err := range []error{test.err, fmt.Errorf("wrapped: %w", test.err), errors.Join(test.err)} {
			e := translate(t, nil, err)
			require.Equal(t, test.kind, e.Kind(), test.name)
			require.Equal(t, test.kind.Resend(), e.RetryAfter() > 0, test.name)
		}
	}
}

// Connections that cannot be established.
func TestConnectErrors(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *dbtest.DB) {
		_, err := pgx.Connect(t.Context(), "postgres://secret:secret@127.0.0.1:1/secret?sslmode=disable")
		require.Equal(t, errs.Unavailable, translate(t, nil, err).Kind(), "%v", err)

		config := db.Config().ConnConfig.Copy()
		config.Database = "secret_missing"
		_, err = pgx.ConnectConfig(t.Context(), config)
		if !db.Cockroach() { // which finds out at the first statement
			require.ErrorAs(t, err, new(*pgconn.ConnectError))
			require.Equal(t, errs.Internal, translate(t, nil, err).Kind(), "%v", err)
			require.NotContains(t, logged(nilCatalog.Translate(err)), "secret")
		}

		canceled, cancel := context.WithCancel(t.Context())
		cancel()
		_, err = pgx.ConnectConfig(canceled, config)
		require.Equal(t, errs.Canceled, translate(t, nil, err).Kind(), "%v", err)
		late, cancel := context.WithTimeout(t.Context(), 0)
		defer cancel()
		_, err = pgx.ConnectConfig(late, config)
		require.Equal(t, errs.Timeout, translate(t, nil, err).Kind(), "%v", err)
	})
}

var nilCatalog *errs.Catalog

// Errors of a working pgx without a SQLSTATE.
func TestErrorsOfPgxItself(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *dbtest.DB) {
		conn, err := pgx.ConnectConfig(t.Context(), db.Config().ConnConfig)
		require.NoError(t, err)

		_, encode := conn.Exec(t.Context(), "select $1::int4", int64(1099511627776))
		require.Equal(t, errs.Invalid, translate(t, nil, encode).Kind(), "%v", encode)
		require.Contains(t, encode.Error(), "1099511627776")
		require.NotContains(t, logged(nilCatalog.Translate(encode)), "1099511627776")
		require.Contains(t, logged(nilCatalog.Translate(encode)), "failed to encode args[0]")
		require.Contains(t, logged(nilCatalog.Translate(encode)), "into binary format for int4")
		require.Contains(t, logged(nilCatalog.WithValues().Translate(encode)), "1099511627776")

		var n int16
		scan := conn.QueryRow(t.Context(), "select 70000").Scan(&n)
		require.Equal(t, errs.Internal, translate(t, nil, scan).Kind(), "%v", scan)
		require.Contains(t, logged(nilCatalog.Translate(scan)), "pgx.ScanArgError (column 0 ?column?)", "%v", scan)

		canceled, cancel := context.WithCancel(t.Context())
		cancel()
		_, err = conn.Exec(canceled, "select 1")
		require.Equal(t, errs.Canceled, translate(t, nil, err).Kind(), "%v", err)

		require.NoError(t, conn.Close(t.Context()))
		_, err = conn.Exec(t.Context(), "select 1")
		require.Equal(t, errs.Unavailable, translate(t, nil, err).Kind(), "%v", err)
	})
}
