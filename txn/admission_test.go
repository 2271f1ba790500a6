package txn_test

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/cockroachdb/cockroach-go/v2/crdb"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	"github.com/rowkeeper/rowkeeper/internal/devdb/dbtest"
	"github.com/rowkeeper/rowkeeper/txn"
	"github.com/rowkeeper/rowkeeper/txn/trace"
)

// hot has many workers increment one row, and returns how many attempts that took.
func hot(t *testing.T, db *dbtest.DB, workers, each int, body func(ctx context.Context, tx *txn.Tx, n int) error, opts ...txn.Option) (attempts int) {
	t.Helper()
	var mu sync.Mutex
	var wg sync.WaitGroup
	for range workers {
		wg.Go(func() {
			for range each {
				n, err := txn.RunInTx(t.Context(), db.Pool, func(ctx context.Context, tx *txn.Tx) (int, error) {
					n, err := read(ctx, tx, 1)
					if err != nil {
						return 0, err
					}
					return tx.Attempt(), body(ctx, tx, n)
				}, opts...)
				if err != nil {
					t.Error(err)
				}
				mu.Lock()
				attempts += n
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	require.Equal(t, 100+workers*each, balance(t, db, 1))
	return attempts
}

func increment(ctx context.Context, tx *txn.Tx, n int) error {
	tx.Queue(setBalance, 1, n+1)
	return nil
}

// With a queue nearly every attempt commits, because most calls wait instead of
// conflicting.
func TestHotRowCostsAQueue(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *dbtest.DB) {
		accounts(t, db)
		const workers, each = 32, 20
		attempts := hot(t, db, workers, each, increment)
		require.Less(t, attempts, workers*each*3/2)
		runner := txn.New(db.Pool)
		require.Zero(t, txn.StatsOf(runner).Waiting)
		require.Zero(t, txn.StatsOf(runner).Active)
	})
}

// A first statement that is never the same names no queue, but the later statements do.
func TestHotRowBehindAFirstStatementOfItsOwn(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *dbtest.DB) {
		accounts(t, db)
		const workers, each = 16, 40
		var ids, attempts atomic.Int64
		var wg sync.WaitGroup
		for range workers {
			wg.Go(func() {
				for range each {
					id := ids.Add(1)
					err := txn.Run(t.Context(), db.Pool, func(ctx context.Context, tx *txn.Tx) error {
						attempts.Add(1)
						var seen int
						if err := tx.QueryRow(ctx, "select count(*) from accounts where id = $1", 1000+id).Scan(&seen); err != nil {
							return err
						}
						n, err := read(ctx, tx, 1)
						if err != nil {
							return err
						}
						return increment(ctx, tx, n)
					})
					if err != nil {
						t.Error(err)
					}
				}
			})
		}
		wg.Wait()
		require.Equal(t, 100+workers*each, balance(t, db, 1))
		require.Less(t, attempts.Load(), int64(workers*each*2))
	})
}

func TestKeyNamesTheLine(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *dbtest.DB) {
		accounts(t, db)
		const workers, each = 16, 10
		attempts := hot(t, db, workers, each, increment, txn.Key("account", 1))
		require.Less(t, attempts, workers*each*3/2)
	})
}

func TestBatchWaitsInTheQueueToo(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *dbtest.DB) {
		accounts(t, db)
		var wg sync.WaitGroup
		const workers, each = 16, 10
		for range workers {
			wg.Go(func() {
				for range each {
					var b pgx.Batch
					b.Queue("update accounts set balance = balance + 1 where id = 1")
					if err := txn.Batch(t.Context(), db.Pool, &b); err != nil {
						t.Error(err)
					}
				}
			})
		}
		wg.Wait()
		require.Equal(t, 100+workers*each, balance(t, db, 1))
	})
}

// The wait for a permit is reported to the tracer, takes no connection, and ends with
// the context of the call.
func TestWaitForATurn(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *dbtest.DB) {
		accounts(t, db)
		r := txn.New(db.Pool, txn.Key("the row"))
		_, err := txn.RunInTx(t.Context(), r, collide(db, asIs)) // which makes the line
		require.NoError(t, err)
		require.Equal(t, txn.Stats{Queues: 1}, txn.StatsOf(r))
		txn.Narrow(db.Pool, time.Millisecond, "the row")
		holding, release := make(chan struct{}), make(chan struct{})
		held := make(chan error, 1)
		go func() {
			held <- txn.Run(t.Context(), r, func(ctx context.Context, tx *txn.Tx) error {
				if err := write(ctx, tx, 1, 7); err != nil {
					return err
				}
				close(holding)
				<-release
				return nil
			})
		}()
		<-holding
		ctx, cancel := context.WithCancel(t.Context())
		told := make(chan trace.WaitStart, 1)
		done := make(chan error, 1)
		go func() {
			done <- txn.Run(ctx, r, func(ctx context.Context, tx *txn.Tx) error { return write(ctx, tx, 1, 8) },
				txn.Trace(&waitTracer{told: told}), txn.Name("second"))
		}()
		start := <-told
		require.True(t, start.ForPermit)
		require.Equal(t, "second", start.Name)
		require.EqualValues(t, 1, db.Stat().AcquiredConns())
		cancel()
		require.ErrorIs(t, <-done, context.Canceled)
		close(release)
		require.NoError(t, <-held)
		require.Equal(t, 7, balance(t, db, 1))
	})
}

