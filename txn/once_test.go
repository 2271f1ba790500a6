package txn_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	"github.com/rowkeeper/rowkeeper/internal/devdb/dbtest"
	"github.com/rowkeeper/rowkeeper/txn"
	"github.com/rowkeeper/rowkeeper/txn/once"
)

func withLedger(t testing.TB, db *dbtest.DB) {
	t.Helper()
	_, err := db.Exec(t.Context(), once.Schema)
	require.NoError(t, err)
}

func keysIn(t testing.TB, db *dbtest.DB) (n int) {
	t.Helper()
	require.NoError(t, db.QueryRow(t.Context(), "select count(*) from rowkeeper_ledger").Scan(&n))
	return n
}

type receipt struct {
	Call, Attempt int
	Note          string
}

// receipts gives each of the shapes a result that shows its origin.
func receipts(shape string, call int) func(ctx context.Context, tx *txn.Tx) (receipt, error) {
	return func(ctx context.Context, tx *txn.Tx) (receipt, error) {
		n, err := shapes[shape](call)(ctx, tx)
		return receipt{call, n, `"ü" \u0000 <&>`}, err
	}
}

func TestOnceReplays(t *testing.T) {
	for _, mode := range execModes() {
		t.Run(mode.String(), func(t *testing.T) {
			dbtest.Each(t, func(t *testing.T, db *dbtest.DB) {
				withLedger(t, db)
				f := withFaults(t, db, func(c *pgxpool.Config) { c.ConnConfig.DefaultQueryExecMode = mode })
				call := 0
				for name := range shapes {
					call++
					var first receipt
					for i := range 4 {
						got, err := txn.RunInTx(t.Context(), f.pool, receipts(name, call), once.Key("test", name, call))
						require.NoError(t, err, "%s %d", name, i)
						if i == 0 {
							first = got
						}
						require.Equal(t, first, got, name)
					}
					require.Equal(t, []int{1}, f.effects(t, call), name)
				}
				require.Equal(t, len(shapes), keysIn(t, db))
			})
		})
	}
}

// A function that sends nothing still takes its key, and is called again without an
// effect.
func TestOnceWithoutStatements(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *dbtest.DB) {
		withLedger(t, db)
		for i := range 3 {
			got, err := txn.RunInTx(t.Context(), db, func(context.Context, *txn.Tx) (int, error) { return i, nil }, once.Key("test", "k", nil))
			require.NoError(t, err)
			require.Zero(t, got)
		}
		require.Equal(t, 1, keysIn(t, db))
	})
}

// Neither hiding nor replacing the error changes the outcome.
func TestOnceCannotBeSwallowed(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *dbtest.DB) {
		withLedger(t, db)
		accounts(t, db)
		mine := errors.New("mine")
		hooks := 0
		for i, end := range []func(error) error{asIs, func(error) error { return nil }, func(error) error { return mine }, func(err error) error { return fmt.Errorf("%v", err) }} {
			got, err := txn.RunInTx(t.Context(), db, func(ctx context.Context, tx *txn.Tx) (int, error) {
				tx.OnCommit(func(context.Context) { hooks++ })
				err := write(ctx, tx, 1, 7+i)
				sp, spErr := tx.Begin(ctx) // which a function might hope to be undone by
				if spErr == nil {
					_ = sp.Rollback(ctx)
				}
				if i == 0 {
					return 42, err
				}
				if err2 := write(ctx, tx, 2, 0); err == nil || err2 == nil {
					t.Error("the key was taken")
				}
				return 0, end(err)
			}, once.Key("test", "k", "request"))
			require.NoError(t, err)
			require.Equal(t, 42, got)
		}
		require.Equal(t, 1, hooks)
		require.Equal(t, 7, balance(t, db, 1))
		require.Equal(t, 100, balance(t, db, 2))
	})
}

func TestOnceRefusesAnotherRequest(t *testing.T) {
	type request struct {
		To     string
		Amount int
	}
	type renamed struct { // the same, in another order
		Amount int
		To     string
	}
	dbtest.Each(t, func(t *testing.T, db *dbtest.DB) {
		withLedger(t, db)
		run := func(namespace string, r any) (int, error) {
			return txn.RunInTx(t.Context(), db, func(context.Context, *txn.Tx) (int, error) { return 1, nil }, once.Key(namespace, "k", r), txn.Name("pay"))
		}
		_, err := run("a", request{"x", 5})
		require.NoError(t, err)
		_, err = run("a", &renamed{5, "x"})
		require.NoError(t, err)
		_, err = run("a", map[string]any{"To": "x", "Amount": 5})
		require.NoError(t, err)
		for _, r := range []any{request{"x", 6}, request{"y", 5}, nil, "x", []int{5}} {
			got, err := run("a", r)
			require.ErrorIs(t, err, once.ErrKeyReused)
			require.ErrorContains(t, err, "txn pay: Once")
			require.Zero(t, got)
		}
		_, err = run("b", request{"x", 6})
		require.NoError(t, err, "namespaces keep keys apart")
		require.Equal(t, 2, keysIn(t, db))
	})
}

