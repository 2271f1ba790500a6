package errs_test

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/stretchr/testify/require"

	"github.com/rowkeeper/rowkeeper/errs"
	"github.com/rowkeeper/rowkeeper/internal/devdb/dbtest"
	"github.com/rowkeeper/rowkeeper/txn"
)

// Values of a client in a language of their own are the client's fault; text that the
// service wrote is not, though some errors have the same SQLSTATE.
func TestValuesOfClients(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *dbtest.DB) {
		if db.Cockroach() {
			t.Skip("the version that is tested has none of these types")
		}
		_, err := db.Exec(t.Context(), "create extension if not exists ltree")
		hasTree := err == nil
		_, err = db.Exec(t.Context(), `create table bits (v bit(4));
			create function refuse(who text) returns int language plpgsql as $$ begin raise exception 'not for %', who using errcode = '42501'; end $$`)
		require.NoError(t, err)
		for _, test := range []struct {
			sql, value string
			kind       errs.Kind
			code       string
		}{
			{"select to_tsquery($1::text)", "fat &", errs.Malformed, "invalid_expression"},
			{"select $1::text::tsquery", "& canary", errs.Malformed, "invalid_expression"},
			{"select $1::text::tsvector", "'canary", errs.Malformed, "invalid_expression"},
			{"select $1::text::jsonpath", "$.canary[", errs.Malformed, "invalid_expression"},
			{"select $1::text::jsonpath", "canary canary", errs.Malformed, "invalid_expression"},
			{"select jsonb_path_query('{}', $1::text::jsonpath)", "$ ? (@.a like_regex \"(\")", errs.Malformed, "invalid_pattern"},
			{"select $1::text::ltree", "canary..b", errs.Malformed, "invalid_expression"},
			{"select $1::text::lquery", "canary{", errs.Malformed, "invalid_expression"},
			{"select $1::text::int4range", "[5,1]", errs.Invalid, "invalid_range"},
			{"select int4range($1::text::int4, 1)", "5", errs.Invalid, "invalid_range"},
			{"select $1::text::int4multirange", "{[5,1]}", errs.Invalid, "invalid_range"},
			{"select $1::text::daterange", "[canary", errs.Malformed, "malformed"},
			{"select $1::text::xml", "<canary", errs.Malformed, "invalid_xml"},
			{"select xmlparse(document $1::text)", "canary", errs.Malformed, "invalid_xml"},
			{"select xmlcomment($1::text)", "canary--", errs.Malformed, "invalid_xml"},
			{"insert into bits values ($1)", "10101", errs.Invalid, "wrong_length"},
			{"select $1::text::interval", "9999999999999999999 years", errs.Invalid, "invalid_datetime"},
			{"select $1::text::interval", "canary", errs.Malformed, "invalid_datetime"},
			{"select 'canary' like $1::text", `canar\`, errs.Malformed, "invalid_pattern"},
			{"select 'a' similar to $1::text", `(`, errs.Malformed, "invalid_pattern"},

			{"select $1::text frm x", "canary", errs.Internal, "internal"},
			{"select $1::text::regclass", "canary", errs.Internal, "internal"},
			{"select $1::text::regtype", "canary", errs.Internal, "internal"},
			{"select $1::text::regproc", "canary", errs.Internal, "internal"},
			{"select $1::text::regrole", "canary", errs.Internal, "internal"},
			{"select nextval($1::text)", "canary", errs.Internal, "internal"},
			{"select to_tsvector($1::text::regconfig, 'x')", "canary", errs.Internal, "internal"},
			{"select current_setting($1::text)", "canary", errs.Internal, "internal"},
			{"select has_table_privilege($1::text, 'bits', 'select')", "canary", errs.Internal, "internal"},
			{"select refuse($1::text)", "canary", errs.Internal, "internal"},
			{"select $1::text, 1 as", "", errs.Internal, "internal"},
			{"select max(max($1::text))", "", errs.Internal, "internal"},
		} {
			if !hasTree && (test.sql == "select $1::text::ltree" || test.sql == "select $1::text::lquery") {
				continue
			}
			c := errs.NewCatalog(errs.SQLState("42601").Kind(errs.Conflict).Code("ruled"))
			for _, mode := range []pgx.QueryExecMode{pgx.QueryExecModeCacheStatement, pgx.QueryExecModeExec, pgx.QueryExecModeSimpleProtocol} {
				_, err = db.Exec(t.Context(), test.sql, mode, test.value)
				var pe *pgconn.PgError
				require.ErrorAs(t, err, &pe, test.sql)
				if pe.Code == "0A000" && test.code == "invalid_xml" {
					continue // built without XML
				}
				e := translate(t, nil, err)
				require.Equal(t, test.code, e.Code(), "%s %q: %s %s of %s in %s", test.sql, test.value, pe.Code, pe.Message, pe.Routine, pe.File)
				require.Equal(t, test.kind, e.Kind(), test.sql)
				require.NotContains(t, logged(e), "canary", test.sql) // in simple protocol it is part of the SQL
				if want := "ruled"; pe.Code == "42601" {
					if test.kind == errs.Internal {
						want = "internal"
					}
					require.Equal(t, want, translate(t, c, err).Code(), test.sql)
				}
			}
		}
	})
}

// Schema changes between two runs of a statement are resolved by the next one.
func TestPlansOfAnotherSchema(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *dbtest.DB) {
		conn, err := db.Acquire(t.Context())
		require.NoError(t, err)
		defer conn.Release()
		_, err = conn.Exec(t.Context(), "create table t (a int8)")
		require.NoError(t, err)
		_, err = conn.Conn().Prepare(t.Context(), "all", "select * from t")
		require.NoError(t, err)
		_, err = conn.Exec(t.Context(), "all")
		require.NoError(t, err)
		_, err = db.Exec(t.Context(), "alter table t add column b int8")
		require.NoError(t, err)
		_, err = conn.Exec(t.Context(), "all")
		require.ErrorContains(t, err, "0A000")
		e := translate(t, nil, err)
		require.Equal(t, errs.Unavailable, e.Kind(), "%v", err)
		require.Positive(t, e.RetryAfter())
		require.Equal(t, errs.Internal, translate(t, nil, &pgconn.PgError{Code: "0A000", Message: "x"}).Kind())
	})
}

func TestClosedPools(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *dbtest.DB) {
		pool, err := pgxpool.NewWithConfig(t.Context(), db.Config())
		require.NoError(t, err)
		pool.Close()
		_, exec := pool.Exec(t.Context(), "select 1")
		_, begin := pool.Begin(t.Context())
		run := txn.Run(t.Context(), pool, func(ctx context.Context, tx *txn.Tx) error {
			_, err := tx.Exec(ctx, "select 1")
			return err
		})
		std := stdlib.OpenDB(*db.Config().ConnConfig)
		require.NoError(t, std.Close())
		_, stdExec := std.ExecContext(t.Context(), "select 1")
		for _, err := range []error{exec, begin, run, stdExec, fmt.Errorf("x: %w", exec)} {
			require.Error(t, err)
			require.Equal(t, errs.Unavailable, translate(t, nil, err).Kind(), "%v", err)
		}
	})
	require.Equal(t, errs.Internal, translate(t, nil, errors.New("the pool of the garden is a closed pool")).Kind())
}

// Errors of the application's own triggers are told apart by their hint, or by the
// name of a constraint, which RAISE can give.
func TestRaiseWithHintOrConstraint(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *dbtest.DB) {
		if db.Cockroach() {
			t.Skip("CockroachDB has DO since 24.1")
		}
		c := errs.NewCatalog(
			errs.SQLState("P0001").Kind(errs.Conflict).Code("refused"),
			errs.SQLState("P0001").Hint("account_closed").Kind(errs.Forbidden).Code("account_closed"),
			errs.SQLState("P0001").Hint("limit").Kind(errs.Conflict).Code("limit_reached"),
			errs.Constraint("orders_stock").Code("out_of_stock").Field("/count"),
			errs.Constraint("orders_open").Kind(errs.Forbidden).Code("order_closed"),
			errs.Constraint("orders_customer_fkey").On("orders").Missing("unknown_customer", "/customer_id", ""),
			errs.Constraint("orders_item_fkey").InUse("item_in_use", ""),
			errs.Constraint("orders_both_fkey").Missing("both_missing", "", "").InUse("both_in_use", ""),
		)
		for _, test := range []struct {
			using, code string
			kind        errs.Kind
		}{
			{"", "refused", errs.Conflict},
			{"hint = 'something else'", "refused", errs.Conflict},
			{"hint = 'account_closed'", "account_closed", errs.Forbidden},
			{"hint = 'limit', constraint = 'orders_stock'", "limit_reached", errs.Conflict},
			{"constraint = 'orders_stock'", "out_of_stock", errs.Invalid},
			{"constraint = 'orders_open', hint = 'canary'", "order_closed", errs.Forbidden},
			{"constraint = 'nobody'", "refused", errs.Conflict},
			{"errcode = 'OW009', constraint = 'orders_stock'", "out_of_stock", errs.Invalid},
			{"errcode = '23503', constraint = 'orders_customer_fkey', table = 'orders'", "unknown_customer", errs.ReferenceNotFound},
			{"errcode = '23503', constraint = 'orders_item_fkey'", "item_in_use", errs.StillReferenced},
			{"errcode = '23503', constraint = 'orders_both_fkey'", "conflict", errs.Conflict},
			{"errcode = '40001', constraint = 'orders_stock'", "contention", errs.Contention},
		} {
			if test.using != "" {
				test.using = " using " + test.using
			}
			_, err := db.Exec(t.Context(), "do $$ begin raise exception 'canary'"+test.using+"; end $$")
			require.Error(t, err)
			e := translate(t, c, err)
			require.Equal(t, test.code, e.Code(), test.using)
			require.Equal(t, test.kind, e.Kind(), test.using)
			require.NotContains(t, logged(e), "canary")
		}
	})
	require.PanicsWithValue(t, "errs.NewCatalog:\n\tSQLState(\"P0001\"): Hint is for SQLState, and not empty\n\tConstraint(\"x\"): Hint is for SQLState, and not empty\n\tSQLState(\"P0001\").Hint(\"a\"): it is there twice", func() {
		errs.NewCatalog(errs.SQLState("P0001").Hint("").Kind(errs.Conflict).Code("x"), errs.Constraint("x").Hint("a").Code("x"),
			errs.SQLState("P0001").Hint("a").Kind(errs.Conflict).Code("x"), errs.SQLState("P0001").Hint("a").Kind(errs.Conflict).Code("x"))
	})
}