type waitTracer struct {
	trace.Nop
	told chan trace.WaitStart
}

func (w *waitTracer) TraceWaitStart(ctx context.Context, data trace.WaitStart) context.Context {
	select {
	case w.told <- data:
	default:
	}
	return ctx
}

// A holder that needs a mutex held by a waiting call makes progress, because the
// waiting call is admitted.
func TestMutexAcrossTheLine(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *dbtest.DB) {
		accounts(t, db)
		r := txn.New(db.Pool, txn.Key("the row"))
		txn.Narrow(db.Pool, time.Millisecond, "the row")
		var mu sync.Mutex
		began := make(chan struct{})
		var once sync.Once
		held := make(chan error, 1)
		mu.Lock()
		go func() {
			held <- txn.Run(t.Context(), r, func(ctx context.Context, tx *txn.Tx) error {
				n, err := read(ctx, tx, 2)
				if err != nil {
					return err
				}
				once.Do(func() { close(began) })
				mu.Lock()
				defer mu.Unlock()
				return write(ctx, tx, 2, n+1)
			})
		}()
		<-began
		require.NoError(t, txn.Run(t.Context(), r, func(ctx context.Context, tx *txn.Tx) error { return write(ctx, tx, 1, 8) }), "it is let in")
		mu.Unlock()
		require.NoError(t, <-held)
	})
}

// cockroach-go's test for code that runs transactions: two of them wait for each other
// after the first read.
func TestGenericTestOfCockroachGo(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *dbtest.DB) {
		for range 20 {
			start := time.Now()
			require.NoError(t, crdb.ExecuteTxGenericTest(t.Context(), &generic{db}))
			if d := time.Since(start); d > time.Second {
				t.Logf("took %v", d)
			}
		}
	})
}

// generic is what crdb.ExecuteTxGenericTest runs against.
type generic struct{ db *dbtest.DB }

func (g *generic) Init(ctx context.Context) error {
	for _, sql := range []string{
		"drop table if exists t",
		"create table t (acct int primary key, balance int)",
		"insert into t (acct, balance) values (1, 100), (2, 100)",
	} {
		if _, err := g.db.Exec(ctx, sql); err != nil {
			return err
		}
	}
	return nil
}

func (g *generic) ExecuteTx(ctx context.Context, fn func(tx any) error) error {
	return txn.Run(ctx, g.db.Pool, func(ctx context.Context, tx *txn.Tx) error { return fn(tx) })
}

func (g *generic) GetBalances(ctx context.Context, tx any) (one, two int, err error) {
	var q interface {
		Query(context.Context, string, ...any) (pgx.Rows, error)
	} = g.db.Pool
	if tx != nil {
		q = tx.(*txn.Tx)
	}
	rows, err := q.Query(ctx, "select balance from t where acct in (1, 2) order by acct")
	if err != nil {
		return 0, 0, err
	}
	both, err := pgx.CollectRows(rows, pgx.RowTo[int])
	if err != nil {
		return 0, 0, err
	}
	if len(both) != 2 {
		return 0, 0, errors.New("two balances are missing")
	}
	return both[0], both[1], nil
}

func (g *generic) UpdateBalance(ctx context.Context, tx any, acct, delta int) error {
	_, err := tx.(*txn.Tx).Exec(ctx, "update t set balance = balance + $1 where acct = $2", delta, acct)
	return err
}

func BenchmarkWithoutConflicts(b *testing.B) {
	db := dbtest.First(b)
	accounts(b, db)
	pool := poolWith(b, db, func(*pgxpool.Config) {})
	for name, opts := range map[string][]txn.Option{"admission": {txn.Name("x")}, "none": {txn.NoAdmission()}} {
		r := txn.New(pool, opts...)
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				err := txn.Run(b.Context(), r, func(ctx context.Context, tx *txn.Tx) error {
					tx.Queue("select 1")
					return nil
				})
				if err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
