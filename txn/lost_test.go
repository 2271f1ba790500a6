package txn_test

import (
	"context"
	"errors"
	"math/rand/v2"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	"github.com/rowkeeper/rowkeeper/internal/devdb/dbtest"
	"github.com/rowkeeper/rowkeeper/internal/faultnet"
	"github.com/rowkeeper/rowkeeper/txn"
)

// A connection that is lost each time ends the call with a definite error.
func TestLostTooOften(t *testing.T) {
	for name, returned := range map[string]func(error) error{"returned": asIs, "swallowed": func(error) error { return nil }} {
		t.Run(name, func(t *testing.T) {
			dbtest.Each(t, func(t *testing.T, db *dbtest.DB) {
				f := withFaults(t, db)
				runs := 0
				err := txn.Run(t.Context(), f.pool, func(ctx context.Context, tx *txn.Tx) error {
					runs++
					if _, err := tx.Exec(ctx, insertEffect, 1, tx.Attempt()); err != nil {
						return err
					}
					require.NoError(t, tx.Conn().PgConn().Conn().Close())
					_, err := tx.Exec(ctx, insertEffect, 1, tx.Attempt())
					return returned(err)
				})
				require.Equal(t, 4, runs)
				require.Error(t, err)
				f.pool.Close()
				f.gone(t)
				require.Equal(t, rolledBack, f.judge(t, 1, 0, err))
			})
		})
	}
}

// A connection whose server ended while it was in the pool is replaced before anything
// is sent on it, if the system reports that.
func TestPooledConnectionThatWasTerminated(t *testing.T) {
	for name, shape := range shapes {
		t.Run(name, func(t *testing.T) {
			dbtest.Each(t, func(t *testing.T, db *dbtest.DB) {
				if db.Cockroach() {
					t.Skip("CockroachDB has no pg_terminate_backend")
				}
				f := withFaults(t, db)
				pool := poolWith(t, db, func(c *pgxpool.Config) {
					c.ConnConfig.RuntimeParams["application_name"] = db.Schema
					c.ShouldPing = func(context.Context, pgxpool.ShouldPingParams) bool { return false }
				})
				require.NoError(t, pool.Ping(t.Context()))
				_, err := db.Exec(t.Context(), "select pg_terminate_backend(pid) from pg_stat_activity where application_name = $1", db.Schema)
				require.NoError(t, err)
				f.gone(t)
				attempt, err := txn.RunInTx(t.Context(), pool, shape(1))
				require.NoError(t, err)
				require.LessOrEqual(t, attempt, 2)
				f.judge(t, 1, attempt, err)
			})
		})
	}
}

// CockroachDB sends this to a client when it shuts down, in place of BEGIN's answer.
func TestFatalErrorInThePlaceOfBegin(t *testing.T) {
	for source, want := range map[string]claim{"postgres": committed, "cockroach": committed, "": unknown} {
		t.Run("from "+source, func(t *testing.T) {
			dbtest.Each(t, func(t *testing.T, db *dbtest.DB) {
				f := withFaults(t, db)
				f.warm(t)
				said, gone, turned := false, false, asRollback()
				f.proxy.SetHook(func(m faultnet.Message) faultnet.Action {
					switch {
					case gone:
						return faultnet.Pass()
					case said && m.From == faultnet.FromServer:
						gone = true
						return faultnet.CutBefore(faultnet.CloseBoth)
					case m.From == faultnet.FromServer:
						said = true
						return faultnet.Replace(faultnet.Encode(answer("FATAL", "57P01", source)))
					}
					return turned(m) // as it was not carried out
				})
				attempt, err := txn.RunInTx(t.Context(), f.pool, shapes["all in one packet"](1))
				require.Equal(t, want, f.judge(t, 1, attempt, err), "%v", err)
			})
		})
	}
}

