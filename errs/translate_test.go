package errs_test

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/stretchr/testify/require"

	"github.com/rowkeeper/rowkeeper/errs"
	"github.com/rowkeeper/rowkeeper/internal/devdb/dbtest"
	"github.com/rowkeeper/rowkeeper/txn"
)

func translate(t *testing.T, c *errs.Catalog, err error) *errs.Error {
	t.Helper()
	var e *errs.Error
	require.ErrorAs(t, c.Translate(err), &e)
	return e
}

var shop = errs.NewCatalog(
	errs.Constraint("customers_email_key").Code("email_taken").Field("/email").Message("This e-mail address is already registered."),
	errs.Constraint("customers_credit_check").Code("no_credit").Field("/credit"),
	errs.Constraint("orders_customer_fkey").On("orders").
		Missing("unknown_customer", "/customer_id", "There is no such customer.").
		InUse("customer_has_orders", "The customer still has orders."),
	errs.NotNull("customers", "email").Code("email_required").Field("/email").Message("Please give an e-mail address."),
)

const shopSchema = `
	create table customers (
		id bigint primary key,
		email varchar(20) not null,
		internal_note text not null default '',
		credit bigint not null default 0,
		small smallint,
		constraint customers_email_key unique (email),
		constraint customers_credit_check check (credit >= 0)
	);
	create table orders (
		id bigint primary key,
		customer_id bigint not null,
		constraint orders_customer_fkey foreign key (customer_id) references customers (id)
	);
	insert into customers (id, email) values (1, 'canary@example');
	insert into orders values (1, 1)`

func TestBothEnginesSayTheSame(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *dbtest.DB) {
		_, err := db.Exec(t.Context(), shopSchema)
		require.NoError(t, err)
		for _, test := range []struct {
			name, sql string
			args      []any
			kind      errs.Kind
			code      string
			field     string
			text      string
		}{
			{"unique with rule", "insert into customers (id, email) values (2, 'canary@example')", nil,
				errs.AlreadyExists, "email_taken", "/email", "This e-mail address is already registered."},
			{"unique without rule", "insert into customers (id, email) values (1, 'canary2')", nil,
				errs.AlreadyExists, "already_exists", "", "An item with this value already exists."},
			{"check with rule but no text", "update customers set credit = -77", nil,
				errs.Invalid, "no_credit", "/credit", "A value is not allowed."},
			{"foreign key, child", "insert into orders values (2, 4711)", nil,
				errs.ReferenceNotFound, "unknown_customer", "/customer_id", "There is no such customer."},
			{"foreign key, child moved", "update orders set customer_id = 4711", nil,
				errs.ReferenceNotFound, "unknown_customer", "/customer_id", "There is no such customer."},
			{"foreign key, parent deleted", "delete from customers where id = 1", nil,
				errs.StillReferenced, "customer_has_orders", "", "The customer still has orders."},
			{"foreign key, parent moved", "update customers set id = 9 where id = 1", nil,
				errs.StillReferenced, "customer_has_orders", "", "The customer still has orders."},
			{"not null with rule", "insert into customers (id, email) values (2, null)", nil,
				errs.Required, "email_required", "/email", "Please give an e-mail address."},
			{"not null that no client sends", "insert into customers (id, email, internal_note) values (2, 'x', null)", nil,
				errs.Internal, "internal", "", "Internal error."},
			{"too long", "insert into customers (id, email) values (2, '0123456789canary0123456789')", nil,
				errs.Invalid, "too_long", "", "A value is too long."},
			{"out of range", "update customers set small = 70000", nil,
				errs.Invalid, "out_of_range", "", "A number is out of range."},
			{"wrong format", "select 'canary'::uuid", nil,
				errs.Malformed, "malformed", "", "A value has the wrong format."},
			{"bad date", "select '2020-13-45'::date", nil,
				errs.Invalid, "invalid_datetime", "", "A date or time is not valid."},
			{"our own arithmetic", "select 1/(id - id) from customers", nil,
				errs.Internal, "internal", "", "Internal error."},
			{"our own SQL", "selec canary", nil,
				errs.Internal, "internal", "", "Internal error."},
			{"no row", "", nil, errs.NotFound, "not_found", "", "Not found."},
		} {
			t.Run(test.name, func(t *testing.T) {
				var err error
				if test.sql == "" {
					err = db.QueryRow(t.Context(), "select 1 where false").Scan(new(int))
				} else {
					_, err = db.Exec(t.Context(), test.sql, test.args...)
				}
				require.Error(t, err)
				e := translate(t, shop, fmt.Errorf("handler: %w", err))
				require.Equal(t, test.kind, e.Kind(), "%v", err)
				require.Equal(t, test.code, e.Code())
				require.Equal(t, test.field, e.Field())
				require.Equal(t, test.text, e.Error())
				require.ErrorIs(t, e, err, "the cause is there for logs")
				require.ErrorIs(t, e, test.kind)
			})
		}
	})
}

