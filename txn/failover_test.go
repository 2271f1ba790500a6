package txn_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rowkeeper/rowkeeper/internal/devdb"
	"github.com/rowkeeper/rowkeeper/internal/devdb/dbtest"
	"github.com/rowkeeper/rowkeeper/internal/faultnet"
	"github.com/rowkeeper/rowkeeper/txn"
	"github.com/rowkeeper/rowkeeper/txn/trace"
)

// hosts returns a connection string for several servers on this machine.
func hosts(t testing.TB, session string, urls ...string) string {
	t.Helper()
	var dirs, ports []string
	for _, u := range urls {
		parsed, err := url.Parse(u)
		require.NoError(t, err)
		dirs, ports = append(dirs, parsed.Query().Get("host")), append(ports, parsed.Query().Get("port"))
	}
	return fmt.Sprintf("user=postgres dbname=postgres sslmode=disable host=%s port=%s target_session_attrs=%s",
		strings.Join(dirs, ","), strings.Join(ports, ","), session)
}

// failoverPair is a primary with a synchronous standby behind a network of its own.
type failoverPair struct {
	*primary
	standby *devdb.Durable
	copied  *dbtest.DB
	stream  *faultnet.Proxy // through which the standby follows
}

func startPair(t *testing.T, source devdb.Source, p *primary) *failoverPair {
	t.Helper()
	stream := proxyTo(t, p.DB)
	host, port, err := net.SplitHostPort(stream.Addr())
	require.NoError(t, err)
	standby, copied := startStandby(t, source, fmt.Sprintf("host=%s port=%s user=postgres application_name=standby sslmode=disable", host, port))
	p.set(t, "synchronous_standby_names", "*")
	require.Eventually(t, func() bool {
		var state string
		return p.QueryRow(t.Context(), "select sync_state from pg_stat_replication").Scan(&state) == nil && state == "sync"
	}, eventually, tick)
	return &failoverPair{primary: p, standby: standby, copied: copied, stream: stream}
}

// failOver cuts the standby off, has some of the waits for it canceled, kills the
// primary and promotes the standby.
func (f *failoverPair) failOver(t testing.TB) {
	f.stream.Close()
	pids := map[int]bool{}
	assert.Eventually(t, func() bool {
		rows, err := f.Query(context.Background(), "select pid from pg_stat_activity where wait_event = 'SyncRep'")
		if err != nil {
			return false
		}
		defer rows.Close()
		for rows.Next() {
			var pid int
			if rows.Scan(&pid) == nil {
				pids[pid] = true
			}
		}
		return len(pids) >= 4
	}, eventually, tick)
	how := []string{"select pg_cancel_backend($1)", "select pg_terminate_backend($1)", "select $1::int"}
	i := 0
	for pid := range pids {
		_, err := f.Exec(context.Background(), how[i%len(how)], pid)
		assert.NoError(t, err)
		i++
	}
	assert.NoError(t, f.srv.Kill())
	assert.NoError(t, f.standby.Promote(context.Background()))
}

// TestFailover makes calls through a connection string of two hosts while the primary
// loses its synchronous standby, COMMITs that wait for it are canceled, and the standby
// takes over. The reported outcomes are compared with the data on the new primary.
func TestFailover(t *testing.T) {
	rounds := 4
	if testing.Short() {
		rounds = 1
	}
	for round := range rounds {
		t.Run(fmt.Sprint(round), func(t *testing.T) {
			ownPostgres(t, func(t *testing.T, source devdb.Source, p *primary) {
				failover(t, startPair(t, source, p), round, long(5200)/rounds)
			})
		})
	}
}

func failover(t *testing.T, f *failoverPair, round, calls int) {
	config, err := pgxpool.ParseConfig(hosts(t, "read-write", f.URL, f.standby.URL))
	require.NoError(t, err)
	config.MaxConns = 12
	config.ConnConfig.DefaultQueryExecMode = execModes()[round%len(execModes())]
	pool, err := pgxpool.NewWithConfig(t.Context(), config)
	require.NoError(t, err)
	defer pool.Close()

	var done atomic.Int64
	var takeover sync.WaitGroup
	begin := sync.OnceFunc(func() { takeover.Go(func() { f.failOver(t) }) })
	names := []string{"all in one packet", "COMMIT alone", "Batch"}
	all := tellAll(1, calls, 24, func(number int) (int, error) {
		if done.Add(1) > int64(calls)/2 {
			begin()
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Duration(200+rand.IntN(800))*time.Millisecond)
		defer cancel()
		if name := names[number%len(names)]; name != "Batch" {
			return txn.RunInTx(ctx, pool, shapes[name](number))
		}
		return inBatch(ctx, pool, number)
	})
	takeover.Wait()
	_, err = txn.RunInTx(t.Context(), pool, shapes["COMMIT alone"](calls+1))
	require.NoError(t, err, "the pool has found the new primary")
	f.Close() // its database is gone
	counts := (&faulty{DB: f.copied}).judgeAll(t, all)
	t.Logf("%d calls: %v", len(all), counts)
	require.NotZero(t, counts[committed])
	require.NotZero(t, counts[unknown], "COMMITs waited when the primary was lost")
}