// RETRY_COMMIT_DEADLINE_EXCEEDED is seldom resolved by a retry, so its retries are
// limited.
func TestConflictThatSeldomGoesAway(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *dbtest.DB) {
		f := withFaults(t, db)
		e := answer("ERROR", "40001", "cockroach")
		e.Message = "restart transaction: TransactionRetryError: retry txn (RETRY_COMMIT_DEADLINE_EXCEEDED - x)"
		f.proxy.SetHook(func(m faultnet.Message) faultnet.Action {
			return faultnet.Hooks(answering(e), asRollback())(m)
		})
		runs := 0
		err := txn.Run(t.Context(), f.pool, func(ctx context.Context, tx *txn.Tx) error {
			runs++
			_, err := tx.Exec(ctx, insertEffect, 1, tx.Attempt())
			return err
		})
		require.Equal(t, 4, runs)
		requireCode(t, err, "40001")
		require.Equal(t, rolledBack, f.judge(t, 1, 0, err))
	})
}

func TestIdempotentAndReadOnlyRunAgainAfterAnUnknownOutcome(t *testing.T) {
	lose := func() faultnet.Hook {
		hook, _ := faultnet.On(faultnet.Completes("COMMIT"), faultnet.CutBefore(faultnet.ResetClient))
		return hook
	}
	t.Run("idempotent", func(t *testing.T) {
		dbtest.Each(t, func(t *testing.T, db *dbtest.DB) {
			f := withFaults(t, db)
			f.proxy.SetHook(lose())
			attempt, err := txn.RunInTx(t.Context(), f.pool, shapes["COMMIT alone"](1), txn.Idempotent())
			require.NoError(t, err)
			require.Equal(t, 2, attempt)
			require.ElementsMatch(t, []int{1, 2}, f.effects(t, 1), "which is harmless, says the option")
		})
	})
	t.Run("read only", func(t *testing.T) {
		dbtest.Each(t, func(t *testing.T, db *dbtest.DB) {
			f := withFaults(t, db)
			f.proxy.SetHook(lose())
			attempt, err := txn.RunInTx(t.Context(), f.pool, func(ctx context.Context, tx *txn.Tx) (int, error) {
				return tx.Attempt(), tx.QueryRow(ctx, "select count(*) from effects").Scan(new(int))
			}, txn.ReadOnly())
			require.NoError(t, err)
			require.Equal(t, 2, attempt)
		})
	})
	t.Run("idempotent, and then an error", func(t *testing.T) {
		dbtest.Each(t, func(t *testing.T, db *dbtest.DB) {
			f := withFaults(t, db)
			f.proxy.SetHook(lose())
			mine := errors.New("mine")
			_, err := txn.RunInTx(t.Context(), f.pool, func(ctx context.Context, tx *txn.Tx) (int, error) {
				if tx.Attempt() == 2 {
					return 0, mine
				}
				return shapes["COMMIT alone"](1)(ctx, tx)
			}, txn.Idempotent())
			require.ErrorIs(t, err, mine)
			require.ErrorAs(t, err, new(*txn.OutcomeUnknownError), "the first attempt was committed after all")
		})
	})
}

// The client is cut off during the function, and its orphaned session keeps its locks.
// Otherwise the next attempt would wait for them until its end.
func TestOrphan(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *dbtest.DB) {
		if db.Cockroach() {
			t.Skip("CockroachDB has no pg_terminate_backend")
		}
		f := withFaults(t, db)
		accounts(t, db)
		hook, _ := faultnet.On(faultnet.Executes("update accounts set balance = balance + 2 where id = 1"), faultnet.CutBefore(faultnet.ResetClient))
		f.proxy.SetHook(hook)
		ctx, cancel := context.WithTimeout(t.Context(), eventually)
		defer cancel()
		attempts, err := txn.RunInTx(ctx, f.pool, func(ctx context.Context, tx *txn.Tx) (int, error) {
			if err := write(ctx, tx, 1, 7); err != nil {
				return 0, err
			}
			_, err := tx.Exec(ctx, "update accounts set balance = balance + 2 where id = 1")
			return tx.Attempt(), err
		})
		require.NoError(t, err, "nobody else would have ended the locks of the first")
		require.GreaterOrEqual(t, attempts, 2, "one more if the hunt took longer than it may")
		require.Equal(t, 9, balance(t, db, 1))
	})
}

