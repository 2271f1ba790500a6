// Package audit_test runs the rules of audit on real databases.
package audit_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	"github.com/rowkeeper/rowkeeper/cmd/rowkeeper/audit"
	"github.com/rowkeeper/rowkeeper/cmd/rowkeeper/config"
	"github.com/rowkeeper/rowkeeper/cmd/rowkeeper/finding"
	"github.com/rowkeeper/rowkeeper/internal/devdb/dbtest"
)

func TestMain(m *testing.M) { dbtest.Main(m) }

// run executes statements one by one, each of which ends its line: CockroachDB cannot use
// in a transaction what it has just altered.
func run(t testing.TB, pool *pgxpool.Pool, sql string) {
	t.Helper()
	conn, err := pool.Acquire(t.Context())
	require.NoError(t, err)
	defer conn.Release()
	for _, statement := range strings.Split(sql, ";\n") {
		if strings.Trim(statement, "; \t\n") != "" {
			_, err := conn.Exec(t.Context(), statement)
			require.NoError(t, err, statement)
		}
	}
}

func runAudit(t testing.TB, db *dbtest.DB, opts audit.Options) ([]finding.Finding, *finding.Coverage) {
	t.Helper()
	opts.Schemas = []string{db.Schema}
	findings, coverage, err := audit.Run(t.Context(), db.Pool, opts)
	require.NoError(t, err)
	require.Empty(t, coverage.Failure)
	return findings, coverage
}

// objectsOf returns what the findings of a rule are about, without the schema, and with a
// question mark if it is only suspected.
func objectsOf(db *dbtest.DB, findings []finding.Finding, rule string) (objects []string) {
	for _, f := range findings {
		if f.Rule == rule {
			object := strings.ReplaceAll(strings.TrimPrefix(f.Place.Object, db.Schema+"."), db.Schema, "{schema}")
			if f.Confidence < finding.Strong {
				object += "?"
			}
			objects = append(objects, object)
		}
	}
	slices.Sort(objects)
	return objects
}

// A fixture has the faults of one rule, and what looks like them.
type fixture struct {
	name     string
	rule     string
	bad      string
	want     []string // as by objectsOf
	good     string   // no finding of the rule, not even a suspected one
	postgres int      // since this version of PostgreSQL, and not on CockroachDB
	role     bool     // the role {role}, which it creates, is the service's
	owned    map[string]string
	noSQL    bool // nobody but the author can write the remedy
}

func (f fixture) options(db *dbtest.DB) audit.Options {
	c := &config.Config{Owned: f.owned}
	if f.role {
		c.Role = roleOf(db)
	}
	return audit.Options{Config: c, TestDatabase: true}
}

// roleOf returns the name of a role of this test alone: roles belong to the whole server.
func roleOf(db *dbtest.DB) string { return db.Schema + "_service" }

func (f fixture) fill(db *dbtest.DB, sql string) string {
	return strings.NewReplacer("{role}", roleOf(db), "{schema}", db.Schema).Replace(sql)
}