// Namespace and key are not joined into one text.
func TestOnceKeepsNamespacesApart(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *dbtest.DB) {
		withLedger(t, db)
		for i, k := range [][2]string{{"a", "bc"}, {"ab", "c"}, {"a/b", "c"}, {"a", "b/c"}, {"A", "bc"}, {"a", "b\x01\n"}, {"a", "b\x01"}} {
			got, err := txn.RunInTx(t.Context(), db, func(context.Context, *txn.Tx) (int, error) { return i, nil }, once.Key(k[0], k[1], nil))
			require.NoError(t, err)
			require.Equal(t, i, got)
		}
	})
}

func TestOnceAfterAnError(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *dbtest.DB) {
		withLedger(t, db)
		accounts(t, db)
		mine := errors.New("mine")
		run := func(end func() error) error {
			return txn.Run(t.Context(), db, func(ctx context.Context, tx *txn.Tx) error {
				if err := write(ctx, tx, 1, 7); err != nil {
					return err
				}
				return end()
			}, once.Key("test", "k", nil))
		}
		require.ErrorIs(t, run(func() error { return mine }), mine)
		require.Panics(t, func() { _ = run(func() error { panic("mine") }) })
		require.Zero(t, keysIn(t, db))
		require.Equal(t, 100, balance(t, db, 1))
		require.NoError(t, run(func() error { return nil }))
		require.NoError(t, run(func() error { return mine }), "it was carried out")
		require.Equal(t, 1, keysIn(t, db))
		require.Equal(t, 7, balance(t, db, 1))
		requireClean(t, db.Pool)
	})
}

// A conflict runs the function again, with the claim again ahead of its statements.
func TestOnceInAConflict(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *dbtest.DB) {
		withLedger(t, db)
		accounts(t, db)
		for range 2 {
			attempt, err := txn.RunInTx(t.Context(), db, collide(db, asIs), once.Key("test", "k", nil), txn.Idempotent(), txn.Key("row", 1))
			require.NoError(t, err)
			require.Equal(t, 2, attempt)
		}
		require.Equal(t, 1, keysIn(t, db))
	})
}

func TestOnceResultTooLarge(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *dbtest.DB) {
		withLedger(t, db)
		accounts(t, db)
		run := func(size int, first bool) (string, error) {
			return txn.RunInTx(t.Context(), db, func(ctx context.Context, tx *txn.Tx) (string, error) {
				if first {
					return strings.Repeat("x", size), write(ctx, tx, 1, 7)
				}
				tx.Queue(setBalance, 1, 7)
				return strings.Repeat("x", size), nil
			}, once.Key("test", fmt.Sprint(size, first), nil))
		}
		for _, first := range []bool{true, false} {
			got, err := run(256<<10-1, first)
			var tooLarge *once.ResultTooLargeError
			require.ErrorAs(t, err, &tooLarge)
			require.Equal(t, 256<<10+1, tooLarge.Size)
			require.Empty(t, got)
			require.Equal(t, 100, balance(t, db, 1))
			require.Zero(t, keysIn(t, db))
		}
		for range 2 {
			got, err := run(256<<10-2, true)
			require.NoError(t, err)
			require.Len(t, got, 256<<10-2)
		}
		_, err := txn.RunInTx(t.Context(), db, func(context.Context, *txn.Tx) (func(), error) { return nil, nil }, once.Key("test", "f", nil))
		require.ErrorContains(t, err, "cannot be encoded")
		requireClean(t, db.Pool)
	})
}

