package livedb_test

import (
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rowkeeper/rowkeeper/internal/devdb/dbtest"
	"github.com/rowkeeper/rowkeeper/internal/livedb"
)

func TestMain(m *testing.M) { dbtest.Main(m) }

func run(t *testing.T, db *dbtest.DB, sql string) {
	t.Helper()
	_, err := db.Exec(t.Context(), sql)
	require.NoError(t, err, sql)
}

func read(t *testing.T, db livedb.Querier, others ...string) *livedb.Schema {
	t.Helper()
	s, err := livedb.Read(t.Context(), db, others...)
	require.NoError(t, err)
	return s
}

func tableOf(t *testing.T, s *livedb.Schema, name string) *livedb.Table {
	t.Helper()
	table := s.Find(name, s.SearchPath...)
	require.NotNil(t, table, name)
	require.Same(t, table, s.ByID(table.ID))
	return table
}

// serverVersion returns the major version of PostgreSQL, and 0 for CockroachDB.
func serverVersion(t *testing.T, db *dbtest.DB) int {
	t.Helper()
	if db.Cockroach() {
		return 0
	}
	var s string
	require.NoError(t, db.QueryRow(t.Context(), "show server_version").Scan(&s))
	major, _, _ := strings.Cut(s, ".")
	n, err := strconv.Atoi(major)
	require.NoError(t, err)
	return n
}

func namesOf(tables []*livedb.Table) (names []string) {
	for _, t := range tables {
		names = append(names, t.Name)
	}
	return names
}
