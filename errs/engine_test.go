package errs_test

import (
	"context"
	"encoding/json"
	"fmt"
	"sync"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/rowkeeper/rowkeeper/errs"
	"github.com/rowkeeper/rowkeeper/internal/devdb/dbtest"
	"github.com/rowkeeper/rowkeeper/txn"
)

var shop = errs.NewCatalog(
	errs.Constraint("customers_email_key").Code("email_taken").Field("/email").Message("This e-mail address is already registered."),
	errs.Constraint("customers_credit_check").Code("no_credit").Field("/credit"),
	errs.Constraint("orders_customer_fkey").On("orders").
		Missing("unknown_customer", "/customer_id", "There is no such customer.").
		InUse("customer_has_orders", "The customer still has orders."),
	errs.PrimaryKey("order_lines", "order_id", "line").Code("line_exists"),
	errs.SQLState("OW001").Kind(errs.Forbidden).Code("account_closed").Field("/account").Message("This account is closed."),
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
	create table order_lines (order_id bigint, line bigint, primary key (order_id, line));
	create table "we""ird" (id bigint primary key, p bigint constraint "odd""fk" references customers (id));
	insert into order_lines values (1, 1);
	insert into customers (id, email) values (1, 'canary@example');
	insert into orders values (1, 1)`

func TestBothEnginesSayTheSame(t *testing.T) {
	var bodies sync.Map // by test
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
			{"primary key without rule", "insert into customers (id, email) values (1, 'canary2')", nil,
				errs.AlreadyExists, "already_exists", "", "An item with this value already exists."},
			{"primary key of two columns", "insert into order_lines values (1, 1)", nil,
				errs.AlreadyExists, "line_exists", "", "An item with this value already exists."},
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
			{"wrong format in an argument", "select id from customers where id = $1", []any{"canary"},
				errs.Malformed, "malformed", "", "A value has the wrong format."},
			{"foreign key with quotes in its name", "insert into \"we\"\"ird\" values (1, 4711)", nil,
				errs.Conflict, "conflict", "", "The request conflicts with related data."},
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
				body, err := json.Marshal(e)
				require.NoError(t, err)
				require.NotContains(t, string(body), "canary")
				if other, done := bodies.LoadOrStore(test.name, string(body)); done {
					require.Equal(t, other, string(body), "the other engine said so")
				}
			})
		}
	})
}

func TestDeferredConstraintsAtCommit(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *dbtest.DB) {
		if db.Cockroach() {
			t.Skip("CockroachDB has no deferred constraints")
		}
		_, err := db.Exec(t.Context(), `create table p (id bigint primary key);
			create table c (p bigint constraint c_p_fkey references p deferrable initially deferred,
				u bigint constraint c_u_key unique deferrable initially deferred)`)
		require.NoError(t, err)
		c := errs.NewCatalog(errs.Constraint("c_p_fkey").Missing("no_p", "/p", ""), errs.Constraint("c_u_key").Code("u_taken").Field("/u"))
		for want, sql := range map[string]string{"no_p": "insert into c (p) values (1)", "u_taken": "insert into c (u) values (1), (1)"} {
			err = txn.Run(t.Context(), db, func(ctx context.Context, tx *txn.Tx) error {
				_, err := tx.Exec(ctx, sql)
				return err
			})
			require.Equal(t, want, translate(t, c, err).Code())
			err = pgx.BeginFunc(t.Context(), db, func(tx pgx.Tx) error {
				_, err := tx.Exec(t.Context(), sql)
				return err
			})
			require.Equal(t, want, translate(t, c, err).Code())
		}
	})
}

func TestRaise(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *dbtest.DB) {
		raise := "do $$ begin raise exception 'canary' using errcode = 'OW001', detail = 'canary'; end $$"
		if db.Cockroach() {
			raise = "select crdb_internal.force_error('OW001', 'canary')" // which has DO since 24.1
		}
		_, err := db.Exec(t.Context(), raise)
		e := translate(t, shop, err)
		require.Equal(t, errs.Forbidden, e.Kind())
		require.Equal(t, "account_closed", e.Code())
		require.Equal(t, "/account", e.Field())
		require.Equal(t, "This account is closed.", e.Error())
		require.NotContains(t, logged(e), "canary")
		require.Equal(t, errs.Internal, translate(t, nil, err).Kind())
	})
}

// Violations that only PostgreSQL has.
func TestPostgreSQL(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *dbtest.DB) {
		if db.Cockroach() {
			t.Skip("CockroachDB has none of these")
		}
		_, err := db.Exec(t.Context(), `
			create domain email as text not null constraint email_at check (value like '%@%');
			create table people (id bigint primary key, email email);
			create table rooms (during int4range, constraint rooms_free exclude using gist (during with &&));
			insert into rooms values ('[1,5)');
			create table parts (id bigint) partition by range (id);
			create view few as select * from people where id < 10 with check option`)
		require.NoError(t, err)
		c := errs.NewCatalog(
			errs.DomainNotNull("email").Code("email_required").Field("/email"),
			errs.Constraint("email_at").Code("email_format").Field("/email"),
			errs.Constraint("rooms_free").Code("booked").Field("/during"),
		)
		for _, test := range []struct {
			sql, code string
			kind      errs.Kind
		}{
			{"insert into people values (1, null)", "email_required", errs.Required},
			{"insert into people values (1, 'canary')", "email_format", errs.Invalid},
			{"insert into rooms values ('[2,3)')", "booked", errs.Conflict},
			{"insert into parts values (1)", "internal", errs.Internal},
			{"insert into few values (11, 'a@b')", "invalid", errs.Invalid},
			{"select E'\\xff'", "invalid_characters", errs.Malformed},
			{"select 'x' ~ '('", "invalid_pattern", errs.Malformed},
			{"select 1 limit -1", "invalid_page", errs.Malformed},
			{"set local statement_timeout = 1; select pg_sleep(10)", "timeout", errs.Timeout},
			{"begin read only; create table x ()", "unavailable", errs.Unavailable},
		} {
			_, err := db.Exec(t.Context(), test.sql)
			require.Error(t, err, test.sql)
			e := translate(t, c, err)
			require.Equal(t, test.kind, e.Kind(), "%s: %v", test.sql, err)
			require.Equal(t, test.code, e.Code(), test.sql)
		}
	})
}

func TestRowSecurityIsForbiddenAndAMissingGrantIsOurs(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *dbtest.DB) {
		if db.Cockroach() {
			t.Skip("CockroachDB has row-level security since 25.2")
		}
		role := db.Schema + "_role"
		_, err := db.Exec(t.Context(), fmt.Sprintf(`create role %[1]s; grant usage on schema %[2]s to %[1]s;
			create table notes (owner text); create table secrets (x text); grant insert on notes to %[1]s;
			alter table notes enable row level security; create policy mine on notes with check (owner = current_user)`, role, db.Schema))
		require.NoError(t, err)
		defer func() {
			_, err := db.Exec(context.Background(), fmt.Sprintf("drop owned by %[1]s; drop role %[1]s", role))
			require.NoError(t, err)
		}()
		for sql, want := range map[string]errs.Kind{"insert into notes values ('other')": errs.Forbidden, "insert into secrets values ('x')": errs.Internal} {
			err := pgx.BeginFunc(t.Context(), db, func(tx pgx.Tx) error {
				_, err := tx.Exec(t.Context(), "set local role "+role)
				require.NoError(t, err)
				_, err = tx.Exec(t.Context(), sql)
				return err
			})
			require.Equal(t, want, translate(t, nil, err).Kind(), "%v", err)
		}
	})
}
