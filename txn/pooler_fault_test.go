package txn_test

import (
	"context"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	"github.com/rowkeeper/rowkeeper/internal/devdb"
	"github.com/rowkeeper/rowkeeper/internal/devdb/dbtest"
	"github.com/rowkeeper/rowkeeper/internal/faultnet"
	"github.com/rowkeeper/rowkeeper/txn"
	"github.com/rowkeeper/rowkeeper/txn/once"
)

// eachShapeBehind runs f behind poolers with settings, for each way in which statements
// and COMMIT share packets, in the modes that send them differently. The one connection
// of the pool knows the statements.
func eachShapeBehind(t *testing.T, settings map[string]string, f func(t *testing.T, f *pooled, shape string)) {
	for _, mode := range []pgx.QueryExecMode{pgx.QueryExecModeCacheStatement, pgx.QueryExecModeExec, pgx.QueryExecModeSimpleProtocol} {
		t.Run(mode.String(), func(t *testing.T) {
			if testing.Short() && mode != pgx.QueryExecModeCacheStatement {
				t.Skip("the others are rarer")
			}
			eachPooler(t, settings, func(t *testing.T, db *dbtest.DB, p *devdb.Pooler) {
				_, err := db.Exec(t.Context(), "create table effects (call bigint not null, attempt bigint not null)")
				require.NoError(t, err)
				withLedger(t, db)
				for shape := range shapes {
					pool := behind(t, db, p, func(c *pgxpool.Config) {
						c.ConnConfig.DefaultQueryExecMode = mode
						c.ConnConfig.RuntimeParams["application_name"] = db.Schema
					})
					behind := &pooled{faulty: &faulty{DB: db, pool: pool}, pooler: p}
					behind.warm(t)
					f(t, behind, shape)
					_, err := db.Exec(t.Context(), "delete from effects")
					require.NoError(t, err)
					requireGivenBack(t, pool)
					pool.Close()
				}
			})
		})
	}
}

// pooled is the state by which a call behind a pooler is judged.
type pooled struct {
	*faulty
	pooler *devdb.Pooler
}

// endSessions ends the server sessions that the pool has, or had last.
func (f *pooled) endSessions(t testing.TB) {
	t.Helper()
	_, err := f.Exec(t.Context(), "select pg_terminate_backend(pid) from pg_stat_activity where application_name = $1", f.Schema)
	require.NoError(t, err)
	f.gone(t)
}

func TestSessionsThatEndBehindAPooler(t *testing.T) {
	eachShapeBehind(t, nil, func(t *testing.T, f *pooled, shape string) {
		if f.Cockroach() {
			t.Skip("CockroachDB has no pg_terminate_backend")
		}
		f.endSessions(t)
		attempt, err := txn.RunInTx(t.Context(), f.pool, shapes[shape](1))
		require.Equal(t, committed, f.judge(t, 1, attempt, err), "%s: between calls: %v", shape, err)

		attempt, err = txn.RunInTx(t.Context(), f.pool, func(ctx context.Context, tx *txn.Tx) (int, error) {
			n, err := shapes[shape](2)(ctx, tx)
			if tx.Attempt() == 1 {
				f.endSessions(t)
			}
			return n, err
		})
		got := f.judge(t, 2, attempt, err)
		if shape == "COMMIT alone" {
			require.Contains(t, []claim{committed, unknown}, got, "%s: before COMMIT: %v", shape, err)
		} else {
			require.Equal(t, committed, got, "%s: before COMMIT: %v", shape, err)
		}
	})
}

