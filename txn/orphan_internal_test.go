package txn

import (
	"context"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/rowkeeper/rowkeeper/internal/devdb"
	"github.com/rowkeeper/rowkeeper/internal/devdb/dbtest"
)

func attemptOn(conn *pgx.Conn, g *orphan) *attempt {
	a := &attempt{call: &call{config: &defaults, orphan: g}}
	a.conn, a.session = conn, sessionOf(conn)
	return a
}

// Only a session that has been in a transaction since before the loss is terminated,
// whatever else a pid may stand for.
func TestOrphansAreToldFromOthers(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *dbtest.DB) {
		if db.Cockroach() {
			t.Skip("CockroachDB has no pg_terminate_backend")
		}
		ctx := t.Context()
		other, err := pgx.ConnectConfig(ctx, db.Config().ConnConfig)
		require.NoError(t, err)
		defer other.Close(context.Background())
		conn, err := db.Acquire(ctx)
		require.NoError(t, err)
		defer conn.Release()
		terminate := func(lost time.Time, texts ...string) {
			g := &orphan{pid: other.PgConn().PID(), texts: texts, lost: lost}
			attemptOn(conn.Conn(), g).terminateOrphan(ctx) // what it does is seen below
		}
		start := time.Now()
		require.Eventually(t, func() bool { return time.Since(start) > 3*time.Second }, time.Minute, 10*time.Millisecond,
			"what the hunt compares is this much apart, however slow the machine is")
		_, err = other.Exec(ctx, "select 1")
		require.NoError(t, err)
		terminate(start, "select 1")
		require.NoError(t, other.Ping(ctx), "it is idle")

		_, err = other.Exec(ctx, "begin")
		require.NoError(t, err)
		terminate(start, "begin")
		_, err = other.Exec(ctx, "select 2")
		require.NoError(t, err, "it began after the loss")
		terminate(time.Now(), "select 3")
		_, err = other.Exec(ctx, "select 2")
		require.NoError(t, err, "it was sent something else")
		terminate(time.Now(), "select 2")
		require.Error(t, other.Ping(ctx), "it is the orphan")
	})
}

// The pid that a pooler reports may be that of a session in which another client
// executes the same statement. No session is terminated from behind a pooler.
func TestNoOrphanBehindAPooler(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *dbtest.DB) {
		if db.Cockroach() {
			t.Skip("CockroachDB has no pg_terminate_backend")
		}
		ctx := t.Context()
		other, err := pgx.ConnectConfig(ctx, db.Config().ConnConfig)
		require.NoError(t, err)
		defer other.Close(context.Background())
		p := dbtest.Pooler(t, db, devdb.PoolerConfig{})
		for _, mode := range []pgx.QueryExecMode{pgx.QueryExecModeCacheStatement, pgx.QueryExecModeExec, pgx.QueryExecModeSimpleProtocol} {
			terminate := func(url string) {
				config, err := pgx.ParseConfig(url)
				require.NoError(t, err)
				config.DefaultQueryExecMode = mode
				conn, err := pgx.ConnectConfig(ctx, config)
				require.NoError(t, err)
				defer conn.Close(context.Background())
				g := &orphan{pid: other.PgConn().PID(), texts: []string{"select 2"}, lost: time.Now()}
				attemptOn(conn, g).terminateOrphan(ctx)
			}
			_, err = other.Exec(ctx, "begin")
			require.NoError(t, err)
			_, err = other.Exec(ctx, "select 2")
			require.NoError(t, err)
			terminate(p.URL)
			require.NoError(t, other.Ping(ctx), "it is somebody else")
			_, err = other.Exec(ctx, "select 2")
			require.NoError(t, err)
			terminate(db.URL)
			require.Error(t, other.Ping(ctx), "it is the orphan")
			other, err = pgx.ConnectConfig(ctx, db.Config().ConnConfig)
			require.NoError(t, err)
			defer other.Close(context.Background())
		}
	})
}

func TestBeginningOfAText(t *testing.T) {
	t.Parallel()
	long := make([]rune, 300)
	for i := range long {
		long[i] = 'ü'
	}
	require.Equal(t, "short", beginning("short"))
	require.Len(t, []rune(beginning(string(long))), orphanText)
}
