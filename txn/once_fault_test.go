package txn_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"runtime"
	"slices"
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

// Once adds no round trip the first time, and a replay takes two.
func TestRoundTripsOfOnce(t *testing.T) {
	for name := range shapes {
		for _, mode := range execModes() {
			t.Run(name+" "+mode.String(), func(t *testing.T) {
				if mode == pgx.QueryExecModeDescribeExec {
					t.Skip("it describes every statement each time")
				}
				dbtest.Each(t, func(t *testing.T, db *dbtest.DB) {
					withLedger(t, db)
					f := withFaults(t, db, func(c *pgxpool.Config) { c.ConnConfig.DefaultQueryExecMode = mode })
					trips := func(key string, ledger once.Ledger) int64 {
						before := f.proxy.RoundTrips()
						var opts []txn.Option
						if key != "" {
							opts = append(opts, ledger.Key("test", key, nil))
						}
						_, err := txn.RunInTx(t.Context(), f.pool, receipts(name, 1), opts...)
						require.NoError(t, err)
						return f.proxy.RoundTrips() - before
					}
					// In the simple protocol COMMIT is a separate write, before or
					// after the answer to the first: the fewest of several count.
					// Otherwise each counts.
					tries := 1
					if mode == pgx.QueryExecModeSimpleProtocol {
						tries = 10
					}
					fewest := func(key func(i int) string, ledger once.Ledger) int64 {
						least := trips(key(0), ledger)
						for i := 1; i < tries; i++ {
							least = min(least, trips(key(i), ledger))
						}
						return least
					}
					fresh := func(name string) func(int) string { return func(i int) string { return fmt.Sprint(name, i) } }
					always := func(key string) func(int) string { return func(int) string { return key } }
					wait, noWait := once.Ledger{}, once.Ledger{NoWait: true}
					trips("warm", wait)
					without := fewest(always(""), wait)
					require.Equal(t, without, fewest(fresh("first"), wait))
					require.EqualValues(t, 2, fewest(always("first0"), wait), "a replay")
					trips("warm too", noWait)
					require.Equal(t, without, fewest(fresh("second"), noWait))
					if !db.Cockroach() { // where what was just committed may have to be looked at again
						require.EqualValues(t, 2, fewest(always("second0"), noWait))
					}
				})
			})
		}
	}
}

// The claim goes ahead of all statements of the function, in the same packet.
func TestOnceClaimsFirst(t *testing.T) {
	const (
		claim  = "insert into rowkeeper_ledger"
		result = "update rowkeeper_ledger"
		sync   = ""
	)
	for name, want := range map[string][]string{
		"all in one packet":     {"begin", claim, insertEffect, "commit", sync},
		"COMMIT with the write": {"begin", claim, "select", sync, insertEffect, result, "commit", sync},
		"COMMIT alone":          {"begin", claim, insertEffect, sync, result, "commit", sync},
	} {
		t.Run(name, func(t *testing.T) {
			dbtest.Each(t, func(t *testing.T, db *dbtest.DB) {
				withLedger(t, db)
				f := withFaults(t, db)
				var sent []string
				f.proxy.SetHook(func(m faultnet.Message) faultnet.Action {
					if m.From == faultnet.FromClient && (m.Type == 'B' || m.Type == 'S' || m.Type == 'Q') {
						sent = append(sent, m.SQL())
					}
					return faultnet.Pass()
				})
				for i := range 2 {
					sent = nil
					_, err := txn.RunInTx(t.Context(), f.pool, receipts(name, 1), once.Key("test", fmt.Sprint(i), nil))
					require.NoError(t, err)
				}
				f.proxy.SetHook(nil)
				require.Len(t, sent, len(want))
				for i := range want {
					require.Contains(t, sent[i], want[i])
					require.NotContains(t, sent[i], "conflict")
					require.Equal(t, want[i] == sync, sent[i] == sync)
				}
			})
		})
	}
}

