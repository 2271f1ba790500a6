package txn_test

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rowkeeper/rowkeeper/internal/devdb/dbtest"
	"github.com/rowkeeper/rowkeeper/internal/faultnet"
	"github.com/rowkeeper/rowkeeper/txn"
)

// long returns how many calls a test compares with the database.
func long(n int) int {
	if testing.Short() {
		return n / 16
	}
	return n
}

// told is the result of a call.
type told struct {
	call, attempt int
	err           error
}

// tellAll makes concurrent calls and returns their results.
func tellAll(first, n, workers int, call func(number int) (int, error)) []told {
	all := make([]told, n)
	var wg sync.WaitGroup
	for w := range workers {
		wg.Go(func() {
			for i := w; i < n; i += workers {
				attempt, err := call(first + i)
				all[i] = told{first + i, attempt, err}
			}
		})
	}
	wg.Wait()
	return all
}

// judgeAll judges the results, and counts the claims.
func (f *faulty) judgeAll(t testing.TB, all []told) map[claim]int {
	t.Helper()
	rows, err := f.Query(context.Background(), "select call, attempt from effects")
	require.NoError(t, err)
	effects := map[int][]int{}
	var call, attempt int
	_, err = pgx.ForEachRow(rows, []any{&call, &attempt}, func() error {
		effects[call] = append(effects[call], attempt)
		return nil
	})
	require.NoError(t, err)
	counts := map[claim]int{}
	for _, c := range all {
		got := claimOf(c.err)
		counts[got]++
		switch got {
		case committed:
			require.Equal(t, []int{c.attempt}, effects[c.call], "call %d was told committed: %v", c.call, c.err)
		case rolledBack:
			require.Empty(t, effects[c.call], "call %d was told rolled back: %v", c.call, c.err)
		case unknown:
			require.LessOrEqual(t, len(effects[c.call]), 1, "call %d was told unknown: %v", c.call, c.err)
		}
	}
	return counts
}

// inBatch is a call of Batch.
func inBatch(ctx context.Context, db txn.DB, call int) (int, error) {
	var b pgx.Batch
	b.Queue(insertEffect, call, 1)
	b.Queue("select 1")
	return 1, txn.Batch(ctx, db, &b)
}

// staleWays are the ways in which a call may find that its pool's connections have
// ended. Those of Batch have no attempt in their row.
var staleWays = map[string]func(ctx context.Context, pool *pgxpool.Pool, call int) (int, error){
	"Batch": func(ctx context.Context, pool *pgxpool.Pool, call int) (int, error) { return inBatch(ctx, pool, call) },
	"wrapper": func(ctx context.Context, pool *pgxpool.Pool, call int) (int, error) {
		return txn.RunInTx(ctx, wrapper{pool}, shapes["COMMIT alone"](call))
	},
	"first statement alone": func(ctx context.Context, pool *pgxpool.Pool, call int) (int, error) {
		return txn.RunInTx(ctx, pool, shapes["COMMIT alone"](call))
	},
	"all in one packet": func(ctx context.Context, pool *pgxpool.Pool, call int) (int, error) {
		return txn.RunInTx(ctx, pool, shapes["all in one packet"](call))
	},
}

// TestStaleConnections repeatedly ends the sessions of all connections in a pool, and
// makes more concurrent calls than that. Nothing was sent to a server that could have
// executed it, so all calls commit, whether the end shows before the first packet is
// sent or only after it.
func TestStaleConnections(t *testing.T) {
	const conns, callers = 5, 64
	for way, call := range staleWays {
		for _, comesLate := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, late %t", way, comesLate), func(t *testing.T) {
				dbtest.Each(t, func(t *testing.T, db *dbtest.DB) {
					if db.Cockroach() {
						t.Skip("CockroachDB v21.1 has no pg_terminate_backend")
					}
					f := withFaults(t, db, func(c *pgxpool.Config) {
						c.MaxConns = conns
						c.ConnConfig.DefaultQueryExecMode = execModes()[len(way)%len(execModes())]
						c.ShouldPing = func(context.Context, pgxpool.ShouldPingParams) bool { return false }
					})
					var late goodbyes
					if comesLate {
						f.proxy.SetHook(late.hold)
					}
					var all []told
					for len(all) < long(5000)/len(staleWays) {
						warmAll(t, f.pool, conns)
						_, err := db.Exec(t.Context(), "select pg_terminate_backend(pid) from pg_stat_activity where application_name = $1", db.Schema)
						require.NoError(t, err)
						f.gone(t)
						if comesLate {
							require.Eventually(t, func() bool { return late.count() == conns }, eventually, tick)
						}
						all = append(all, tellAll(len(all)+1, callers, callers, func(number int) (int, error) {
							return call(t.Context(), f.pool, number)
						})...)
					}
					for _, c := range all {
						require.NoError(t, c.err)
						require.LessOrEqual(t, c.attempt, 2)
					}
					counts := f.judgeAll(t, all)
					t.Logf("%d calls: %v", len(all), counts)
					requireGivenBack(t, f.pool)
				})
			})
		}
	}
}

