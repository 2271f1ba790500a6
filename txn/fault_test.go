package txn_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	"github.com/rowkeeper/rowkeeper/internal/devdb/dbtest"
	"github.com/rowkeeper/rowkeeper/internal/faultnet"
	"github.com/rowkeeper/rowkeeper/txn"
)

// faulty is a database behind an unreliable network, with a table in which every effect
// of a call leaves a row.
type faulty struct {
	*dbtest.DB
	proxy *faultnet.Proxy
	pool  *pgxpool.Pool // through the proxy, of one connection
}

func withFaults(t *testing.T, db *dbtest.DB, change ...func(*pgxpool.Config)) *faulty {
	t.Helper()
	_, err := db.Exec(t.Context(), "create table effects (call bigint not null, attempt bigint not null)")
	require.NoError(t, err)
	proxy := proxyTo(t, db)
	proxy.LoseCancels(true)
	pool := poolWith(t, db, func(c *pgxpool.Config) {
		proxy.Rewrite(c.ConnConfig)
		c.ConnConfig.RuntimeParams["application_name"] = db.Schema
		c.AfterConnect = func(ctx context.Context, conn *pgx.Conn) error {
			if _, err := conn.Prepare(ctx, preparedRollback, "rollback"); err != nil {
				return fmt.Errorf("failed to connect: %w", err)
			}
			return nil
		}
		for _, f := range change {
			f(c)
		}
	})
	return &faulty{DB: db, proxy: proxy, pool: pool}
}

// proxyTo returns a network proxy in front of db.
func proxyTo(t *testing.T, db *dbtest.DB) *faultnet.Proxy {
	t.Helper()
	config, err := pgxpool.ParseConfig(db.URL)
	require.NoError(t, err)
	proxy, err := faultnet.New(pgconn.NetworkAddress(config.ConnConfig.Host, config.ConnConfig.Port))
	require.NoError(t, err)
	t.Cleanup(proxy.Close)
	return proxy
}

// preparedRollback is the statement that a COMMIT is turned into.
const preparedRollback = "fault_rollback"

const insertEffect = "insert into effects values ($1, $2)"

// shapes are the ways in which statements and COMMIT share packets.
var shapes = map[string]func(call int) func(ctx context.Context, tx *txn.Tx) (int, error){
	"all in one packet": func(call int) func(ctx context.Context, tx *txn.Tx) (int, error) {
		return func(ctx context.Context, tx *txn.Tx) (int, error) {
			tx.Queue(insertEffect, call, tx.Attempt())
			return tx.Attempt(), nil
		}
	},
	"COMMIT with the write": func(call int) func(ctx context.Context, tx *txn.Tx) (int, error) {
		return func(ctx context.Context, tx *txn.Tx) (int, error) {
			err := tx.QueryRow(ctx, "select count(*) from effects where call = $1", call).Scan(new(int))
			tx.Queue(insertEffect, call, tx.Attempt())
			return tx.Attempt(), err
		}
	},
	"COMMIT alone": func(call int) func(ctx context.Context, tx *txn.Tx) (int, error) {
		return func(ctx context.Context, tx *txn.Tx) (int, error) {
			_, err := tx.Exec(ctx, insertEffect, call, tx.Attempt())
			return tx.Attempt(), err
		}
	},
}

// warm makes the server describe every statement of the shapes, on the one connection.
func (f *faulty) warm(t *testing.T) {
	t.Helper()
	for _, shape := range shapes {
		_, err := txn.RunInTx(t.Context(), f.pool, shape(-1))
		require.NoError(t, err)
	}
}

// claim is the outcome reported to a caller.
type claim string

const (
	committed  claim = "committed"
	rolledBack claim = "rolled back"
	unknown    claim = "unknown"
)

func claimOf(err error) claim {
	switch {
	case err == nil, errors.As(err, new(*txn.CommittedError)):
		return committed
	case errors.As(err, new(*txn.OutcomeUnknownError)):
		return unknown
	}
	return rolledBack
}

// gone waits until the server has no session of the pool left.
func (f *faulty) gone(t testing.TB) {
	t.Helper()
	sessions := "select count(*) from pg_stat_activity where application_name = $1"
	if f.Cockroach() {
		sessions = "select count(*) from crdb_internal.cluster_sessions where application_name = $1"
	}
	require.Eventually(t, func() bool {
		var n int
		err := f.QueryRow(context.Background(), sessions, f.Schema).Scan(&n)
		return err == nil && n == 0
	}, eventually, tick, "the old sessions end")
}

// effects lists the attempts of a call that took effect.
func (f *faulty) effects(t testing.TB, call int) []int {
	t.Helper()
	rows, err := f.Query(context.Background(), "select attempt from effects where call = $1", call)
	require.NoError(t, err)
	attempts, err := pgx.CollectRows(rows, pgx.RowTo[int])
	require.NoError(t, err)
	return attempts
}

// judge compares a claim with the contents of the database once everything on its way
// has arrived or is lost for good.
func (f *faulty) judge(t testing.TB, call, attempt int, err error) claim {
	t.Helper()
	got, effects := claimOf(err), f.effects(t, call)
	switch got {
	case committed:
		require.Equal(t, []int{attempt}, effects, "told committed, with the result of attempt %d: %v", attempt, err)
	case rolledBack:
		require.Empty(t, effects, "told rolled back: %v", err)
	case unknown:
		require.LessOrEqual(t, len(effects), 1, "told unknown: %v", err)
	}
	return got
}

// Time limit for expected events, and how often they are checked.
const (
	eventually = 2 * time.Minute
	tick       = time.Millisecond
)
