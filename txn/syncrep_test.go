package txn_test

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rowkeeper/rowkeeper/internal/devdb"
	"github.com/rowkeeper/rowkeeper/internal/devdb/dbtest"
	"github.com/rowkeeper/rowkeeper/internal/faultnet"
	"github.com/rowkeeper/rowkeeper/txn"
	"github.com/rowkeeper/rowkeeper/txn/once"
)

// ownPostgres runs f on a separate PostgreSQL server, whose settings it may change.
func ownPostgres(t *testing.T, f func(t *testing.T, source devdb.Source, primary *primary)) {
	t.Helper()
	t.Parallel()
	found, err := devdb.Find()
	require.NoError(t, err)
	for _, source := range found {
		if source.Engine != devdb.PostgreSQL {
			continue
		}
		t.Run(source.From, func(t *testing.T) {
			t.Parallel()
			f(t, source, startPrimary(t, source))
		})
	}
}

// primary is a server with the table effects. Its pool does not wait for a standby.
type primary struct {
	*faulty
	srv *devdb.Durable
}

func startPrimary(t *testing.T, source devdb.Source) *primary {
	t.Helper()
	srv, err := source.StartDurable(t.Context())
	require.NoError(t, err)
	t.Cleanup(srv.Stop)
	db := &dbtest.DB{Engine: srv.Engine, URL: srv.URL, Schema: "public"}
	db.Pool = poolWith(t, db, func(c *pgxpool.Config) {
		c.MaxConns = 8
		c.ConnConfig.RuntimeParams["synchronous_commit"] = "local"
	})
	p := &primary{faulty: &faulty{DB: db}, srv: srv}
	p.tables(t, "")
	return p
}

// tables creates the tables of a call, in a schema of its own if schema is not empty.
func (p *primary) tables(t testing.TB, schema string) *dbtest.DB {
	t.Helper()
	db := *p.DB
	sql := "create table effects (call bigint not null, attempt bigint not null); " + once.Schema
	if schema != "" {
		db.Schema = schema
		sql = "create schema " + schema + "; set local search_path = " + schema + "; " + sql
	}
	_, err := p.Exec(context.Background(), sql)
	require.NoError(t, err)
	return &db
}

// withoutStandby makes COMMIT wait for a standby that does not exist, until release is
// called. The server is slow to apply either change, so a COMMIT of this test's own
// shows when it has.
func (p *primary) withoutStandby(t testing.TB) (release func()) {
	t.Helper()
	p.set(t, "synchronous_standby_names", "nobody")
	probe := poolWith(t, p.DB, func(c *pgxpool.Config) { c.ConnConfig.RuntimeParams["application_name"] = "probe" })
	done := make(chan error)
	go func() {
		for {
			_, err := probe.Exec(context.Background(), "insert into effects values (0, 0)")
			select {
			case done <- err:
				return
			case <-time.After(tick):
			}
		}
	}()
	t.Cleanup(func() { p.set(t, "synchronous_standby_names", "") }) // or what waits is waited for, if a check fails
	p.waiting(t, "probe")
	return func() {
		t.Helper()
		p.set(t, "synchronous_standby_names", "")
		require.NoError(t, <-done)
	}
}

// set changes a setting of the server.
func (p *primary) set(t testing.TB, name, value string) {
	t.Helper()
	for _, sql := range []string{fmt.Sprintf("alter system set %s = '%s'", name, value), "select pg_reload_conf()"} {
		_, err := p.Exec(context.Background(), sql)
		require.NoError(t, err)
	}
}

// waiting waits until a COMMIT of that application waits for a standby, and returns the
// session's process id.
func (p *primary) waiting(t testing.TB, application string) (pid int) {
	t.Helper()
	require.Eventually(t, func() bool {
		return p.QueryRow(context.Background(), "select pid from pg_stat_activity where application_name = $1 and wait_event = 'SyncRep'",
			application).Scan(&pid) == nil
	}, eventually, tick)
	return pid
}

// standbyScenario is an event while COMMIT waits for a standby that does not answer.
type standbyScenario struct {
	name      string
	once      bool // with the option Once
	meanwhile func(t testing.TB, p *primary, application string, hangUp func())
	want      claim
	code      string // of the reason, if the server said one
}

var standbyScenarios = []standbyScenario{
	{name: "the context ends", want: unknown, meanwhile: func(t testing.TB, p *primary, application string, hangUp func()) { hangUp() }},
	{name: "the context ends, Once", once: true, want: unknown, meanwhile: func(t testing.TB, p *primary, application string, hangUp func()) { hangUp() }},
	{name: "somebody cancels", want: unknown, code: "01000", meanwhile: func(t testing.TB, p *primary, application string, _ func()) {
		_, err := p.Exec(context.Background(), "select pg_cancel_backend($1)", p.waiting(t, application))
		require.NoError(t, err)
	}},
	{name: "somebody terminates", want: unknown, meanwhile: func(t testing.TB, p *primary, application string, _ func()) {
		_, err := p.Exec(context.Background(), "select pg_terminate_backend($1)", p.waiting(t, application))
		require.NoError(t, err)
	}},
}