// warmAll makes n connections of a pool serve one transaction each.
func warmAll(t testing.TB, pool *pgxpool.Pool, n int) {
	t.Helper()
	var wg, all sync.WaitGroup
	all.Add(n)
	for range n {
		wg.Go(func() {
			assert.NoError(t, txn.Run(t.Context(), pool, func(ctx context.Context, tx *txn.Tx) error {
				_, err := tx.Exec(ctx, insertEffect, -1, 0)
				all.Done()
				all.Wait()
				return err
			}))
		})
	}
	wg.Wait()
}

// goodbyes holds back the server's message that it ends a session, and the end itself,
// until the client sends something.
type goodbyes struct {
	mu   sync.Mutex
	held map[int]chan struct{}
}

func (g *goodbyes) count() int {
	g.mu.Lock()
	defer g.mu.Unlock()
	return len(g.held)
}

func (g *goodbyes) hold(m faultnet.Message) faultnet.Action {
	g.mu.Lock()
	defer g.mu.Unlock()
	release := g.held[m.Conn]
	switch {
	case m.From == faultnet.FromClient && release != nil:
		close(release)
		delete(g.held, m.Conn)
	case m.From == faultnet.FromServer && m.Type == 'E' && release == nil && bytes.Contains(m.Data, []byte("57P01")):
		release = make(chan struct{})
		if g.held == nil {
			g.held = map[int]chan struct{}{}
		}
		g.held[m.Conn] = release
		return faultnet.Hold(release)
	}
	return faultnet.Pass()
}

// TestCutInTheFirstStatement cuts every connection in the first statement, between
// client and server. A call gives up as soon as for a later one; a connection that had
// been in the pool may have ended there, once.
func TestCutInTheFirstStatement(t *testing.T) {
	for name, cut := range map[string]faultnet.Action{"before": faultnet.CutBefore(faultnet.ResetBoth), "behind": faultnet.CutAfter(faultnet.ResetBoth)} {
		for _, used := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, used %t", name, used), func(t *testing.T) {
				dbtest.Each(t, func(t *testing.T, db *dbtest.DB) {
					f := withFaults(t, db, func(c *pgxpool.Config) { c.MaxConns = 8 })
					want := 4
					if used {
						warmAll(t, f.pool, 8)
						want++
					}
					f.proxy.SetHook(func(m faultnet.Message) faultnet.Action {
						if m.Executes(insertEffect) {
							return cut
						}
						return faultnet.Pass()
					})
					runs := 0
					attempt, err := txn.RunInTx(t.Context(), f.pool, func(ctx context.Context, tx *txn.Tx) (int, error) {
						runs++
						_, err := tx.Exec(ctx, insertEffect, 1, tx.Attempt())
						return tx.Attempt(), err
					})
					require.Error(t, err)
					require.Equal(t, want, runs)
					f.proxy.SetHook(nil)
					f.pool.Close()
					f.gone(t)
					require.Equal(t, rolledBack, f.judge(t, 1, attempt, err))
				})
			})
		}
	}
}

