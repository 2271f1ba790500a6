package txn_test

import (
	"context"
	"database/sql/driver"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	"github.com/rowkeeper/rowkeeper/internal/devdb/dbtest"
	"github.com/rowkeeper/rowkeeper/txn"
	"github.com/rowkeeper/rowkeeper/txn/trace"
)

// hostile is a tracer whose methods do not return.
type hostile struct {
	trace.Nop
	start, end func()
}

func (h *hostile) TraceWaitStart(ctx context.Context, _ trace.WaitStart) context.Context {
	if h.start != nil {
		h.start()
	}
	return ctx
}

func (h *hostile) TraceWaitEnd(context.Context, trace.WaitEnd) {
	if h.end != nil {
		h.end()
	}
}

// hostileValue is an argument that ends the goroutine when it is read.
type hostileValue func()

func (v hostileValue) Value() (driver.Value, error) { v(); return int64(1), nil }

// A place in a queue is freed with the call, whatever user code does meanwhile.
func TestNoPermitIsLeftBehind(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *dbtest.DB) {
		accounts(t, db)
		r := txn.New(db.Pool, txn.Key("the row"))
		txn.Narrow(db.Pool, time.Minute, "the row")
		h := hold(t, r)
		boom := func() { panic("boom") }
		ctx, cancel := context.WithCancel(t.Context())
		readOne := func(ctx context.Context, tx *txn.Tx) error { _, err := read(ctx, tx, 1); return err }
		for _, test := range []struct {
			name  string
			frees bool // the permit
			call  func()
		}{
			{"panic before the wait", false, func() { _ = txn.Run(ctx, r, readOne, txn.Trace(&hostile{start: boom})) }},
			{"Goexit before the wait", false, func() { _ = txn.Run(ctx, r, readOne, txn.Trace(&hostile{start: runtime.Goexit})) }},
			{"panic after a wait in vain", false, func() { _ = txn.Run(ctx, r, readOne, txn.Trace(&hostile{start: cancel, end: boom})) }},
			{"panic when the permit came", true, func() {
				_ = txn.Run(t.Context(), r, readOne, txn.Trace(&hostile{start: h.release, end: boom}))
			}},
			{"Goexit when the permit came", true, func() {
				_ = txn.Run(t.Context(), r, readOne, txn.Trace(&hostile{start: h.release, end: runtime.Goexit}))
			}},
			{"panic of an argument", true, func() {
				h.release()
				_ = txn.Run(t.Context(), r, func(ctx context.Context, tx *txn.Tx) error {
					if err := readOne(ctx, tx); err != nil {
						return err
					}
					_, err := tx.Exec(ctx, "select $1::bigint", hostileValue(boom))
					return err
				})
			}},
			{"Goexit of the function", true, func() {
				h.release()
				_ = txn.Run(t.Context(), r, func(ctx context.Context, tx *txn.Tx) error {
					if err := readOne(ctx, tx); err != nil {
						return err
					}
					runtime.Goexit()
					return nil
				})
			}},
		} {
			ended := make(chan struct{})
			go func() {
				defer close(ended)
				defer func() { _ = recover() }()
				test.call()
			}()
			<-ended
			if test.frees {
				require.NoError(t, <-h.ended)
				require.Zero(t, txn.StatsOf(r).Active, test.name)
				h = hold(t, r)
			}
			require.Zero(t, txn.StatsOf(r).Waiting, test.name)
			require.Equal(t, 1, txn.StatsOf(r).Active, test.name)
		}
		h.release()
		require.NoError(t, <-h.ended)
		require.NoError(t, txn.Run(t.Context(), r, readOne))
	})
}

// poolHooks are hooks and tracers of the pool, one of which panics once.
type poolHooks struct{ at, seen string }

func (h *poolHooks) reach(at string) {
	if h.at == at {
		h.at, h.seen = "", at
		panic(at)
	}
}

func (h *poolHooks) TraceAcquireStart(ctx context.Context, _ *pgxpool.Pool, _ pgxpool.TraceAcquireStartData) context.Context {
	h.reach("acquire")
	return ctx
}

func (*poolHooks) TraceAcquireEnd(context.Context, *pgxpool.Pool, pgxpool.TraceAcquireEndData) {}

func (h *poolHooks) TraceQueryStart(ctx context.Context, _ *pgx.Conn, _ pgx.TraceQueryStartData) context.Context {
	h.reach("query")
	return ctx
}

func (h *poolHooks) TraceQueryEnd(context.Context, *pgx.Conn, pgx.TraceQueryEndData) {
	h.reach("answer")
}

// A permit does not outlive its call if a hook of the pool panics. (If a hook that has
// the connection panics, pgxpool loses the connection.)
func TestPermitEndsWhenAHookPanics(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *dbtest.DB) {
		accounts(t, db)
		for _, at := range []string{"acquire", "query", "answer"} {
			hooks := new(poolHooks)
			pool := poolWith(t, db, func(c *pgxpool.Config) { c.ConnConfig.Tracer = hooks })
			r := txn.New(pool, txn.Key("the row"))
			call := func() error {
				return txn.Run(t.Context(), r, func(ctx context.Context, tx *txn.Tx) error { _, err := read(ctx, tx, 1); return err })
			}
			require.NoError(t, call()) // nothing is new any more
			txn.Narrow(pool, time.Minute, "the row")
			hooks.at = at
			require.Panics(t, func() { _ = call() }, at)
			require.Equal(t, at, hooks.seen)
			require.Equal(t, txn.Stats{Queues: 1}, txn.StatsOf(r), at)
			require.NoError(t, call(), at)
		}
	})
}

// counter is an argument that other goroutines change, under its own lock.
type counter struct {
	mu sync.Mutex
	n  int64
}

func (c *counter) Value() (driver.Value, error) { return c.add(0), nil }

func (c *counter) add(n int64) int64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.n += n
	return c.n
}

// An argument is compared by its own code, never without its lock: the race detector
// would report it.
func TestArgumentWithALockOfItsOwn(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *dbtest.DB) {
		accounts(t, db)
		txn.Narrow(db.Pool, time.Millisecond, "anything") // so that there are lines
		stop := make(chan struct{})
		var counting sync.WaitGroup
		c := new(counter)
		counting.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
					c.add(1)
					runtime.Gosched()
				}
			}
		})
		for range 20 {
			attempts := 0
			err := txn.Run(t.Context(), db.Pool, func(ctx context.Context, tx *txn.Tx) error {
				attempts++
				var n int
				if err := tx.QueryRow(ctx, "select balance from accounts where id = 1 and 0 <= $1::bigint", c).Scan(&n); err != nil {
					return err
				}
				if attempts == 1 {
					if _, err := db.Exec(ctx, "update accounts set balance = balance + 1 where id = 1"); err != nil {
						return err
					}
				}
				var b pgx.Batch
				b.Queue("update accounts set balance = $1 + 0 * $2::bigint where id = 1", n+1, c)
				return tx.SendBatch(ctx, &b).Close()
			})
			require.NoError(t, err)
			require.Equal(t, 2, attempts)
		}
		close(stop)
		counting.Wait()
	})
}