// If the orphaned session cannot be terminated, the lock timeout of the next attempts
// gives back the locks and the connection, and the error is definite.
func TestOrphanThatStays(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *dbtest.DB) {
		if db.Cockroach() {
			t.Skip("CockroachDB v21.1 has no lock_timeout")
		}
		f := withFaults(t, db)
		accounts(t, db)
		holder, err := db.Begin(t.Context()) // an orphan that is another session
		require.NoError(t, err)
		defer holder.Rollback(context.Background())
		runs := 0
		err = txn.Run(t.Context(), f.pool, func(ctx context.Context, tx *txn.Tx) error {
			runs++
			if runs == 1 {
				require.NoError(t, write(t.Context(), holder, 1, 7))
				require.NotNil(t, tx.Conn())
				return errors.Join(tx.Conn().PgConn().Conn().Close(), write(ctx, tx, 1, 8))
			}
			if runs == 3 {
				require.NoError(t, holder.Rollback(ctx))
			}
			return write(ctx, tx, 1, 9)
		})
		require.NoError(t, err)
		require.Equal(t, 3, runs, "the second ran into its lock timeout")
		require.Equal(t, 9, balance(t, db, 1))
	})
}

// A client that hangs up at any moment does not make the outcome unknown.
func TestClientsThatHangUp(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *dbtest.DB) {
		f := withFaults(t, db, func(c *pgxpool.Config) { c.MaxConns = 4 })
		f.proxy.SetRoundTrip(2 * time.Millisecond)
		f.proxy.LoseCancels(false)
		type told struct {
			call, attempt int
			err           error
		}
		var mu sync.Mutex
		var all []told
		var wg sync.WaitGroup
		for worker := range 4 {
			wg.Go(func() {
				random := rand.New(rand.NewPCG(7, uint64(worker)))
				for i := range 60 {
					call := worker*1000 + i
					patience := time.Duration(random.IntN(40_000)) * time.Microsecond
					if i%10 == 0 {
						patience = eventually // or on a slow machine nothing may be committed
					}
					ctx, cancel := context.WithTimeout(t.Context(), patience)
					names := []string{"all in one packet", "COMMIT with the write", "COMMIT alone"}
					attempt, err := txn.RunInTx(ctx, f.pool, shapes[names[i%3]](call))
					cancel()
					mu.Lock()
					all = append(all, told{call, attempt, err})
					mu.Unlock()
				}
			})
		}
		wg.Wait()
		counts := map[claim]int{}
		f.pool.Close()
		f.gone(t)
		for _, c := range all {
			counts[f.judge(t, c.call, c.attempt, c.err)]++
		}
		require.Zero(t, counts[unknown])
		require.NotZero(t, counts[committed])
		require.NotZero(t, counts[rolledBack])
	})
}

// A client hangs up while a queued write waits for a lock, with COMMIT after it in the
// same packet. The write is canceled, so nothing is unknown.
func TestHangUpWhileAQueuedWriteWaits(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *dbtest.DB) {
		if db.Cockroach() {
			t.Skip("CockroachDB v21.1 cannot be asked to cancel")
		}
		accounts(t, db)
		pool := poolWith(t, db, func(c *pgxpool.Config) { c.ConnConfig.RuntimeParams["application_name"] = db.Schema })
		holder, err := db.Begin(t.Context())
		require.NoError(t, err)
		defer holder.Rollback(context.Background())
		require.NoError(t, write(t.Context(), holder, 1, 7))
		ctx, hangUp := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() {
			done <- txn.Run(ctx, pool, func(ctx context.Context, tx *txn.Tx) error {
				tx.Queue(setBalance, 1, 8)
				return nil
			})
		}()
		require.Eventually(t, func() bool {
			var waiting int
			err := db.QueryRow(t.Context(), "select count(*) from pg_stat_activity where wait_event_type = 'Lock' and application_name = $1", db.Schema).Scan(&waiting)
			return err == nil && waiting > 0
		}, eventually, tick)
		hangUp()
		err = <-done
		requireCode(t, err, "57014")
		require.ErrorIs(t, err, context.Canceled)
		require.Equal(t, rolledBack, claimOf(err))
		require.NoError(t, holder.Rollback(t.Context()))
		require.Equal(t, 100, balance(t, db, 1))
		requireClean(t, pool)
	})
}

