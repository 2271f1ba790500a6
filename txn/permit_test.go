package txn_test

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	"github.com/rowkeeper/rowkeeper/internal/devdb/dbtest"
	"github.com/rowkeeper/rowkeeper/txn"
	"github.com/rowkeeper/rowkeeper/txn/trace"
)

// until is require.Eventually for events of unpredictable duration.
func until(t *testing.T, is func() bool) {
	t.Helper()
	require.Eventually(t, is, eventually, tick)
}

// held holds the permit of a key until it is released.
type held struct {
	release func()
	ended   chan error
}

// hold makes a call hold its permit, once granted.
func hold(t *testing.T, r *txn.Runner) held {
	t.Helper()
	began, end := make(chan struct{}), make(chan struct{})
	h := held{sync.OnceFunc(func() { close(end) }), make(chan error, 1)}
	go func() {
		h.ended <- txn.Run(context.WithoutCancel(t.Context()), r, func(ctx context.Context, tx *txn.Tx) error {
			if _, err := read(ctx, tx, 2); err != nil {
				return err
			}
			close(began)
			<-end
			return nil
		})
	}()
	t.Cleanup(h.release)
	select {
	case <-began:
	case err := <-h.ended:
		t.Fatal(err)
	}
	return h
}

// queueWaits counts the waits for a permit, and signals them.
type queueWaits struct {
	trace.Nop
	began atomic.Int64
	ends  chan trace.WaitEnd
}

func (w *queueWaits) TraceWaitStart(ctx context.Context, data trace.WaitStart) context.Context {
	if data.ForPermit {
		w.began.Add(1)
	}
	return ctx
}

func (w *queueWaits) TraceWaitEnd(_ context.Context, data trace.WaitEnd) {
	if data.ForPermit && w.ends != nil {
		w.ends <- data
	}
}

// Transactions that all first read one row of settings never conflict again after the
// first time: no call has to wait.
func TestOneConflictHoldsUpNobody(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *dbtest.DB) {
		accounts(t, db)
		waits := new(queueWaits)
		r := txn.New(db.Pool, txn.Trace(waits))
		attempts, err := txn.RunInTx(t.Context(), r, collide(db, asIs))
		require.NoError(t, err)
		require.Equal(t, 2, attempts)
		require.Equal(t, 1, txn.StatsOf(r).Queues)
		var all sync.WaitGroup
		var together sync.WaitGroup // all are in at the same time
		together.Add(4)
		for range 4 {
			all.Go(func() {
				err := txn.Run(t.Context(), r, func(ctx context.Context, tx *txn.Tx) error {
					if _, err := read(ctx, tx, 1); err != nil {
						return err
					}
					together.Done()
					together.Wait()
					return nil
				})
				if err != nil {
					t.Error(err)
				}
			})
		}
		all.Wait()
		require.Zero(t, waits.began.Load())
		until(t, func() bool { return txn.StatsOf(r) == txn.Stats{} }) // and the line goes
	})
}

// A context that belongs to a statement alone ends the wait of that statement. The call
// has time, and may continue.
func TestStatementsOwnContextInTheQueue(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *dbtest.DB) {
		accounts(t, db)
		r := txn.New(db.Pool, txn.Key("the row"))
		txn.Narrow(db.Pool, time.Minute, "the row")
		h := hold(t, r)
		waiting := make(chan error, 1)
		go func() {
			waiting <- txn.Run(t.Context(), r, func(ctx context.Context, tx *txn.Tx) error { return write(ctx, tx, 1, 7) })
		}()
		until(t, func() bool { return txn.StatsOf(r).Waiting == 1 })
		ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
		defer cancel()
		err := txn.Run(ctx, r, func(ctx context.Context, tx *txn.Tx) error {
			for range 3 {
				short, cancel := context.WithTimeout(ctx, 15*time.Millisecond)
				_, err := tx.Exec(short, "update accounts set balance = 8 where id = 1")
				cancel()
				require.ErrorIs(t, err, context.DeadlineExceeded)
				var busy *txn.BusyError
				require.False(t, errors.As(err, &busy), "the call has an hour: %v", err)
				require.Equal(t, 1, txn.StatsOf(r).Waiting)
			}
			tx.Queue("update accounts set balance = balance + 1 where id = 1")
			h.release()
			return nil
		})
		require.NoError(t, err)
		require.NoError(t, <-waiting)
		require.NoError(t, <-h.ended)
		require.Equal(t, 8, balance(t, db, 1))
	})
}

