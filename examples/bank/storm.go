package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	crdbpgx "github.com/cockroachdb/cockroach-go/v2/crdb/crdbpgxv5"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/rowkeeper/rowkeeper/txn"
)

// The storm makes the same transfers between a few accounts in five ways, and then
// checks the balances.

const stormSchema = `
create table storm_accounts (
	way     bigint not null,
	id      bigint not null,
	balance bigint not null,
	constraint storm_accounts_pkey primary key (way, id)
)`

const stormBalance = 1_000_000

// querier is the part of a pool or a transaction that a transfer uses.
type querier interface {
	Exec(ctx context.Context, sql string, args ...any) (pgconn.CommandTag, error)
	QueryRow(ctx context.Context, sql string, args ...any) pgx.Row
}

// move is one transfer of 1: it reads both balances, computes, and writes both. The
// lower id is written first, so that no two moves wait for each other in a circle.
type move struct{ way, from, to int }

func (m move) run(ctx context.Context, q querier) error {
	from, err := m.read(ctx, q, m.from)
	if err != nil {
		return err
	}
	to, err := m.read(ctx, q, m.to)
	if err != nil {
		return err
	}
	balances := map[int]int64{m.from: from - 1, m.to: to + 1}
	for _, id := range []int{min(m.from, m.to), max(m.from, m.to)} {
		if err := m.write(ctx, q, id, balances[id]); err != nil {
			return err
		}
	}
	return nil
}

func (m move) read(ctx context.Context, q querier, id int) (balance int64, err error) {
	err = q.QueryRow(ctx, "select balance from storm_accounts where way = $1 and id = $2", m.way, id).Scan(&balance)
	return balance, err
}

func (m move) write(ctx context.Context, q querier, id int, balance int64) error {
	_, err := q.Exec(ctx, "update storm_accounts set balance = $3 where way = $1 and id = $2", m.way, id, balance)
	return err
}

// way is one of the five. do makes a transfer, and calls attempted each time it
// begins.
type way struct {
	name string
	do   func(ctx context.Context, pool *pgxpool.Pool, m move, attempted func()) error
}

var serializable = pgx.TxOptions{IsoLevel: pgx.Serializable}

var ways = []way{
	{"read, then write: no transaction", func(ctx context.Context, pool *pgxpool.Pool, m move, attempted func()) error {
		attempted()
		return m.run(ctx, pool)
	}},
	{"transaction, no retry", func(ctx context.Context, pool *pgxpool.Pool, m move, attempted func()) error {
		return pgx.BeginTxFunc(ctx, pool, serializable, func(tx pgx.Tx) error {
			attempted()
			return m.run(ctx, tx)
		})
	}},
	{"three tries, a second apart", func(ctx context.Context, pool *pgxpool.Pool, m move, attempted func()) error {
		var err error
		for try := range 3 {
			if try > 0 {
				select {
				case <-time.After(time.Second):
				case <-ctx.Done():
					return ctx.Err()
				}
			}
			err = pgx.BeginTxFunc(ctx, pool, serializable, func(tx pgx.Tx) error {
				attempted()
				return m.run(ctx, tx)
			})
			if err == nil {
				return nil
			}
		}
		return err
	}},
	{"cockroach-go crdbpgxv5", func(ctx context.Context, pool *pgxpool.Pool, m move, attempted func()) error {
		return crdbpgx.ExecuteTx(ctx, pool, serializable, func(tx pgx.Tx) error {
			attempted()
			return m.run(ctx, tx)
		})
	}},
	{"Rowkeeper", func(ctx context.Context, pool *pgxpool.Pool, m move, attempted func()) error {
		return txn.Run(ctx, pool, func(ctx context.Context, tx *txn.Tx) error {
			attempted()
			return m.run(ctx, tx)
		})
	}},
}

// storm configures the load.
type storm struct {
	workers  int
	accounts int
	duration time.Duration // of each way
}

// score is the result of one way.
type score struct {
	name      string
	committed int64
	refused   int64 // to the client: 5xx
	attempts  int64
	lost      int64 // by how much the balances differ from what was reported as committed
	took      []time.Duration
}

func (s score) attemptsPerCommit() float64 {
	return float64(s.attempts) / float64(max(s.committed, 1))
}

// percentile returns the time within which that part of the requests was answered.
func (s score) percentile(part float64) time.Duration {
	if len(s.took) == 0 {
		return 0
	}
	return s.took[int(part*float64(len(s.took)-1))]
}

// run makes the transfers of one way, at least one for each worker; it calls
// progress from time to time.
func (s storm) run(ctx context.Context, pool *pgxpool.Pool, number int, w way, progress func(committed int64, left time.Duration)) (score, error) {
	for id := range s.accounts {
		if _, err := pool.Exec(ctx, "insert into storm_accounts values ($1, $2, $3)", number, id, stormBalance); err != nil {
			return score{}, err
		}
	}
	var (
		result    = score{name: w.name}
		committed atomic.Int64
		mu        sync.Mutex // guards result and expected
		expected  = make([]int64, s.accounts)
		firstErr  error
		workers   sync.WaitGroup
	)
	end := time.Now().Add(s.duration)
	for range s.workers {
		workers.Go(func() {
			var own score
			sums := make([]int64, s.accounts)
			var ownErr error
			for first := true; (first || time.Now().Before(end)) && ctx.Err() == nil; first = false {
				m := move{way: number, from: rand.IntN(s.accounts), to: rand.IntN(s.accounts - 1)}
				if m.to >= m.from {
					m.to++
				}
				start := time.Now()
				err := w.do(ctx, pool, m, func() { own.attempts++ })
				own.took = append(own.took, time.Since(start))
				switch {
				case err == nil:
					own.committed++
					committed.Add(1)
					sums[m.from]--
					sums[m.to]++
				case status(err) >= 500:
					own.refused++
				default:
					ownErr = err
				}
			}
			mu.Lock()
			defer mu.Unlock()
			result.committed += own.committed
			result.refused += own.refused
			result.attempts += own.attempts
			result.took = append(result.took, own.took...)
			for id, sum := range sums {
				expected[id] += sum
			}
			firstErr = cmp.Or(firstErr, ownErr)
		})
	}
	finished := make(chan struct{})
	go func() { workers.Wait(); close(finished) }()
	ticker := time.NewTicker(250 * time.Millisecond)
	defer ticker.Stop()
	for running := true; running; {
		select {
		case <-finished:
			running = false
		case <-ticker.C:
			progress(committed.Load(), max(0, time.Until(end)))
		}
	}
	if err := errors.Join(firstErr, ctx.Err()); err != nil {
		return score{}, fmt.Errorf("%s: %w", w.name, err)
	}
	slices.Sort(result.took)
	for id, sum := range expected {
		actual, err := move{way: number}.read(ctx, pool, id)
		if err != nil {
			return score{}, err
		}
		difference := actual - (stormBalance + sum)
		result.lost += max(difference, -difference)
	}
	return result, nil
}

// status returns the status that a client would get.
func status(err error) int {
	if e, ok := catalog.Translate(err).(interface{ Status() int }); ok {
		return e.Status()
	}
	return 500
}