// TestCommitThatWaitsForAStandby makes COMMIT wait for a synchronous standby that does
// not answer, in every shape and mode. If anybody cuts the wait short, the outcome is
// unknown; this package does not.
func TestCommitThatWaitsForAStandby(t *testing.T) {
	ownPostgres(t, func(t *testing.T, _ devdb.Source, p *primary) {
		release := p.withoutStandby(t)
		var wg sync.WaitGroup
		call := 0
		for _, mode := range execModes() {
			if testing.Short() && mode != pgx.QueryExecModeCacheStatement && mode != pgx.QueryExecModeSimpleProtocol {
				continue
			}
			for shape := range shapes {
				for _, s := range standbyScenarios {
					call++
					number := call
					wg.Go(func() { s.run(t, p, mode, shape, number) })
				}
			}
		}
		wg.Wait()
		release()
	})
}

func (s standbyScenario) run(t *testing.T, p *primary, mode pgx.QueryExecMode, shape string, call int) {
	name := fmt.Sprintf("%s, %s, %s", s.name, shape, mode)
	application := fmt.Sprintf("call_%d", call)
	pool := poolWith(t, p.tables(t, application), func(c *pgxpool.Config) {
		c.ConnConfig.DefaultQueryExecMode = mode
		c.ConnConfig.RuntimeParams["application_name"] = application
	})
	ctx, hangUp := context.WithCancel(t.Context())
	defer hangUp()
	var opts []txn.Option
	if s.once {
		opts = append(opts, once.Key("test", name, nil))
	}
	done := make(chan struct{})
	var attempt int
	var err error
	go func() {
		defer close(done)
		attempt, err = txn.RunInTx(ctx, pool, shapes[shape](call), opts...)
	}()
	p.waiting(t, application)
	s.meanwhile(t, p, application, hangUp)
	<-done
	assert.Equal(t, s.want, claimOf(err), "%s: attempt %d: %v", name, attempt, err)
	if s.code != "" && assert.Error(t, err, name) {
		requireCode(t, err, s.code)
	}
	if s.code == "" && s.want == unknown && s.name != "somebody terminates" {
		p.waiting(t, application) // the server is still at it
	}
}

// A session that was told of no synchronous standby sends COMMIT with its statements,
// and cannot know that COMMIT is what the server is at. If a standby is named later, the
// end of the context cuts the wait short, and the outcome is unknown. The session knows
// from then on.
func TestStandbyThatIsNamedLater(t *testing.T) {
	ownPostgres(t, func(t *testing.T, _ devdb.Source, p *primary) {
		const application = "named later"
		pool := poolWith(t, p.DB, func(c *pgxpool.Config) {
			c.MaxConns = 1
			c.ConnConfig.RuntimeParams["application_name"] = application
		})
		write := func(ctx context.Context, call int) error {
			return txn.Run(ctx, pool, func(ctx context.Context, tx *txn.Tx) error {
				tx.Queue("insert into effects values ($1, 1)", call)
				return nil
			})
		}
		hungUpAtCommit := func(call int) error {
			ctx, hangUp := context.WithCancel(t.Context())
			defer hangUp()
			done := make(chan error, 1)
			go func() { done <- write(ctx, call) }()
			p.waiting(t, application)
			hangUp()
			return <-done
		}
		require.NoError(t, write(t.Context(), 1))
		release := p.withoutStandby(t)

		err := hungUpAtCommit(2)
		require.Equal(t, unknown, claimOf(err), "%v", err)
		requireCode(t, err, "01000")
		require.Equal(t, []int{1}, p.effects(t, 2), "it can be seen, and may be lost with this server")

		err = hungUpAtCommit(3)
		require.Equal(t, unknown, claimOf(err), "%v", err)
		p.waiting(t, application) // the server is still at it
		release()
		require.Eventually(t, func() bool { return len(p.effects(t, 3)) == 1 }, eventually, tick)
	})
}