// A COMMIT that is never answered ends the call after a grace, as unknown.
func TestCommitWithoutAnswer(t *testing.T) {
	t.Parallel()
	for name, shape := range shapes {
		t.Run(name, func(t *testing.T) {
			dbtest.Each(t, func(t *testing.T, db *dbtest.DB) {
				f := withFaults(t, db)
				f.warm(t)
				ctx, hangUp := context.WithCancel(t.Context())
				hook, seen := faultnet.On(faultnet.Completes("COMMIT"), faultnet.Silence())
				f.proxy.SetHook(hook)
				go func() { <-seen; hangUp() }()
				attempt, err := txn.RunInTx(ctx, f.pool, shape(1))
				require.Equal(t, unknown, f.judge(t, 1, attempt, err))
				require.Len(t, f.effects(t, 1), 1)
				f.proxy.Close()
				require.Eventually(t, func() bool { return f.pool.Stat().TotalConns() == 0 }, eventually, tick)
			})
		})
	}
}

// TestRandomCuts cuts connections after random numbers of bytes, in every mode:
// no claim is wrong, no connection is lost to the pool or comes back dirty, and
// no goroutine stays.
func TestRandomCuts(t *testing.T) {
	cuts := 200 // for each mode on each engine
	if testing.Short() {
		cuts = 40
	}
	for _, mode := range execModes() {
		t.Run(mode.String(), func(t *testing.T) {
			dbtest.Each(t, func(t *testing.T, db *dbtest.DB) { randomCuts(t, db, mode, cuts) })
		})
	}
}

// cutsFor returns the cuts that a client notices; after other cuts it waits for its
// context to end. On CockroachDB an unaware session blocks all readers of the table, so
// there both sides are cut.
func cutsFor(db *dbtest.DB) []faultnet.Cut {
	if db.Cockroach() {
		return []faultnet.Cut{faultnet.ResetBoth, faultnet.CloseBoth}
	}
	return []faultnet.Cut{faultnet.ResetBoth, faultnet.CloseBoth, faultnet.ResetClient, faultnet.CloseClient}
}

func randomCuts(t *testing.T, db *dbtest.DB, mode pgx.QueryExecMode, cuts int) {
	f := withFaults(t, db, func(c *pgxpool.Config) { c.ConnConfig.DefaultQueryExecMode = mode })
	random := rand.New(rand.NewPCG(uint64(mode), 20))
	type told struct {
		call, attempt int
		err           error
	}
	var all []told
	names := []string{"all in one packet", "COMMIT with the write", "COMMIT alone"}
	for i := range cuts {
		from := faultnet.FromClient
		if random.IntN(2) == 0 {
			from = faultnet.FromServer
		}
		f.proxy.CutAfterBytes(from, 1+random.Int64N(700), cutsFor(db)[random.IntN(len(cutsFor(db)))])
		for j := range 3 {
			call := i*10 + j + 1
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			attempt, err := txn.RunInTx(ctx, f.pool, shapes[names[random.IntN(3)]](call))
			cancel()
			all = append(all, told{call, attempt, err})
			conn, err := f.pool.Acquire(t.Context())
			require.NoError(t, err)
			require.Equal(t, "I", string(conn.Conn().PgConn().TxStatus()))
			conn.Release()
		}
	}
	require.Eventually(t, func() bool { return f.pool.Stat().AcquiredConns() == 0 }, eventually, tick)
	f.pool.Close()
	f.proxy.Close()
	f.gone(t)
	counts := map[claim]int{}
	for _, c := range all {
		counts[f.judge(t, c.call, c.attempt, c.err)]++
	}
	t.Logf("%d cuts: %v", cuts, counts)
	require.NotZero(t, counts[committed])
	require.Eventually(t, func() bool { return !ours(stacks()) }, eventually, tick, "no goroutine of a call is left")
}

func stacks() string {
	buf := make([]byte, 1<<22)
	return string(buf[:runtime.Stack(buf, true)])
}

// ours reports whether a goroutine runs code that a call has started, directly or
// through a timer or a context.
func ours(stacks string) bool {
	const pkg = "github.com/rowkeeper/rowkeeper/txn."
	for g := range strings.SplitSeq(stacks, "\n\n") {
		_, creator, _ := strings.Cut(g, "created by ")
		for _, by := range []string{pkg, "context.", "time."} {
			if strings.Contains(g, pkg) && strings.HasPrefix(creator, by) {
				return true
			}
		}
	}
	return false
}
