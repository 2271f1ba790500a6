// Package drivers tests that errs gives the same result for every driver.
package drivers

import (
	"context"
	"database/sql"
	"encoding/json"
	"net/url"
	"testing"

	pgx4 "github.com/jackc/pgx/v4"
	pgx5 "github.com/jackc/pgx/v5"
	_ "github.com/jackc/pgx/v5/stdlib"
	_ "github.com/lib/pq"
	"github.com/stretchr/testify/require"

	"github.com/rowkeeper/rowkeeper/errs"
	"github.com/rowkeeper/rowkeeper/internal/devdb/dbtest"
)

func TestMain(m *testing.M) { dbtest.Main(m) }

// conn is one connection of a driver.
type conn interface {
	exec(ctx context.Context, sql string) error
	scan(ctx context.Context, sql string) error   // the first row, which is an int8
	commit(ctx context.Context, sql string) error // the error of COMMIT
}

var drivers = map[string]func(t *testing.T, url string) conn{
	"pgx v5": func(t *testing.T, url string) conn {
		c, err := pgx5.Connect(t.Context(), url)
		require.NoError(t, err)
		t.Cleanup(func() { _ = c.Close(context.Background()) })
		return native5{t, c}
	},
	"pgx v4": func(t *testing.T, url string) conn {
		c, err := pgx4.Connect(t.Context(), url)
		require.NoError(t, err)
		t.Cleanup(func() { _ = c.Close(context.Background()) })
		return native4{t, c}
	},
	"pgx v5 through database/sql": func(t *testing.T, url string) conn { return openSQL(t, "pgx", url) },
	"lib/pq":                      func(t *testing.T, url string) conn { return openSQL(t, "postgres", url) },
}

type native5 struct {
	t *testing.T
	c *pgx5.Conn
}

func (n native5) exec(ctx context.Context, sql string) error {
	_, err := n.c.Exec(ctx, sql)
	return err
}

func (n native5) scan(ctx context.Context, sql string) error {
	var v int64
	return n.c.QueryRow(ctx, sql).Scan(&v)
}

func (n native5) commit(ctx context.Context, sql string) error {
	tx, err := n.c.Begin(ctx)
	require.NoError(n.t, err)
	_, err = tx.Exec(ctx, sql)
	require.NoError(n.t, err)
	return tx.Commit(ctx)
}

type native4 struct {
	t *testing.T
	c *pgx4.Conn
}

func (n native4) exec(ctx context.Context, sql string) error {
	_, err := n.c.Exec(ctx, sql)
	return err
}

func (n native4) scan(ctx context.Context, sql string) error {
	var v int64
	return n.c.QueryRow(ctx, sql).Scan(&v)
}

func (n native4) commit(ctx context.Context, sql string) error {
	tx, err := n.c.Begin(ctx)
	require.NoError(n.t, err)
	_, err = tx.Exec(ctx, sql)
	require.NoError(n.t, err)
	return tx.Commit(ctx)
}

type databaseSQL struct {
	t *testing.T
	c *sql.Conn
}

func openSQL(t *testing.T, driver, url string) conn {
	db, err := sql.Open(driver, url)
	require.NoError(t, err)
	c, err := db.Conn(t.Context())
	require.NoError(t, err)
	t.Cleanup(func() { _ = c.Close(); _ = db.Close() })
	return databaseSQL{t, c}
}

func (d databaseSQL) exec(ctx context.Context, sql string) error {
	_, err := d.c.ExecContext(ctx, sql)
	return err
}

func (d databaseSQL) scan(ctx context.Context, sql string) error {
	var v int64
	return d.c.QueryRowContext(ctx, sql).Scan(&v)
}

func (d databaseSQL) commit(ctx context.Context, sql string) error {
	tx, err := d.c.BeginTx(ctx, nil)
	require.NoError(d.t, err)
	_, err = tx.ExecContext(ctx, sql)
	require.NoError(d.t, err)
	return tx.Commit()
}

var catalog = errs.NewCatalog(
	errs.Constraint("people_email_key").Code("email_taken").Field("/email").Message("This e-mail address is already registered."),
	errs.Constraint("people_age_check").Code("too_young").Field("/age"),
	errs.Constraint("people_parent_fk").Missing("unknown_parent", "/parent", "").InUse("has_children", ""),
	errs.Constraint("rooms_during_excl").Code("booked").Field("/during"),
	errs.Constraint("later_parent_fk").Missing("unknown_later", "/later", ""),
	errs.NotNull("people", "name").Code("name_required").Field("/name"),
)