// A client that the pooler ends before COMMIT has a definite outcome.
func TestClientsThatAreEndedByThePooler(t *testing.T) {
	eachShapeBehind(t, nil, func(t *testing.T, f *pooled, shape string) {
		config, err := pgx.ParseConfig(f.pooler.URL)
		require.NoError(t, err)
		attempt, err := txn.RunInTx(t.Context(), f.pool, func(ctx context.Context, tx *txn.Tx) (int, error) {
			if _, err := tx.Exec(ctx, "select $1::bigint", 1); err != nil {
				return 0, err
			}
			if tx.Attempt() == 1 {
				require.NoError(t, f.pooler.Tell(ctx, "kill "+config.Database))
				require.NoError(t, f.pooler.Tell(ctx, "resume "+config.Database))
			}
			if _, err := tx.Exec(ctx, "select $1::bigint", 1); err != nil {
				return 0, err
			}
			return shapes[shape](1)(ctx, tx)
		})
		require.Equal(t, committed, f.judge(t, 1, attempt, err), "%s: %v", shape, err)
		require.Equal(t, 2, attempt)
	})
}

// A call for which the pooler has no session in time was not executed, even if COMMIT
// was in its packet.
func TestNoSessionInTime(t *testing.T) {
	settings := map[string]string{"default_pool_size": "1", "query_wait_timeout": "1"}
	eachShapeBehind(t, settings, func(t *testing.T, f *pooled, shape string) {
		other := behind(t, f.DB, f.pooler)
		held, err := other.Begin(t.Context())
		require.NoError(t, err)
		attempt, err := txn.RunInTx(t.Context(), f.pool, shapes[shape](1), txn.MaxAttempts(1))
		require.Equal(t, rolledBack, f.judge(t, 1, attempt, err), "%s: %v", shape, err)
		require.ErrorContains(t, err, "query_wait_timeout")
		require.Equal(t, "08P01", serverError(t, err).Code)

		attempt, err = txn.RunInTx(t.Context(), f.pool, func(ctx context.Context, tx *txn.Tx) (int, error) {
			if tx.Attempt() == 2 {
				require.NoError(t, held.Rollback(ctx))
			}
			return shapes[shape](2)(ctx, tx)
		})
		require.Equal(t, committed, f.judge(t, 2, attempt, err), "%s: %v", shape, err)
		require.Contains(t, []int{2, 3}, attempt, "names of the connection before it may be in the session")
		other.Close()
	})
}

// New sessions of the server know no names.
func TestSessionsThatAreReplaced(t *testing.T) {
	eachShapeBehind(t, map[string]string{"default_pool_size": "1"}, func(t *testing.T, f *pooled, shape string) {
		for call := range 3 {
			require.NoError(t, f.pooler.Tell(t.Context(), "reconnect"))
			attempt, err := txn.RunInTx(t.Context(), f.pool, shapes[shape](call))
			require.Equal(t, committed, f.judge(t, call, attempt, err), "%s: %v", shape, err)
			require.LessOrEqual(t, attempt, 2)
		}
		requireClean(t, f.pool)
	})
}

// The answer to COMMIT is lost between server and pooler, which reports its generic
// error to the client.
func TestAnswerToCommitThatThePoolerLost(t *testing.T) {
	for _, withKey := range []bool{false, true} {
		for shape := range shapes {
			t.Run(shape, func(t *testing.T) {
				dbtest.Each(t, func(t *testing.T, db *dbtest.DB) {
					direct, err := pgx.ParseConfig(db.URL)
					require.NoError(t, err)
					proxy, err := faultnet.New(pgconn.NetworkAddress(direct.Host, direct.Port))
					require.NoError(t, err)
					t.Cleanup(proxy.Close)
					p := dbtest.Pooler(t, db, devdb.PoolerConfig{Through: proxy.Addr(), Settings: map[string]string{"server_login_retry": "0"}})
					_, err = db.Exec(t.Context(), "create table effects (call bigint not null, attempt bigint not null)")
					require.NoError(t, err)
					withLedger(t, db)
					f := &pooled{faulty: &faulty{DB: db, pool: behind(t, db, p)}, pooler: p}
					f.warm(t)
					hook, seen := faultnet.On(faultnet.Completes("COMMIT"), faultnet.CutBefore(faultnet.ResetClient))
					proxy.SetHook(hook)
					var opts []txn.Option
					if withKey {
						opts = append(opts, once.Key("pooler", "k", nil))
					}
					runs := 0
					attempt, err := txn.RunInTx(t.Context(), f.pool, func(ctx context.Context, tx *txn.Tx) (int, error) {
						runs++
						return shapes[shape](1)(ctx, tx)
					}, opts...)
					<-seen
					require.Eventually(t, func() bool { return len(f.effects(t, 1)) == 1 }, eventually, tick, "the COMMIT was carried out")
					if withKey {
						require.Equal(t, committed, f.judge(t, 1, attempt, err), "%v", err)
						require.Equal(t, 1, attempt)
						return
					}
					require.Equal(t, unknown, f.judge(t, 1, attempt, err), "%v", err)
					require.Equal(t, 1, runs)
				})
			})
		}
	}
}