// TestOnceLostAt loses the connection at each message of a transaction, in both
// directions and in each way, with and without the message delivered: every call
// ends as committed, once, with the result of the attempt that was.
func TestOnceLostAt(t *testing.T) {
	t.Parallel()
	for name := range shapes {
		t.Run(name, func(t *testing.T) {
			dbtest.Each(t, func(t *testing.T, db *dbtest.DB) {
				withLedger(t, db)
				f := withFaults(t, db)
				warm := func() {
					_, err := txn.RunInTx(t.Context(), f.pool, receipts(name, -1), once.Key("test", fmt.Sprint("warm", time.Now()), nil))
					require.NoError(t, err)
				}
				type told struct {
					call int
					got  receipt
				}
				var all []told
				hooks := map[int]int{}
				for _, from := range []faultnet.Direction{faultnet.FromClient, faultnet.FromServer} {
					for place := 1; ; place++ {
						reached := false
						for i, cut := range cutsFor(db) {
							if testing.Short() && i != place%len(cutsFor(db)) {
								continue
							}
							for _, action := range []faultnet.Action{faultnet.CutBefore(cut), faultnet.Truncate(5, cut), faultnet.CutAfter(cut)} {
								warm()
								n, session := 0, f.proxy.Sessions()
								f.proxy.SetHook(func(m faultnet.Message) faultnet.Action {
									if m.From != from || m.Conn != session {
										return faultnet.Pass()
									}
									if n++; n == place {
										return action
									}
									return faultnet.Pass()
								})
								call := len(all) + 1
								ctx, cancel := context.WithTimeout(t.Context(), eventually)
								got, err := txn.RunInTx(ctx, f.pool, func(ctx context.Context, tx *txn.Tx) (receipt, error) {
									tx.OnCommit(func(context.Context) { hooks[call]++ })
									return receipts(name, call)(ctx, tx)
								}, once.Key("test", fmt.Sprint(call), call))
								cancel()
								f.proxy.SetHook(nil)
								require.NoError(t, err, "%v, message %d, %v", from, place, cut)
								all = append(all, told{call, got})
								reached = reached || n >= place
							}
						}
						if !reached {
							break
						}
					}
				}
				f.pool.Close()
				f.proxy.Close()
				f.gone(t)
				for _, c := range all {
					require.Equal(t, []int{c.got.Attempt}, f.effects(t, c.call))
					require.Equal(t, c.call, c.got.Call)
					require.Equal(t, 1, hooks[c.call], "OnCommit")
				}
				t.Logf("%d cuts", len(all))
			})
		})
	}
}

// lands signals when a held message is over: it was answered, or its session was ended.
func lands(session int, late <-chan struct{}) (faultnet.Hook, <-chan struct{}) {
	finished, done := make(chan struct{}), false
	return func(m faultnet.Message) faultnet.Action {
		if m.Conn != session || m.From != faultnet.FromServer || done {
			return faultnet.Pass()
		}
		done = m.Type == 'E'
		select {
		case <-late:
			done = done || m.Type == 'Z'
		default:
		}
		if done {
			close(finished)
		}
		return faultnet.Pass()
	}, finished
}

// The COMMIT is held in the network and arrives when the call has been run again: the
// first to take the key wins, and the other fails. If the claim is held too, the second
// run wins; if it was delivered, its session still has the key.
func TestOnceAndTheZombie(t *testing.T) {
	for test := range 2 * len(shapes) {
		name, takesOver := slices.Sorted(maps.Keys(shapes))[test/2], test%2 == 1
		t.Run(fmt.Sprintf("%s, takes over %t", name, takesOver), func(t *testing.T) {
			dbtest.Each(t, func(t *testing.T, db *dbtest.DB) {
				withLedger(t, db)
				f := withFaults(t, db)
				for i := range 2 {
					if takesOver {
						blocked(t, db, fmt.Sprint("warm", i))
					}
					_, err := txn.RunInTx(t.Context(), f.pool, receipts(name, -1), once.Key("test", fmt.Sprint("warm", i), nil))
					require.NoError(t, err)
				}
				at := faultnet.Executes("commit")
				if name == "all in one packet" {
					at = faultnet.Of(faultnet.FromClient, 'B') // BEGIN, and all behind it
				}
				attempt := 1
				if takesOver {
					blocked(t, db, "k")
					at, attempt = behindTheRead(at), 2
				}
				late := make(chan struct{})
				hook, held := faultnet.On(at, faultnet.Zombie(late, faultnet.ResetClient))
				session := f.proxy.Sessions()
				ends, finished := lands(session, late)
				f.proxy.SetHook(faultnet.Hooks(hook, ends))
				if name != "all in one packet" {
					go func() { // while the second run waits for the key, the zombie lands
						<-held
						for f.proxy.Sessions() == session {
							runtime.Gosched()
						}
						close(late)
					}()
				}
				got, err := txn.RunInTx(t.Context(), f.pool, receipts(name, 1), once.Key("test", "k", nil))
				require.NoError(t, err)
				if name == "all in one packet" {
					require.Equal(t, attempt+1, got.Attempt)
					close(late)
				}
				<-finished
				for range 2 {
					require.Equal(t, []int{got.Attempt}, f.effects(t, 1))
					again, err := txn.RunInTx(t.Context(), f.pool, receipts(name, 1), once.Key("test", "k", nil))
					require.NoError(t, err)
					require.Equal(t, got, again)
				}
			})
		})
	}
}