// An error before the answer to BEGIN names the statement that traveled with it, as
// well as BEGIN.
func TestErrorOfTheFirstPacketNamesItsStatement(t *testing.T) {
	for _, mode := range execModes() {
		t.Run(mode.String(), func(t *testing.T) {
			dbtest.Each(t, func(t *testing.T, db *dbtest.DB) {
				f := withFaults(t, db, func(c *pgxpool.Config) { c.ConnConfig.DefaultQueryExecMode = mode })
				for name, test := range map[string]struct {
					action faultnet.Action
					queued bool
				}{
					"lost":            {faultnet.CutBefore(faultnet.ResetBoth), false},
					"deadline":        {faultnet.Silence(), false},
					"queued lost":     {faultnet.CutBefore(faultnet.ResetBoth), true},
					"queued deadline": {faultnet.Silence(), true},
				} {
					f.warm(t)
					hook, _ := faultnet.On(faultnet.Completes("BEGIN"), test.action)
					f.proxy.SetHook(hook)
					ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
					err := txn.Run(ctx, f.pool, func(ctx context.Context, tx *txn.Tx) error {
						if test.queued {
							tx.Queue(insertEffect, 1, 1)
							return tx.QueryRow(ctx, "select 1").Scan(new(int))
						}
						_, err := tx.Exec(ctx, insertEffect, 1, 1)
						return err
					}, txn.MaxAttempts(1))
					cancel()
					f.proxy.SetHook(nil)
					f.proxy.Cut(0, faultnet.ResetBoth)
					require.ErrorContains(t, err, "begin", name)
					require.ErrorContains(t, err, insertEffect, name)
				}
			})
		})
	}
}

// TestCutsInTheFirstPacket cuts connections at random messages of the packet that
// begins a transaction, in both directions, and judges every result. Only if COMMIT is
// in that packet may anything be unknown.
func TestCutsInTheFirstPacket(t *testing.T) {
	for _, mode := range execModes() {
		t.Run(mode.String(), func(t *testing.T) {
			dbtest.Each(t, func(t *testing.T, db *dbtest.DB) {
				f := withFaults(t, db, func(c *pgxpool.Config) {
					c.MaxConns = 8
					c.ConnConfig.DefaultQueryExecMode = mode
				})
				f.proxy.SetHook(cutFirstPackets(db))
				ways := []string{"all in one packet", "first statement alone", "Batch", "wrapper"}
				all := tellAll(1, long(5000)/len(execModes()), 16, func(number int) (int, error) {
					ctx, cancel := context.WithTimeout(t.Context(), eventually)
					defer cancel()
					return staleWays[ways[number%len(ways)]](ctx, f.pool, number)
				})
				f.proxy.SetHook(nil)
				require.Eventually(t, func() bool { return f.pool.Stat().AcquiredConns() == 0 }, eventually, tick)
				f.pool.Close()
				f.proxy.Close()
				f.gone(t)
				counts := f.judgeAll(t, all)
				t.Logf("%d calls: %v", len(all), counts)
				require.NotZero(t, counts[committed])
				for _, c := range all {
					if way := ways[c.call%len(ways)]; way == "first statement alone" || way == "wrapper" {
						require.NotEqual(t, unknown, claimOf(c.err), "COMMIT was not in the packet: %v", c.err)
					}
				}
			})
		})
	}
}

// cutFirstPackets cuts one of four connections at one of the first messages after the
// BEGIN of a transaction, up to the end of the first answer.
func cutFirstPackets(db *dbtest.DB) faultnet.Hook {
	random := rand.New(rand.NewPCG(6, 6))
	left := map[int]int{} // messages until the cut, by connection
	return func(m faultnet.Message) faultnet.Action {
		if m.From == faultnet.FromClient && (m.Type == 'B' || m.Type == 'Q') && len(m.SQL()) > 5 && m.SQL()[:5] == "begin" {
			left[m.Conn] = random.IntN(40)
		}
		n, begun := left[m.Conn]
		if !begun {
			return faultnet.Pass()
		}
		left[m.Conn] = n - 1
		if n == 0 || m.From == faultnet.FromServer && m.Type == 'Z' { // the end of the packet's answer
			delete(left, m.Conn)
		}
		if n > 0 {
			return faultnet.Pass()
		}
		cuts := cutsFor(db)
		if m.From == faultnet.FromServer && m.Type == 'Z' || random.IntN(2) == 0 {
			return faultnet.CutBefore(cuts[random.IntN(len(cuts))])
		}
		return faultnet.CutAfter(cuts[random.IntN(len(cuts))])
	}
}
