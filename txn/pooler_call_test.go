package txn_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	"github.com/rowkeeper/rowkeeper/internal/devdb"
	"github.com/rowkeeper/rowkeeper/internal/devdb/dbtest"
	"github.com/rowkeeper/rowkeeper/internal/faultnet"
	"github.com/rowkeeper/rowkeeper/txn"
)

// TestRoundTripsBehindAPooler checks the figures in docs/poolers.md: the round trips of
// a client whose statements are known.
func TestRoundTripsBehindAPooler(t *testing.T) {
	calls := []func(ctx context.Context, tx *txn.Tx) error{
		func(ctx context.Context, tx *txn.Tx) error { tx.Queue(setBalance, 1, 7); return nil },
		func(ctx context.Context, tx *txn.Tx) error {
			_, err := read(ctx, tx, 1)
			tx.Queue(setBalance, 1, 7)
			return err
		},
		func(ctx context.Context, tx *txn.Tx) error {
			if _, err := read(ctx, tx, 1); err != nil {
				return err
			}
			return write(ctx, tx, 1, 7)
		},
		func(ctx context.Context, tx *txn.Tx) error {
			var b pgx.Batch
			b.Queue(setBalance, 1, 7)
			b.Queue(setBalance, 2, 7)
			return tx.SendBatch(ctx, &b).Close()
		},
	}
	for _, test := range []struct {
		mode  pgx.QueryExecMode
		wrong bool // the server had a name wrong before
		trips [4]int64
	}{
		{pgx.QueryExecModeCacheStatement, false, [4]int64{1, 2, 3, 3}},
		{pgx.QueryExecModeCacheStatement, true, [4]int64{1, 2, 3, 3}},
		{pgx.QueryExecModeCacheDescribe, false, [4]int64{1, 2, 3, 3}},
		{pgx.QueryExecModeDescribeExec, false, [4]int64{2, 4, 5, 4}},
		{pgx.QueryExecModeExec, false, [4]int64{1, 2, 3, 3}},
		{pgx.QueryExecModeSimpleProtocol, false, [4]int64{1, 2, 3, 3}},
	} {
		t.Run(fmt.Sprint(test.mode, " ", test.wrong), func(t *testing.T) {
			eachPooler(t, nil, func(t *testing.T, db *dbtest.DB, p *devdb.Pooler) {
				accounts(t, db)
				config, err := pgx.ParseConfig(p.URL)
				require.NoError(t, err)
				proxy, err := faultnet.New(pgconn.NetworkAddress(config.Host, config.Port))
				require.NoError(t, err)
				t.Cleanup(proxy.Close)
				pool := behind(t, db, p, func(c *pgxpool.Config) {
					proxy.Rewrite(c.ConnConfig)
					c.ConnConfig.DefaultQueryExecMode = test.mode
				})
				if test.wrong {
					require.NoError(t, txn.Run(t.Context(), pool, func(ctx context.Context, tx *txn.Tx) error {
						if tx.Attempt() > 1 {
							return nil
						}
						_, err := tx.Exec(ctx, "execute no_such_name")
						return err
					}))
				}
				for i, call := range calls {
					var trips int64
					measured := func() int64 {
						before := proxy.RoundTrips()
						require.NoError(t, txn.Run(t.Context(), pool, call))
						return proxy.RoundTrips() - before
					}
					for range 3 {
						trips = measured()
					}
					if test.mode == pgx.QueryExecModeSimpleProtocol {
						// COMMIT is a separate write there, before or after the answer
						// to the first: the fewest of several count.
						for range 10 {
							trips = min(trips, measured())
						}
					}
					require.Equal(t, test.trips[i], trips, "call %d", i)
				}
			})
		})
	}
}

// A Batch, and a call that joins a transaction of pgx's own, of two clients in turn.
func TestBatchesBehindAPooler(t *testing.T) {
	for _, mode := range execModes() {
		t.Run(mode.String(), func(t *testing.T) {
			eachPooler(t, map[string]string{"default_pool_size": "2"}, func(t *testing.T, db *dbtest.DB, p *devdb.Pooler) {
				marks(t, db)
				change := changing(t, db, p)
				inMode := func(c *pgxpool.Config) { c.ConnConfig.DefaultQueryExecMode = mode }
				clients := []*pgxpool.Pool{behind(t, db, p, inMode), behind(t, db, p, inMode)}
				want := map[string][]string{}
				for round := range 6 {
					for i, pool := range clients {
						if round%2 == 0 || i > 0 {
							change()
						}
						who, n := fmt.Sprint("client ", i), 10*round+i
						var b pgx.Batch
						var got string
						b.Queue(mark(who, "batch"), n)
						b.Queue("select who || ' ' || n from marks where who = '"+who+"' and what = 'batch' and n = $1", n).QueryRow(func(row pgx.Row) error { return row.Scan(&got) })
						b.Queue("select upper('" + who + "')")
						require.NoError(t, txn.Batch(t.Context(), pool, &b))
						require.Equal(t, fmt.Sprint(who, " ", n), got)
						want[who] = append(want[who], fmt.Sprint("batch ", n))

						err := pgx.BeginFunc(t.Context(), pool, func(tx pgx.Tx) error {
							return txn.Run(t.Context(), tx, func(ctx context.Context, tx *txn.Tx) error {
								_, err := tx.Exec(ctx, mark(who, "joined"), n)
								return err
							})
						})
						if err == nil {
							want[who] = append(want[who], fmt.Sprint("joined ", n))
						} else { // pgx does not run it again
							require.Equal(t, pgx.QueryExecModeCacheStatement, mode)
							require.Contains(t, []string{"26000", "42P05"}, serverError(t, err).Code)
						}
					}
				}
				for who, rows := range want {
					require.Equal(t, rows, marked(t, db, who))
				}
			})
		})
	}
}

// Settings of a transaction do not reach the next client in its session.
func TestSettingsBehindAPoolerEndWithTheTransaction(t *testing.T) {
	eachPooler(t, map[string]string{"default_pool_size": "1"}, func(t *testing.T, db *dbtest.DB, p *devdb.Pooler) {
		if !knowsSetLocal(t, db) {
			t.Skip("no SET LOCAL")
		}
		a, b := behind(t, db, p), behind(t, db, p)
		read := func(ctx context.Context, tx *txn.Tx) (timeout string, err error) {
			return timeout, tx.QueryRow(ctx, "select current_setting('statement_timeout')").Scan(&timeout)
		}
		before, err := txn.RunInTx(t.Context(), b, read)
		require.NoError(t, err)
		for _, fails := range []bool{false, true} {
			err := txn.Run(t.Context(), a, func(ctx context.Context, tx *txn.Tx) error {
				got, err := read(ctx, tx)
				if err != nil {
					return err
				}
				require.Equal(t, "1234ms", got)
				if fails {
					_, err = tx.Exec(ctx, "select 1 / $1::bigint", 0)
				}
				return err
			}, txn.Timeouts{Statement: 1234 * 1e6})
			require.Equal(t, fails, err != nil, "%v", err)
			after, err := txn.RunInTx(t.Context(), b, read)
			require.NoError(t, err)
			require.Equal(t, before, after)
		}
	})
}
