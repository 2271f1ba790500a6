package audit_test

import (
	"context"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/rowkeeper/rowkeeper/cmd/rowkeeper/audit"
	"github.com/rowkeeper/rowkeeper/cmd/rowkeeper/config"
	"github.com/rowkeeper/rowkeeper/cmd/rowkeeper/finding"
	"github.com/rowkeeper/rowkeeper/internal/devdb/dbtest"
)

func TestUnloggedTables(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *dbtest.DB) {
		if db.Cockroach() {
			t.Skip("it has none of these")
		}
		run(t, db.Pool, `create table users (id bigint primary key);
create unlogged table carts (id bigint primary key, user_id bigint not null references users);
create unlogged table cache (key text primary key, value bytea)`)
		unlogged := func(opts audit.Options) []finding.Finding {
			findings, _ := runAudit(t, db, opts)
			var of []finding.Finding
			for _, f := range findings {
				if f.Rule == "RKA16" && strings.HasPrefix(f.Place.Object, db.Schema) {
					of = append(of, f)
				}
			}
			return of
		}
		require.Empty(t, unlogged(audit.Options{TestDatabase: true}))
		found := unlogged(audit.Options{})
		require.Len(t, found, 1)
		require.Equal(t, db.Schema+".carts", found[0].Place.Object)
		run(t, db.Pool, found[0].Remedy.SQL)
		require.Empty(t, unlogged(audit.Options{}))
	})
}

// Settings belong to the whole server, which other tests use, so they are set for a role
// of this test.
func TestWeakSettings(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *dbtest.DB) {
		if db.Cockroach() {
			t.Skip("it has none of these")
		}
		f := fixture{role: true, postgres: 14}
		f.prepare(t, db)
		run(t, db.Pool, f.fill(db, `create table notes (id bigint primary key);
alter role {role} login password 'x';
alter role {role} set synchronous_commit = off`))

		weak := func(conn audit.DB, role string) (objects []string) {
			opts := audit.Options{Schemas: []string{db.Schema}, Config: &config.Config{Role: role}}
			findings, _, err := audit.Run(t.Context(), conn, opts)
			require.NoError(t, err)
			for _, x := range findings {
				if x.Rule == "RKA16" && (x.Place.Object == "setting synchronous_commit" || strings.HasPrefix(x.Place.Object, "role ")) {
					objects = append(objects, strings.ReplaceAll(x.Place.Object, db.Schema, "{schema}"))
					require.Contains(t, x.Remedy.SQL, "alter role "+roleOf(db)+" reset synchronous_commit")
				}
			}
			return objects
		}
		connect := func(set func(*pgx.ConnConfig)) *pgx.Conn {
			c := db.Config().ConnConfig.Copy()
			set(c)
			conn, err := pgx.ConnectConfig(t.Context(), c)
			require.NoError(t, err)
			t.Cleanup(func() { require.NoError(t, conn.Close(context.WithoutCancel(t.Context()))) })
			return conn
		}
		service := func(c *pgx.ConnConfig) { c.User, c.Password = roleOf(db), "x" }

		require.Equal(t, []string{"setting synchronous_commit"}, weak(connect(service), ""))
		require.Equal(t, []string{"role {schema}_service"}, weak(connect(func(c *pgx.ConnConfig) {
			c.RuntimeParams["synchronous_commit"] = "off" // which only this connection has
		}), roleOf(db)))

		run(t, db.Pool, "alter role "+roleOf(db)+" reset synchronous_commit")
		require.NotContains(t, weak(connect(service), ""), "setting synchronous_commit; which the test reset")
		require.NotContains(t, weak(db.Pool, roleOf(db)), "role {schema}_service")
	})
}