// The stored result does not fit the type: the request was executed, so the error says
// that.
func TestOnceResultOfAnotherType(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *dbtest.DB) {
		withLedger(t, db)
		_, err := txn.RunInTx(t.Context(), db, func(context.Context, *txn.Tx) (string, error) { return "x", nil }, once.Key("test", "k", nil))
		require.NoError(t, err)
		n, err := txn.RunInTx(t.Context(), db, func(context.Context, *txn.Tx) (int, error) { return 3, nil }, once.Key("test", "k", nil))
		require.ErrorAs(t, err, new(*txn.CommittedError))
		require.Zero(t, n)
		require.NoError(t, txn.Run(t.Context(), db, func(context.Context, *txn.Tx) error { return nil }, once.Key("test", "k", nil)), "without a result none is needed")
		require.NoError(t, txn.Run(t.Context(), db, func(context.Context, *txn.Tx) error { return nil }, once.Key("test", "l", nil)))
		_, err = txn.RunInTx(t.Context(), db, func(context.Context, *txn.Tx) (int, error) { return 3, nil }, once.Key("test", "l", nil))
		require.ErrorAs(t, err, new(*txn.CommittedError))
		require.ErrorContains(t, err, "had no result")
	})
}

func TestOnceMisuse(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *dbtest.DB) {
		nothing := func(context.Context, *txn.Tx) error { t.Error("it ran"); return nil }
		for want, opts := range map[string][]txn.Option{
			"the namespace is empty":        {once.Key("", "k", nil)},
			"the key is empty":              {once.Key("n", "", nil)},
			"the key is longer than 255":    {once.Key("n", strings.Repeat("x", 256), nil)},
			"the key contains a NUL":        {once.Key("n", "a\x00", nil)},
			"the key is not valid UTF-8":    {once.Key("n", "\xff", nil)},
			"the namespace is not valid":    {once.Key("\xff", "k", nil)},
			"the request cannot be encoded": {once.Key("n", "k", func() {})},
			"a is not exported":             {once.Key("n", "k", struct{ a int }{1})},
			"Once in a read-only call":      {once.Key("n", "k", nil), txn.ReadOnly()},
			"read-only call, which":         {txn.FollowerRead(), once.Key("n", "k", nil)},
			"retention of 1m0s is not":      {once.Ledger{Retention: time.Minute}.Key("n", "k", nil)},
			"retention of 1h0m0.5s is not":  {once.Ledger{Retention: time.Hour + time.Second/2}.Key("n", "k", nil)},
			"retention of -1s is not":       {once.Ledger{Retention: -time.Second}.Key("n", "k", nil)},
		} {
			require.ErrorContains(t, txn.Run(t.Context(), db, nothing, opts...), want)
		}
		require.ErrorContains(t, txn.Run(t.Context(), txn.New(db, once.Key("n", "k", nil)), nothing), "Once in the options of a Runner")
		require.ErrorContains(t, txn.Run(t.Context(), db, func(ctx context.Context, tx *txn.Tx) error {
			return txn.Run(ctx, tx, nothing, once.Key("n", "k", nil))
		}), "Once in a call that joins a running transaction")
		tx, err := db.Begin(t.Context())
		require.NoError(t, err)
		require.ErrorContains(t, txn.Run(t.Context(), tx, nothing, once.Key("n", "k", nil)), "Once in a call that joins")
		require.NoError(t, tx.Rollback(t.Context()))
		err = txn.Run(t.Context(), db, func(ctx context.Context, tx *txn.Tx) error { return write(ctx, tx, 1, 1) }, once.Key("n", "k", nil))
		require.ErrorContains(t, err, "create it by once.Schema")
		requireClean(t, db.Pool)
	})
}

// Inside another transaction, Once with RequiresNew has a ledger row of its own, but
// not with the same key.
func TestOnceNested(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *dbtest.DB) {
		withLedger(t, db)
		nothing := func(context.Context, *txn.Tx) error { return nil }
		mine := errors.New("mine")
		err := txn.Run(t.Context(), db, func(ctx context.Context, tx *txn.Tx) error {
			require.ErrorContains(t, txn.Run(ctx, db, nothing, once.Key("n", "k", nil), txn.RequiresNew()), "would wait for itself")
			require.ErrorContains(t, txn.Run(ctx, db, nothing, once.Key("n", "l", nil)), "or the option RequiresNew")
			require.NoError(t, txn.Run(ctx, db, nothing, once.Key("n", "l", nil), txn.RequiresNew()))
			return mine
		}, once.Key("n", "k", nil))
		require.ErrorIs(t, err, mine)
		require.Equal(t, 1, keysIn(t, db))
	})
}

