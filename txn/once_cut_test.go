package txn_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	"github.com/rowkeeper/rowkeeper/internal/devdb/dbtest"
	"github.com/rowkeeper/rowkeeper/internal/faultnet"
	"github.com/rowkeeper/rowkeeper/txn"
	"github.com/rowkeeper/rowkeeper/txn/once"
)

// The server cannot be reached for a while after the COMMIT.
func TestOnceWhileTheServerIsAway(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *dbtest.DB) {
		withLedger(t, db)
		f := withFaults(t, db)
		away := 0
		f.proxy.SetHook(func(m faultnet.Message) faultnet.Action {
			switch {
			case m.Tag() == "COMMIT" && away == 0:
				away = 1
				return faultnet.CutBefore(faultnet.ResetClient)
			case away > 0 && away < 10 && m.From == faultnet.FromServer && m.Type == 'R':
				away++
				return faultnet.CutBefore(faultnet.ResetBoth)
			}
			return faultnet.Pass()
		})
		got, err := txn.RunInTx(t.Context(), f.pool, receipts("COMMIT alone", 1), once.Key("test", "k", nil))
		require.NoError(t, err)
		require.Equal(t, 1, got.Attempt)
		require.Equal(t, 10, away)
		require.Equal(t, []int{1}, f.effects(t, 1))

		// The same for as long as the caller waits.
		ctx, giveUp := context.WithCancel(t.Context())
		defer giveUp()
		hook, _ := faultnet.On(faultnet.Completes("COMMIT"), faultnet.CutBefore(faultnet.ResetClient))
		lost, tries := false, 0
		f.proxy.SetHook(faultnet.Hooks(hook, func(m faultnet.Message) faultnet.Action {
			lost = lost || m.Tag() == "COMMIT"
			if lost && m.Type == 'R' && m.From == faultnet.FromServer {
				if tries++; tries == 3 {
					giveUp()
				}
				return faultnet.CutBefore(faultnet.ResetBoth)
			}
			return faultnet.Pass()
		}))
		_, err = txn.RunInTx(ctx, f.pool, receipts("COMMIT alone", 2), once.Key("test", "l", nil))
		require.Equal(t, unknown, claimOf(err), "%v", err)
		f.proxy.SetHook(nil)
		got, err = txn.RunInTx(t.Context(), f.pool, receipts("COMMIT alone", 2), once.Key("test", "l", nil))
		require.NoError(t, err)
		require.Equal(t, 1, got.Attempt)
	})
}

// TestOnceRandomCuts is TestRandomCuts with Once: nothing is unknown, and nothing
// happens twice. A call that has only one attempt may fail, and the next call takes the
// key over.
func TestOnceRandomCuts(t *testing.T) {
	t.Parallel()
	cuts := 60
	if testing.Short() {
		cuts = 20
	}
	for _, mode := range []pgx.QueryExecMode{pgx.QueryExecModeCacheStatement, pgx.QueryExecModeSimpleProtocol} {
		t.Run(mode.String(), func(t *testing.T) {
			dbtest.Each(t, func(t *testing.T, db *dbtest.DB) {
				withLedger(t, db)
				f := withFaults(t, db, func(c *pgxpool.Config) {
					c.ConnConfig.DefaultQueryExecMode = mode
					if !db.Cockroach() { // ends the orphans of calls that had one attempt: the next call knows nothing of them
						c.ConnConfig.RuntimeParams["idle_in_transaction_session_timeout"] = "3s"
					}
				})
				random := rand.New(rand.NewPCG(uint64(mode), 21))
				names := []string{"all in one packet", "COMMIT with the write", "COMMIT alone"}
				got, hooks := map[int]receipt{}, map[int]int{}
				again, failed := 0, 0
				for i := range cuts {
					from := faultnet.FromClient
					if random.IntN(2) == 0 {
						from = faultnet.FromServer
					}
					f.proxy.CutAfterBytes(from, 1+random.Int64N(900), cutsFor(db)[random.IntN(len(cutsFor(db)))])
					for j := range 3 {
						call := i*10 + j + 1
						opts := []txn.Option{once.Key("test", fmt.Sprint(call), call)}
						if random.IntN(2) == 0 {
							opts = append(opts, txn.MaxAttempts(1))
						}
						for range 1 + random.IntN(2) {
							ctx, cancel := context.WithTimeout(t.Context(), eventually)
							r, err := txn.RunInTx(ctx, f.pool, func(ctx context.Context, tx *txn.Tx) (receipt, error) {
								tx.OnCommit(func(context.Context) { hooks[call]++ })
								return receipts(names[call%3], call)(ctx, tx)
							}, opts...)
							cancel()
							// A connection that cannot be made is an error, as in pgx.
							if err != nil && (len(opts) > 1 || strings.Contains(err.Error(), "failed to connect")) {
								require.Equal(t, rolledBack, claimOf(err), "%v", err)
								failed++
								continue
							}
							require.NoError(t, err)
							if _, known := got[call]; known {
								again++
								require.Equal(t, got[call], r)
							}
							got[call] = r
						}
					}
				}
				f.pool.Close()
				f.proxy.Close()
				f.gone(t)
				for call := range 10 * cuts {
					if r, done := got[call]; done {
						require.Equal(t, []int{r.Attempt}, f.effects(t, call))
						require.Equal(t, 1, hooks[call])
					} else {
						require.Empty(t, f.effects(t, call))
					}
				}
				require.NotZero(t, again)
				require.NotZero(t, failed)
				t.Logf("%d cuts, %d keys, %d replays, %d failed", cuts, len(got), again, failed)
			})
		})
	}
}
