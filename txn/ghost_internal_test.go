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

// Only a session that has been in a transaction since before the loss is terminated,
// whatever else a pid may stand for.
func TestGhostsAreToldFromOthers(t *testing.T) {
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
		exorcise := func(lost time.Time, texts ...string) {
			g := &ghost{pid: other.PgConn().PID(), texts: texts, lost: lost}
			(&attempt{call: &call{config: &defaults, ghost: g}, conn: conn.Conn(), link: linkOf(conn.Conn())}).exorcise(ctx) // what it does is seen below
		}
		start := time.Now()
		require.Eventually(t, func() bool { return time.Since(start) > 3*time.Second }, time.Minute, 10*time.Millisecond,
			"what the hunt compares is this much apart, however slow the machine is")
		_, err = other.Exec(ctx, "select 1")
		require.NoError(t, err)
		exorcise(start, "select 1")
		require.NoError(t, other.Ping(ctx), "it is idle")

		_, err = other.Exec(ctx, "begin")
		require.NoError(t, err)
		exorcise(start, "begin")
		_, err = other.Exec(ctx, "select 2")
		require.NoError(t, err, "it began after the loss")
		exorcise(time.Now(), "select 3")
		_, err = other.Exec(ctx, "select 2")
		require.NoError(t, err, "it was sent something else")
		exorcise(time.Now(), "select 2")
		require.Error(t, other.Ping(ctx), "it is the ghost")
	})
}

// The pid that a pooler reports may be that of a session in which another client
// executes the same statement. No session is terminated from behind a pooler.
func TestNoGhostBehindAPooler(t *testing.T) {
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
			exorcise := func(url string) {
				config, err := pgx.ParseConfig(url)
				require.NoError(t, err)
				config.DefaultQueryExecMode = mode
				conn, err := pgx.ConnectConfig(ctx, config)
				require.NoError(t, err)
				defer conn.Close(context.Background())
				g := &ghost{pid: other.PgConn().PID(), texts: []string{"select 2"}, lost: time.Now()}
				(&attempt{call: &call{config: &defaults, ghost: g}, conn: conn, link: linkOf(conn)}).exorcise(ctx)
			}
			_, err = other.Exec(ctx, "begin")
			require.NoError(t, err)
			_, err = other.Exec(ctx, "select 2")
			require.NoError(t, err)
			exorcise(p.URL)
			require.NoError(t, other.Ping(ctx), "it is somebody else")
			_, err = other.Exec(ctx, "select 2")
			require.NoError(t, err)
			exorcise(db.URL)
			require.Error(t, other.Ping(ctx), "it is the ghost")
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
	require.Len(t, []rune(beginning(string(long))), ghostText)
}