func TestOnceInABatch(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *dbtest.DB) {
		withLedger(t, db)
		accounts(t, db)
		f := withFaults(t, db)
		var b pgx.Batch
		b.Queue("update accounts set balance = balance - $2 where id = $1", 1, 10)
		b.Queue("update accounts set balance = balance + $2 where id = $1", 2, 10)
		for range 3 {
			require.NoError(t, txn.Batch(t.Context(), f.pool, &b, once.Key("test", "k", nil)))
		}
		require.Equal(t, 90, balance(t, db, 1))
		before := f.proxy.RoundTrips()
		require.NoError(t, txn.Batch(t.Context(), f.pool, &b, once.Key("test", "l", nil)))
		require.EqualValues(t, 1, f.proxy.RoundTrips()-before)
		b.Queue("select 1").QueryRow(func(pgx.Row) error { return nil })
		require.ErrorContains(t, txn.Batch(t.Context(), f.pool, &b, once.Key("test", "m", nil)), "callbacks")
	})
}

// An expired key is free, whether or not the ledger has been cleaned.
func TestOnceExpires(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *dbtest.DB) {
		withLedger(t, db)
		n := 0
		run := func(request any) (int, error) {
			n++
			return txn.RunInTx(t.Context(), db, func(context.Context, *txn.Tx) (int, error) { return n, nil },
				once.Ledger{Retention: 2 * time.Hour}.Key("test", "k", request))
		}
		got, err := run("a")
		require.NoError(t, err)
		require.Equal(t, 1, got)
		var left float64
		require.NoError(t, db.QueryRow(t.Context(), "select extract(epoch from expires_at - now())::float8 from rowkeeper_ledger").Scan(&left))
		require.InDelta(t, 7200, left, 60)
		_, err = run("b")
		require.ErrorIs(t, err, once.ErrKeyReused)
		_, err = db.Exec(t.Context(), "update rowkeeper_ledger set expires_at = now() - interval '1 second'")
		require.NoError(t, err)
		got, err = run("b")
		require.NoError(t, err)
		require.Equal(t, 3, got)
		got, err = run("b")
		require.NoError(t, err)
		require.Equal(t, 3, got)
	})
}

func TestCleanLedger(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *dbtest.DB) {
		withLedger(t, db)
		_, err := db.Exec(t.Context(), `insert into rowkeeper_ledger (namespace, key, attempt, expires_at)
			select 'old', i::text, '', now() - interval '1 second' from generate_series(1, 1203) as i
			union all select 'new', i::text, '', now() + interval '1 hour' from generate_series(1, 7) as i`)
		require.NoError(t, err)
		f := withFaults(t, db)
		before := f.proxy.RoundTrips()
		n, err := once.Clean(t.Context(), txn.New(f.pool, txn.MaxAttempts(9)))
		require.NoError(t, err)
		require.EqualValues(t, 1203, n)
		require.GreaterOrEqual(t, f.proxy.RoundTrips()-before, int64(3*2), "in batches")
		require.Equal(t, 7, keysIn(t, db))
		n, err = once.Clean(t.Context(), db)
		require.NoError(t, err)
		require.Zero(t, n)
	})
}

// A database that only has BeginTx gives the same results with more round trips.
func TestOnceThroughAWrapper(t *testing.T) {
	for _, open := range []bool{false, true} {
		t.Run(fmt.Sprint("open ", open), func(t *testing.T) {
			dbtest.Each(t, func(t *testing.T, db *dbtest.DB) {
				withLedger(t, db)
				accounts(t, db)
				var through txn.DB = wrapper{db.Pool}
				if open {
					through = openWrapper{wrapper{db.Pool}}
				}
				run := func(end error) (int, error) {
					return txn.RunInTx(t.Context(), through, func(ctx context.Context, tx *txn.Tx) (int, error) {
						if err := write(ctx, tx, 1, 7); err != nil {
							return 0, err
						}
						return 42, end
					}, once.Key("test", "k", nil))
				}
				mine := errors.New("mine")
				_, err := run(mine)
				require.ErrorIs(t, err, mine)
				for range 2 {
					got, err := run(nil)
					require.NoError(t, err)
					require.Equal(t, 42, got)
				}
				_, err = db.Exec(t.Context(), "update rowkeeper_ledger set expires_at = now() - interval '1 second'")
				require.NoError(t, err)
				_, err = run(mine)
				require.ErrorIs(t, err, mine, "the key has expired")
				requireClean(t, db.Pool)
			})
		})
	}
}

// Once also works on a connection of the caller's.
func TestOnceOnAConnection(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *dbtest.DB) {
		withLedger(t, db)
		conn, err := db.Acquire(t.Context())
		require.NoError(t, err)
		defer conn.Release()
		for range 2 {
			got, err := txn.RunInTx(t.Context(), conn.Conn(), func(context.Context, *txn.Tx) (int, error) { return 42, nil }, once.Key("test", "k", nil))
			require.NoError(t, err)
			require.Equal(t, 42, got)
		}
	})
}