// A server that is away for a moment delays its calls by that moment, if the pool was
// connected before. If the pool never was, the error is returned at once.
func TestServerThatIsAwayForAMoment(t *testing.T) {
	skipIfShort(t)
	ownPostgres(t, func(t *testing.T, _ devdb.Source, p *primary) {
		pool := poolWith(t, p.DB, func(c *pgxpool.Config) { c.MaxConns = 4 })
		fresh := poolWith(t, p.DB, func(*pgxpool.Config) {})
		for call, db := range map[int]txn.DB{1: pool, 2: ownBeginTx{pool}} {
			_, err := txn.RunInTx(t.Context(), pool, shapes["COMMIT alone"](10*call))
			require.NoError(t, err)
			require.NoError(t, p.srv.Kill())
			runs := 0
			refused := make(chan struct{})
			tracer := &onWait{f: sync.OnceFunc(func() { close(refused) })}
			done := make(chan error, 1)
			go func() {
				_, err := txn.RunInTx(t.Context(), db, func(ctx context.Context, tx *txn.Tx) (int, error) {
					runs++
					return shapes["COMMIT alone"](call)(ctx, tx)
				}, txn.Trace(tracer))
				done <- err
			}()
			select {
			case <-refused:
			case err := <-done:
				t.Fatalf("it was not asked again: %v", err)
			}
			if call == 1 {
				_, err = txn.RunInTx(t.Context(), fresh, shapes["COMMIT alone"](3))
				require.ErrorAs(t, err, new(*pgconn.ConnectError), "it never was connected")
			}
			started := p.srv.Start(t.Context())
			err = <-done
			require.NoError(t, started)
			if err != nil { // the machine was too slow for it
				require.ErrorAs(t, err, new(*pgconn.ConnectError))
				require.Equal(t, rolledBack, claimOf(err))
				continue
			}
			require.LessOrEqual(t, runs, 2)
		}
		require.NoError(t, p.srv.Kill())
		_, err := txn.RunInTx(t.Context(), pool, shapes["COMMIT alone"](4))
		require.ErrorAs(t, err, new(*pgconn.ConnectError), "it gives up")
		require.Equal(t, rolledBack, claimOf(err))
	})
}

// ownBeginTx embeds a pool and begins by its own BeginTx.
type ownBeginTx struct{ *pgxpool.Pool }

func (o ownBeginTx) BeginTx(ctx context.Context, opts pgx.TxOptions) (pgx.Tx, error) {
	return o.Pool.BeginTx(ctx, opts)
}

// onWait calls f when a call waits.
type onWait struct {
	trace.Nop
	f func()
}

func (o *onWait) TraceWaitStart(ctx context.Context, _ trace.WaitStart) context.Context {
	o.f()
	return ctx
}

// TestReadOnlyAfterAFailover makes an address lead to a standby, and then to the
// primary, as that of a proxy may. Connections to the standby stay in the pool, and
// fail every write, unless OnPgError closes them; with target_session_attrs that
// requires a writable server, none is made to a standby.
func TestReadOnlyAfterAFailover(t *testing.T) {
	skipIfShort(t)
	ownPostgres(t, func(t *testing.T, source devdb.Source, p *primary) {
		_, standby := startStandby(t, source, p.URL)
		for _, mode := range execModes() {
			for _, heals := range []bool{false, true} {
				for shape := range shapes {
					var where atomic.Pointer[dbtest.DB]
					where.Store(standby)
					pool := poolWith(t, p.DB, func(c *pgxpool.Config) {
						c.ConnConfig.DefaultQueryExecMode = mode
						c.ConnConfig.DialFunc = func(ctx context.Context, _, _ string) (net.Conn, error) {
							config := where.Load().Config().ConnConfig
							network, address := pgconn.NetworkAddress(config.Host, config.Port)
							return new(net.Dialer).DialContext(ctx, network, address)
						}
						if heals {
							c.ConnConfig.OnPgError = closeReadOnly
						}
					})
					require.NoError(t, pool.Ping(t.Context()))
					where.Store(p.DB)
					failed := 0
					for range 5 {
						_, err := txn.RunInTx(t.Context(), pool, shapes[shape](1), txn.Isolation(pgx.ReadCommitted))
						if err != nil {
							failed++
							requireCode(t, err, "25006")
							require.Equal(t, rolledBack, claimOf(err))
						}
					}
					require.Equal(t, map[bool]int{true: 0, false: 5}[heals], failed, "%s, %s", shape, mode)
				}
			}
		}
		config, err := pgxpool.ParseConfig(hosts(t, "read-write", standby.URL, p.URL))
		require.NoError(t, err)
		pool, err := pgxpool.NewWithConfig(t.Context(), config)
		require.NoError(t, err)
		defer pool.Close()
		_, err = txn.RunInTx(t.Context(), pool, shapes["all in one packet"](2))
		require.NoError(t, err)
	})
}

// closeReadOnly is an OnPgError that closes connections to a server that cannot write.
func closeReadOnly(_ *pgconn.PgConn, err *pgconn.PgError) bool {
	return err.Code != "25006" && err.Severity != "FATAL" && err.Severity != "PANIC"
}
