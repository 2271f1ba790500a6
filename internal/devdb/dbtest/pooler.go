package dbtest

import (
	"errors"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/rowkeeper/rowkeeper/internal/devdb"
)

// Pooler starts a PgBouncer in front of db, with sessions in its schema, and ends
// it with the test. The test is skipped if there is no PgBouncer on this machine.
func Pooler(t testing.TB, db *DB, c devdb.PoolerConfig) *devdb.Pooler {
	t.Helper()
	if c.OnConnect == "" {
		c.OnConnect = "set search_path = " + pgx.Identifier{db.Schema}.Sanitize()
	}
	p, err := db.server.StartPooler(t.Context(), c)
	switch {
	case errors.Is(err, devdb.ErrNoPooler):
		t.Skip(err)
	case err != nil:
		t.Fatal(err)
	}
	t.Cleanup(p.Stop)
	return p
}
