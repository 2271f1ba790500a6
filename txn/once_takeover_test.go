package txn_test

import (
	"context"
	"errors"
	"fmt"
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
	"github.com/rowkeeper/rowkeeper/txn/once"
)

// blocked leaves a ledger row as a call does whose outcome was ambiguous and which could
// not run again: the key is taken, without an effect.
func blocked(t testing.TB, db *dbtest.DB, key string) {
	t.Helper()
	_, err := db.Exec(t.Context(), `insert into rowkeeper_ledger (namespace, key, attempt, expires_at)
		values ('test', $1, 'a nonce', now() + interval '2 hours')`, key)
	require.NoError(t, err)
}

// The call after one that was ambiguous takes the key over, on every kind of
// database.
func TestOnceTakesOver(t *testing.T) {
	for _, mode := range execModes() {
		t.Run(mode.String(), func(t *testing.T) {
			dbtest.Each(t, func(t *testing.T, db *dbtest.DB) {
				withLedger(t, db)
				f := withFaults(t, db, func(c *pgxpool.Config) { c.ConnConfig.DefaultQueryExecMode = mode })
				conn, err := db.Acquire(t.Context())
				require.NoError(t, err)
				defer conn.Release()
				call := 0
				for name := range shapes {
					for kind, through := range map[string]txn.DB{"pool": f.pool, "wrapper": wrapper{f.pool}, "open wrapper": openWrapper{wrapper{f.pool}}, "connection": conn.Conn()} {
						for opt, opts := range map[string][]txn.Option{"wait": nil, "no wait": nil, "one attempt": {txn.MaxAttempts(1)}} {
							ledger := once.Ledger{NoWait: opt == "no wait"}
							call++
							key, message := fmt.Sprint(call), fmt.Sprintf("%s, %s, %s", name, kind, opt)
							blocked(t, db, key)
							hooks := 0
							for range 2 {
								run := func() (receipt, error) {
									return txn.RunInTx(t.Context(), through, func(ctx context.Context, tx *txn.Tx) (receipt, error) {
										tx.OnCommit(func(context.Context) { hooks++ })
										return receipts(name, call)(ctx, tx)
									}, append(opts, ledger.Key("test", key, call))...)
								}
								got, err := run()
								// A call that has just ended may still hold its lock on CockroachDB.
								for start := time.Now(); db.Cockroach() && opt == "no wait" && errors.Is(err, once.ErrInFlight) && time.Since(start) < eventually; {
									got, err = run()
								}
								require.NoError(t, err, message)
								require.Equal(t, []int{got.Attempt}, f.effects(t, call), message)
								if !db.Cockroach() || opt != "no wait" { // where what was just committed may have to be looked at again
									require.Equal(t, receipt{call, 2, `"ü" \u0000 <&>`}, got, message)
								}
								require.Equal(t, 1, hooks, message)
							}
							_, err = txn.RunInTx(t.Context(), through, receipts(name, call), append(opts, ledger.Key("test", key, "another"))...)
							require.ErrorIs(t, err, once.ErrKeyReused, message)
						}
					}
				}
				var left float64
				require.NoError(t, db.QueryRow(t.Context(), "select min(extract(epoch from expires_at - now())::float8) from rowkeeper_ledger").Scan(&left))
				require.Greater(t, left, 23*3600.0, "it is kept as any other")
				require.Equal(t, call, keysIn(t, db))
			})
		})
	}
}

// Taking over takes two round trips more than a free key.
func TestRoundTripsOfTakingOver(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *dbtest.DB) {
		withLedger(t, db)
		f := withFaults(t, db)
		for name := range shapes {
			trips := func(key string) int64 {
				before := f.proxy.RoundTrips()
				_, err := txn.RunInTx(t.Context(), f.pool, receipts(name, 1), once.Key("test", name+key, nil))
				require.NoError(t, err)
				return f.proxy.RoundTrips() - before
			}
			for _, key := range []string{"1", "2"} {
				blocked(t, db, name+key)
			}
			trips("warm")
			trips("1")
			require.Equal(t, trips("free")+2, trips("2"))
		}
	})
}

// An error of the function leaves the key unchanged, and another request may take it.
func TestOnceTakesOverAfterAnError(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *dbtest.DB) {
		withLedger(t, db)
		accounts(t, db)
		blocked(t, db, "k")
		mine := errors.New("mine")
		run := func(request string, end error) error {
			return txn.Run(t.Context(), db, func(ctx context.Context, tx *txn.Tx) error {
				if err := write(ctx, tx, 1, 7); err != nil {
					return err
				}
				return end
			}, once.Key("test", "k", request))
		}
		for range 2 {
			require.ErrorIs(t, run("a", mine), mine)
			require.Equal(t, 100, balance(t, db, 1))
		}
		require.NoError(t, run("b", nil))
		require.Equal(t, 7, balance(t, db, 1))
		require.ErrorIs(t, run("a", nil), once.ErrKeyReused)

		blocked(t, db, "l")
		_, err := db.Exec(t.Context(), "update rowkeeper_ledger set expires_at = now() - interval '1 second' where key = 'l'")
		require.NoError(t, err)
		require.NoError(t, txn.Run(t.Context(), db, func(ctx context.Context, tx *txn.Tx) error { return write(ctx, tx, 2, 8) }, once.Key("test", "l", nil)))
		require.Equal(t, 8, balance(t, db, 2))
		require.Zero(t, db.Stat().AcquiredConns())
	})
}

var isolationLevels = []pgx.TxIsoLevel{pgx.Serializable, pgx.RepeatableRead, pgx.ReadCommitted}