// An attempt is ambiguous, and the next one returns an error: whether the first one was
// committed is resolved, and if it was not it never will be.
func TestOnceBurnsTheKey(t *testing.T) {
	mine := errors.New("mine")
	for _, test := range []struct {
		name     string
		finished bool // the first attempt was committed
		late     bool // the first attempt arrives when all is over
		opts     []txn.Option
		second   func(err error) error
	}{
		{name: "error, committed", finished: true, second: func(error) error { return mine }},
		{name: "error, not committed", second: func(error) error { return mine }},
		{name: "error, late", late: true, second: func(error) error { return mine }},
		{name: "no more attempts, committed", finished: true, opts: []txn.Option{txn.MaxAttempts(1)}},
		{name: "no more attempts, not committed", opts: []txn.Option{txn.MaxAttempts(1)}},
		{name: "no more attempts, late", late: true, opts: []txn.Option{txn.MaxAttempts(1)}},
	} {
		t.Run(test.name, func(t *testing.T) {
			dbtest.Each(t, func(t *testing.T, db *dbtest.DB) {
				withLedger(t, db)
				f := withFaults(t, db)
				for i := range 2 {
					_, err := txn.RunInTx(t.Context(), f.pool, receipts("all in one packet", -1), once.Key("test", fmt.Sprint("warm", i), nil))
					require.NoError(t, err)
				}
				late := make(chan struct{})
				hook, _ := faultnet.On(faultnet.Of(faultnet.FromClient, 'B'), faultnet.CutBefore(faultnet.ResetBoth))
				switch {
				case test.finished:
					hook, _ = faultnet.On(faultnet.Completes("COMMIT"), faultnet.CutBefore(faultnet.ResetClient))
				case test.late:
					hook, _ = faultnet.On(faultnet.Of(faultnet.FromClient, 'B'), faultnet.Zombie(late, faultnet.ResetClient))
				}
				ends, finished := lands(f.proxy.Sessions(), late)
				f.proxy.SetHook(faultnet.Hooks(hook, ends))
				run := func() (receipt, error) {
					return txn.RunInTx(t.Context(), f.pool, func(ctx context.Context, tx *txn.Tx) (receipt, error) {
						if test.second != nil && tx.Attempt() > 1 {
							return receipt{}, test.second(nil) // without a statement
						}
						return receipts("all in one packet", 1)(ctx, tx)
					}, append(test.opts, once.Key("test", "k", nil))...)
				}
				got, err := run()
				close(late)
				if test.finished {
					require.NoError(t, err)
					require.Equal(t, 1, got.Attempt)
					require.Equal(t, []int{1}, f.effects(t, 1))
					return
				}
				require.Equal(t, rolledBack, claimOf(err), "%v", err)
				if test.second != nil {
					require.ErrorIs(t, err, mine)
				} else {
					require.ErrorAs(t, err, new(*txn.ExhaustedError))
				}
				if test.late {
					<-finished
				}
				require.Empty(t, f.effects(t, 1), "then and later")
				for range 2 { // the key is the next call's, in a second attempt
					got, err = txn.RunInTx(t.Context(), f.pool, receipts("all in one packet", 1), once.Key("test", "k", nil), txn.MaxAttempts(1))
					require.NoError(t, err)
					require.Equal(t, []int{2}, f.effects(t, 1))
					require.Equal(t, 2, got.Attempt)
				}
			})
		})
	}
}