func TestDeferredConstraintAtCommit(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *dbtest.DB) {
		if db.Cockroach() {
			t.Skip("CockroachDB has no deferred constraints")
		}
		_, err := db.Exec(t.Context(), `create table p (id bigint primary key);
			create table c (p bigint constraint c_p_fkey references p deferrable initially deferred)`)
		require.NoError(t, err)
		err = txn.Run(t.Context(), db, func(ctx context.Context, tx *txn.Tx) error {
			_, err := tx.Exec(ctx, "insert into c values (1)")
			return err
		})
		require.Equal(t, errs.ReferenceNotFound, translate(t, nil, err).Kind())
	})
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
		{"too many rows", pgx.ErrTooManyRows, errs.Internal},
		{"deadline", context.DeadlineExceeded, errs.Timeout},
		{"canceled", context.Canceled, errs.Canceled},
		{"body too large", &http.MaxBytesError{Limit: 1}, errs.TooLarge},
		{"anything", io.ErrUnexpectedEOF, errs.Internal},
		{"nil pointer", (*errs.Error)(nil), errs.Internal},
		{"another nil pointer", (*pgconn.PgError)(nil), errs.Internal},

		{"a kind", errs.TooManyRequests, errs.TooManyRequests},
		{"a type with a kind", stale{}, errs.Stale},
		{"mine", mine, errs.Invalid},
		{"txn: exhausted", &txn.ExhaustedError{Err: conflict}, errs.Contention},
		{"txn: unknown", &txn.OutcomeUnknownError{Err: conflict}, errs.OutcomeUnknown},
		{"txn: committed", &txn.CommittedError{Err: conflict}, errs.Internal},

		{"the outermost wins", fmt.Errorf("%w", &txn.OutcomeUnknownError{Err: mine}), errs.OutcomeUnknown},
		{"the first of several", errors.Join(io.EOF, mine, conflict), errs.Invalid},
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
	require.Zero(t, translate(t, nil, io.EOF).RetryAfter())
}

func TestRetryAfterOfTheErrorItself(t *testing.T) {
	t.Parallel()
	e := translate(t, shop, fmt.Errorf("transfer: %w", &txn.BusyError{Ahead: 5, Wait: 3 * time.Second}))
	require.Equal(t, errs.Contention, e.Kind())
	require.Equal(t, 3*time.Second, e.RetryAfter())
	require.Equal(t, errs.Contention.Error(), e.Error())
}

// A canary in every field of a database error shows in no public part.
func TestNothingOfTheDatabaseIsPublic(t *testing.T) {
	t.Parallel()
	const canary = "canary-4711"
	codes := []string{"22001", "22003", "22P02", "23502", "23503", "23505", "23514", "23P01", "40001", "40003", "42601", "57014", "XX000"}
	for _, code := range codes {
		err := &pgconn.PgError{
			Severity: canary, SeverityUnlocalized: canary, Code: code,
			Message: `insert on table "` + canary + `" violates foreign key constraint "` + canary + `"`,
			Detail:  canary, Hint: canary, InternalQuery: canary, Where: canary, SchemaName: canary, TableName: canary,
			ColumnName: canary, DataTypeName: canary, ConstraintName: canary, File: canary, Routine: canary,
		}
		e := translate(t, shop, err)
		body, jsonErr := json.Marshal(e)
		require.NoError(t, jsonErr)
		for _, public := range []string{e.Error(), e.Code(), e.Field(), string(body), fmt.Sprintf("%v", e), fmt.Sprintf("%s", e)} {
			require.NotContains(t, public, canary, code)
		}
	}
}