const schema = `
	create table people (
		id     int8 primary key,
		name   varchar(8) not null,
		email  text,
		age    int2,
		parent int8,
		constraint people_email_key unique (email),
		constraint people_age_check check (age > 17),
		constraint people_parent_fk foreign key (parent) references people (id)
	);
	insert into people values (1, 'Ann', 'ann@example.com', 18, null), (2, 'Bob', null, 18, 1)`

// Objects that CockroachDB does not have.
const postgresSchema = `
	create table rooms (during int4range, constraint rooms_during_excl exclude using gist (during with &&));
	insert into rooms values ('[1,5)');
	create table later (parent int8, constraint later_parent_fk foreign key (parent) references people (id) deferrable initially deferred)`

func TestEveryDriverGivesTheSameBody(t *testing.T) {
	exec := func(sql string) func(context.Context, conn) error {
		return func(ctx context.Context, c conn) error { return c.exec(ctx, sql) }
	}
	dbtest.Each(t, func(t *testing.T, db *dbtest.DB) {
		_, err := db.Exec(t.Context(), schema)
		require.NoError(t, err)
		if !db.Cockroach() {
			_, err := db.Exec(t.Context(), postgresSchema)
			require.NoError(t, err)
		}
		u, err := url.Parse(db.URL)
		require.NoError(t, err)
		q := u.Query()
		q.Set("search_path", db.Schema)
		u.RawQuery = q.Encode()

		for _, test := range []struct {
			name         string
			postgresOnly bool
			do           func(context.Context, conn) error
			status       int
			code         string
			pointer      string
		}{
			{"unique", false, exec("insert into people values (3, 'Cy', 'ann@example.com', 18, null)"), 409, "email_taken", "/email"},
			{"primary key", false, exec("insert into people values (1, 'Cy', null, 18, null)"), 409, "already_exists", ""},
			{"foreign key, child", false, exec("insert into people values (3, 'Cy', null, 18, 4711)"), 422, "unknown_parent", "/parent"},
			{"foreign key, parent", false, exec("delete from people where id = 1"), 409, "has_children", ""},
			{"not null", false, exec("insert into people values (3, null, null, 18, null)"), 422, "name_required", "/name"},
			{"check", false, exec("insert into people values (3, 'Cy', null, 17, null)"), 422, "too_young", "/age"},
			{"exclusion", true, exec("insert into rooms values ('[4,6)')"), 409, "booked", "/during"},
			{"deferred", true, func(ctx context.Context, c conn) error { return c.commit(ctx, "insert into later values (4711)") }, 422, "unknown_later", "/later"},
			{"too long", false, exec("insert into people values (3, 'Bartholomew', null, 18, null)"), 422, "too_long", ""},
			{"out of range", false, exec("insert into people values (3, 'Cy', null, 70000, null)"), 422, "out_of_range", ""},
			{"format", false, exec("select 'no uuid'::uuid"), 400, "malformed", ""},
			{"no rows", false, func(ctx context.Context, c conn) error { return c.scan(ctx, "select id from people where id = 4711") }, 404, "not_found", ""},
			{"wrong SQL", false, exec("select nothing from people"), 500, "internal", ""},
			{"statement timeout", false, func(ctx context.Context, c conn) error {
				if err := c.exec(ctx, "set statement_timeout = '50ms'"); err != nil {
					return err
				}
				return c.exec(ctx, "select pg_sleep(30)")
			}, 504, "timeout", ""},
			{"terminated", true, exec("select pg_terminate_backend(pg_backend_pid())"), 503, "unavailable", ""},
		} {
			if test.postgresOnly && db.Cockroach() {
				continue
			}
			bodies := map[string]string{}
			for name, open := range drivers {
				t.Run(test.name+"/"+name, func(t *testing.T) {
					raw := test.do(t.Context(), open(t, u.String()))
					require.Error(t, raw)
					var e *errs.Error
					require.ErrorAs(t, catalog.Translate(raw), &e)
					require.Equal(t, test.status, e.Status(), "%T: %v", raw, raw)
					require.Equal(t, test.code, e.Code(), "%T: %v", raw, raw)
					require.Equal(t, test.pointer, e.Field(), "%T: %v", raw, raw)
					body, err := json.Marshal(e)
					require.NoError(t, err)
					bodies[name] = string(body)
				})
			}
			for name, body := range bodies {
				require.Equal(t, bodies["pgx v5"], body, "%s: %s", test.name, name)
			}
		}
	})
}