// TestCommitThatAStandbyAnswersInTime makes the standby answer after the context has
// ended, within the grace. So nothing is unknown. A statement_timeout does not apply to
// such a wait.
func TestCommitThatAStandbyAnswersInTime(t *testing.T) {
	skipIfShort(t)
	ownPostgres(t, func(t *testing.T, _ devdb.Source, p *primary) {
		for i, mode := range execModes() {
			for shape := range shapes {
				release := p.withoutStandby(t)
				application := fmt.Sprintf("call %d %s", i, shape)
				pool := poolWith(t, p.DB, func(c *pgxpool.Config) {
					c.ConnConfig.DefaultQueryExecMode = mode
					c.ConnConfig.RuntimeParams["application_name"] = application
				})
				ctx, hangUp := context.WithCancel(t.Context())
				done := make(chan error, 1)
				go func() {
					_, err := txn.RunInTx(ctx, pool, func(ctx context.Context, tx *txn.Tx) (int, error) {
						attempt, err := shapes[shape](1)(ctx, tx)
						tx.Queue("select set_config('statement_timeout', '100', true)") // for COMMIT alone
						return attempt, err
					})
					done <- err
				}()
				p.waiting(t, application)
				require.Eventually(t, func() bool {
					var long bool
					return p.QueryRow(t.Context(), "select query_start < clock_timestamp() - interval '0.3 seconds' from pg_stat_activity where application_name = $1",
						application).Scan(&long) == nil && long
				}, eventually, tick)
				hangUp()
				release()
				require.Equal(t, committed, claimOf(<-done), "%s, %s", shape, mode)
			}
		}
	})
}

// The client is cut off while its COMMIT waits for a standby. The next attempt of a
// call with Once leaves that session alone, and reports committed only when the standby
// has answered.
func TestOnceWhileAnOrphanWaitsForAStandby(t *testing.T) {
	skipIfShort(t)
	ownPostgres(t, func(t *testing.T, _ devdb.Source, p *primary) {
		for shape := range shapes {
			release := p.withoutStandby(t)
			proxy := proxyTo(t, p.DB)
			proxy.LoseCancels(true)
			application := shape
			pool := poolWith(t, p.DB, func(c *pgxpool.Config) {
				proxy.Rewrite(c.ConnConfig)
				c.ConnConfig.RuntimeParams["application_name"] = application
			})
			done := make(chan error, 1)
			call := len(shape)
			go func() {
				attempt, err := txn.RunInTx(t.Context(), pool, shapes[shape](call), once.Key("orphan", shape, nil))
				assert.Equal(t, 1, attempt)
				done <- err
			}()
			orphan := p.waiting(t, application) // before the hunt, which takes it for one that does not wait yet
			proxy.Cut(0, faultnet.ResetClient)
			require.Eventually(t, func() bool {
				var n int
				return p.QueryRow(t.Context(), "select count(*) from pg_stat_activity where application_name = $1 and wait_event_type = 'Lock'",
					application).Scan(&n) == nil && n > 0
			}, eventually, tick, "the next attempt takes the key, behind its hunt for the orphan")
			require.Equal(t, orphan, p.waiting(t, application))
			require.Empty(t, p.effects(t, call), "nobody sees it yet")
			release()
			require.NoError(t, <-done)
			require.Equal(t, []int{1}, p.effects(t, call))
		}
	})
}

// The wait of a COMMIT is canceled, so its rows are visible although no standby has
// them. A replay waits for a standby before it reports committed.
func TestReplayWaitsForAStandby(t *testing.T) {
	ownPostgres(t, func(t *testing.T, _ devdb.Source, p *primary) {
		for _, mode := range execModes() {
			release := p.withoutStandby(t)
			name := mode.String()
			pool := poolWith(t, p.DB, func(c *pgxpool.Config) {
				c.ConnConfig.DefaultQueryExecMode = mode
				c.ConnConfig.RuntimeParams["application_name"] = name
			})
			call := 100 + int(mode)
			do := func(ctx context.Context) (int, error) {
				return txn.RunInTx(ctx, pool, shapes["all in one packet"](call), once.Key("replay", name, nil))
			}
			cutShort := func(times int) error {
				ctx, hangUp := context.WithCancel(t.Context())
				defer hangUp()
				done := make(chan error, 1)
				go func() {
					_, err := do(ctx)
					done <- err
				}()
				for range times {
					pid := p.waiting(t, name)
					_, err := p.Exec(t.Context(), "select pg_cancel_backend($1)", pid)
					require.NoError(t, err)
					require.Eventually(t, func() bool {
						var n int
						return p.QueryRow(t.Context(), "select count(*) from pg_stat_activity where pid = $1 and wait_event = 'SyncRep' and query_start < now() - interval '0.3s'", pid).Scan(&n) == nil && n == 0
					}, eventually, tick)
				}
				p.waiting(t, name) // again
				hangUp()
				return <-done
			}
			err := cutShort(1)
			require.Equal(t, unknown, claimOf(err), "%s: %v", name, err)
			require.Equal(t, []int{1}, p.effects(t, call), "it can be seen")
			err = cutShort(0)
			require.Error(t, err, "%s: a later call does not know more", name)
			release()
			attempt, err := do(t.Context())
			require.NoError(t, err)
			require.Equal(t, 1, attempt)
			require.Equal(t, []int{1}, p.effects(t, call))
		}
	})
}