// A statement that the server refuses to prepare fails the same way the next time, on
// the same connection.
func TestRefusedStatementsBehindAPooler(t *testing.T) {
	eachPooler(t, map[string]string{"default_pool_size": "1"}, func(t *testing.T, db *dbtest.DB, p *devdb.Pooler) {
		accounts(t, db)
		pool := behind(t, db, p)
		for range 3 {
			for name, f := range map[string]func(ctx context.Context, tx *txn.Tx) error{
				"first": func(ctx context.Context, tx *txn.Tx) error {
					_, err := tx.Exec(ctx, "update nowhere set balance = $1", 1)
					return err
				},
				"behind others": func(ctx context.Context, tx *txn.Tx) error {
					tx.Queue(setBalance, 1, 7)
					tx.Queue("update nowhere set balance = $1 + 0", 1)
					tx.Queue("update accounts set balance = $1 + 1", 1)
					return nil
				},
				"behind one that fails": func(ctx context.Context, tx *txn.Tx) error {
					tx.Queue("select balance / $1::bigint from nowhere", 0)
					tx.Queue("update accounts set balance = $1 + 2", 1)
					return nil
				},
			} {
				err := txn.Run(t.Context(), pool, f)
				require.Equal(t, "42P01", serverError(t, err).Code, name)
			}
		}
		require.Equal(t, 100, balance(t, db, 1))
		requireClean(t, pool)

		// A statement that pgx prepares costs a connection behind a PgBouncer that
		// knows its name.
		for range 3 {
			err := txn.Run(t.Context(), pool, func(ctx context.Context, tx *txn.Tx) error {
				if err := write(ctx, tx, 1, 7); err != nil {
					return err
				}
				_, err := tx.Exec(ctx, "update nowhere set balance = $1 + 3", 1)
				return err
			})
			require.Equal(t, "42P01", serverError(t, err).Code)
		}
		require.Equal(t, 100, balance(t, db, 1))
	})
}

// A pooler without transactions is reported by the first call.
func TestStatementPooling(t *testing.T) {
	for _, mode := range execModes() {
		t.Run(mode.String(), func(t *testing.T) {
			eachPooler(t, map[string]string{"pool_mode": "statement"}, func(t *testing.T, db *dbtest.DB, p *devdb.Pooler) {
				_, err := db.Exec(t.Context(), "create table effects (call bigint not null, attempt bigint not null)")
				require.NoError(t, err)
				f := &faulty{DB: db, pool: behind(t, db, p, func(c *pgxpool.Config) { c.ConnConfig.DefaultQueryExecMode = mode })}
				for i, shape := range []string{"COMMIT with the write", "COMMIT alone", "all in one packet"} {
					runs := 0
					attempt, err := txn.RunInTx(t.Context(), f.pool, func(ctx context.Context, tx *txn.Tx) (int, error) {
						runs++
						return shapes[shape](i)(ctx, tx)
					})
					got := f.judge(t, i, attempt, err)
					require.Equal(t, 1, runs, shape)
					if shape == "all in one packet" && got != rolledBack {
						continue // the pooler may have passed on COMMIT too
					}
					require.ErrorContains(t, err, "transaction blocks not allowed in statement pooling mode", shape)
					require.Equal(t, rolledBack, got, shape)
				}
			})
		})
	}
}