// A call that waits in a queue until its deadline reports what it waited for.
func TestWaitInVain(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *dbtest.DB) {
		accounts(t, db)
		tracer := &queueWaits{ends: make(chan trace.WaitEnd, 1)}
		r := txn.New(db.Pool, txn.Key("the row"), txn.Name("second"))
		txn.Narrow(db.Pool, time.Minute, "the row")
		h := hold(t, r)
		// On a slow machine a short time may be over before the call waits.
		var err error
		for d := 15 * time.Millisecond; ; d *= 4 {
			ctx, cancel := context.WithTimeout(t.Context(), d)
			err = txn.Run(ctx, r, func(ctx context.Context, tx *txn.Tx) error {
				_, err := read(context.Background(), tx, 1) // under which it would wait for ever
				require.Error(t, err)
				return nil
			}, txn.Trace(tracer))
			cancel()
			if errors.As(err, new(*txn.BusyError)) || d > time.Minute {
				break
			}
		}
		require.ErrorIs(t, err, context.DeadlineExceeded)
		require.ErrorContains(t, err, "txn second: busy: waited ")
		var busy *txn.BusyError
		require.ErrorAs(t, err, &busy)
		require.Equal(t, "second", busy.Name)
		require.Zero(t, busy.Ahead)
		end := <-tracer.ends
		require.ErrorIs(t, end.Err, busy)
		require.Positive(t, end.Waited)

		ctx, hangUp := context.WithCancel(t.Context())
		go func() {
			for txn.StatsOf(r).Waiting == 0 {
				time.Sleep(tick)
			}
			hangUp()
		}()
		err = txn.Run(ctx, r, func(ctx context.Context, tx *txn.Tx) error {
			_, err := read(ctx, tx, 1)
			return err
		})
		require.ErrorIs(t, err, context.Canceled)
		require.False(t, errors.As(err, &busy), "nobody will come again: %v", err)
		h.release()
		require.NoError(t, <-h.ended)
	})
}

// With RequiresNew a call does not wait for the permit of the call whose function makes
// it. It waits for those of other calls.
func TestRequiresNewPassesItsOwnCall(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *dbtest.DB) {
		accounts(t, db)
		const firstRead = "select balance from accounts where id = $1"
		other := poolWith(t, db, func(*pgxpool.Config) {})
		waits := new(queueWaits)
		r := txn.New(db.Pool, txn.Trace(waits))
		txn.Narrow(db.Pool, time.Minute, "the row")
		txn.NarrowFor(db.Pool, time.Minute, firstRead, 2)
		look := func(inside func(ctx context.Context) error) func(ctx context.Context, tx *txn.Tx) error {
			return func(ctx context.Context, tx *txn.Tx) error {
				if _, err := read(ctx, tx, 2); err != nil || inside == nil {
					return err
				}
				return inside(ctx)
			}
		}
		beside := func(inside func(ctx context.Context) error, opts ...txn.Option) func(ctx context.Context) error {
			return func(ctx context.Context) error {
				return txn.Run(ctx, r, look(inside), append(opts, txn.RequiresNew())...)
			}
		}
		key := txn.Key("the row")
		for name, call := range map[string]func(ctx context.Context) error{
			"same key":             func(ctx context.Context) error { return txn.Run(ctx, r, look(beside(nil, key)), key) },
			"twice":                func(ctx context.Context) error { return txn.Run(ctx, r, look(beside(beside(nil, key), key)), key) },
			"same first statement": func(ctx context.Context) error { return txn.Run(ctx, r, look(beside(nil))) },
			"through another pool": func(ctx context.Context) error {
				return txn.Run(ctx, r, look(func(ctx context.Context) error {
					return txn.Run(ctx, other, look(beside(nil, key)), key)
				}), key)
			},
			"one that waits for nobody": func(ctx context.Context) error {
				return txn.Run(ctx, db.Pool, look(beside(nil, key)), key, txn.NoAdmission())
			},
			"in a goroutine": func(ctx context.Context) error {
				return txn.Run(ctx, r, look(func(ctx context.Context) error {
					ended := make(chan error)
					go func() { ended <- beside(nil, key)(ctx) }()
					return <-ended
				}), key)
			},
		} {
			require.NoError(t, call(t.Context()), name)
			require.Zero(t, waits.began.Load(), name)
		}

		for name, outer := range map[string]txn.DB{"another key": r, "of another pool": other} {
			nested := txn.Key("another row")
			if outer == other {
				nested = key
			}
			txn.Narrow(db.Pool, time.Minute, "the row") // a quiet queue is forgotten after a second
			txn.Narrow(db.Pool, time.Minute, "another row")
			h := hold(t, txn.New(db.Pool, nested))
			before := waits.began.Load()
			ended := make(chan error, 1)
			go func() { ended <- txn.Run(t.Context(), outer, look(beside(nil, nested)), key) }()
			until(t, func() bool { return waits.began.Load() == before+1 })
			h.release()
			require.NoError(t, <-ended, name)
			require.NoError(t, <-h.ended)
		}
	})
}