// Of several calls that try to take over a key, in separate processes, one does, and
// the others get its result.
func TestOnceIsTakenOverByOne(t *testing.T) {
	const processes, keys = 4, 12
	dbtest.Each(t, func(t *testing.T, db *dbtest.DB) {
		withLedger(t, db)
		f := withFaults(t, db)
		var pools []*pgxpool.Pool
		for range processes {
			pools = append(pools, poolWith(t, db, func(*pgxpool.Config) {}))
		}
		call := 0
		for _, level := range isolationLevels {
			for name := range shapes {
				for range keys {
					call++
					blocked(t, db, fmt.Sprint(call))
					got, errs := make([]receipt, processes), make([]error, processes)
					var wg sync.WaitGroup
					for i, pool := range pools {
						wg.Go(func() {
							ctx, cancel := context.WithTimeout(t.Context(), eventually)
							defer cancel()
							got[i], errs[i] = txn.RunInTx(ctx, pool, receipts(name, call), once.Key("test", fmt.Sprint(call), call), txn.Isolation(level))
						})
					}
					wg.Wait()
					for i := range pools {
						require.NoError(t, errs[i], "%s, %s", level, name)
						require.Equal(t, got[0], got[i], "%s, %s", level, name)
					}
					require.Equal(t, []int{got[0].Attempt}, f.effects(t, call), "%s, %s", level, name)
				}
			}
		}
		require.Equal(t, call, keysIn(t, db))
	})
}

// The COMMIT of a call that took the key over is lost, or held in the network until
// everything is over. It counts, or fails, and at most one attempt has an effect.
func TestOnceTakesOverAmbiguously(t *testing.T) {
	mine := errors.New("mine")
	const name = "all in one packet"
	for _, test := range []struct {
		name      string
		finished  bool // the ambiguous attempt was committed
		late      bool // it arrives when all is over,
		early     bool // or before the next call
		gives     bool // the function returns an error when it is run again
		attempts  int
		committed int // attempt; 0: none
	}{
		{name: "committed", finished: true, committed: 2},
		{name: "not committed", committed: 3},
		{name: "late", late: true, committed: 3},
		{name: "error, committed", finished: true, gives: true, committed: 2},
		{name: "error, not committed", gives: true},
		{name: "error, late", late: true, gives: true},
		{name: "error, before the next call", late: true, early: true, gives: true},
		{name: "no more attempts, committed", finished: true, attempts: 1, committed: 2},
		{name: "no more attempts, not committed", attempts: 1},
		{name: "no more attempts, late", late: true, attempts: 1},
		{name: "no more attempts, before the next call", late: true, early: true, attempts: 1},
	} {
		for _, level := range isolationLevels {
			t.Run(test.name+" "+string(level), func(t *testing.T) {
				dbtest.Each(t, func(t *testing.T, db *dbtest.DB) {
					withLedger(t, db)
					f := withFaults(t, db)
					for _, warm := range []string{"a", "b"} {
						blocked(t, db, warm)
						_, err := txn.RunInTx(t.Context(), f.pool, receipts(name, -1), once.Key("test", warm, nil), txn.Isolation(level))
						require.NoError(t, err)
					}
					blocked(t, db, "k")
					late := make(chan struct{})
					hook, _ := faultnet.On(behindTheRead(faultnet.Of(faultnet.FromClient, 'B')), faultnet.CutBefore(faultnet.ResetBoth))
					switch {
					case test.finished:
						hook, _ = faultnet.On(afterSending("set attempt = $3", faultnet.Completes("COMMIT")), faultnet.CutBefore(faultnet.ResetClient))
					case test.late:
						hook, _ = faultnet.On(behindTheRead(faultnet.Of(faultnet.FromClient, 'B')), faultnet.Zombie(late, faultnet.ResetClient))
					}
					ends, finished := lands(f.proxy.Sessions(), late)
					f.proxy.SetHook(faultnet.Hooks(hook, ends))
					opts := []txn.Option{once.Key("test", "k", nil), txn.Isolation(level)}
					first := opts
					if test.attempts > 0 {
						first = append(first, txn.MaxAttempts(test.attempts))
					}
					hooks := 0
					got, err := txn.RunInTx(t.Context(), f.pool, func(ctx context.Context, tx *txn.Tx) (receipt, error) {
						tx.OnCommit(func(context.Context) { hooks++ })
						if test.gives && tx.Attempt() > 2 {
							return receipt{}, mine
						}
						return receipts(name, 1)(ctx, tx)
					}, first...)
					if test.early {
						close(late)
						<-finished
					}
					if test.committed == 0 {
						require.Equal(t, rolledBack, claimOf(err), "%v", err)
						require.Empty(t, f.effects(t, 1))
						require.Zero(t, hooks)
						got, err = txn.RunInTx(t.Context(), f.pool, receipts(name, 1), opts...)
					} else {
						require.Equal(t, 1, hooks)
						require.Equal(t, test.committed, got.Attempt)
					}
					require.NoError(t, err)
					if test.late && !test.early {
						close(late)
						<-finished
					}
					for range 2 {
						require.Equal(t, []int{got.Attempt}, f.effects(t, 1))
						again, err := txn.RunInTx(t.Context(), f.pool, receipts(name, 1), opts...)
						require.NoError(t, err)
						require.Equal(t, got, again)
					}
				})
			})
		}
	}
}

// behindTheRead matches m once the ledger has been read, which happens after a claim
// has failed.
func behindTheRead(m faultnet.Match) faultnet.Match {
	return afterSending("select attempt, request, result", m)
}

// afterSending matches m once a statement containing text has been sent.
func afterSending(text string, m faultnet.Match) faultnet.Match {
	sent := false
	return func(message faultnet.Message) bool {
		if sent {
			return m(message)
		}
		sent = message.From == faultnet.FromClient && message.Type == 'B' && strings.Contains(message.SQL(), text)
		return false
	}
}
