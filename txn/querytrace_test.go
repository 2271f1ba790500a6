package txn_test

import (
	"context"
	"errors"
	"sync"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	"github.com/rowkeeper/rowkeeper/internal/devdb/dbtest"
	"github.com/rowkeeper/rowkeeper/txn"
)

// spans is a pgx.QueryTracer that identifies each statement by a value in the context.
type spans struct {
	mu      sync.Mutex
	started []string
	ended   [][]pgx.TraceQueryEndData
	strange int // ends of what was not begun
}

type querySpanKey struct{ *spans }

func (s *spans) TraceQueryStart(ctx context.Context, _ *pgx.Conn, data pgx.TraceQueryStartData) context.Context {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.started = append(s.started, data.SQL)
	s.ended = append(s.ended, nil)
	return context.WithValue(ctx, querySpanKey{s}, len(s.started)-1)
}

func (s *spans) TraceQueryEnd(ctx context.Context, _ *pgx.Conn, data pgx.TraceQueryEndData) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if n, ok := ctx.Value(querySpanKey{s}).(int); ok {
		s.ended[n] = append(s.ended[n], data)
	} else {
		s.strange++
	}
}

// check requires that each statement ended once, in its own context, and returns which
// failed.
func (s *spans) check(t *testing.T) (failed []string) {
	t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	require.Zero(t, s.strange, "ends of what was not begun")
	for i, sql := range s.started {
		require.Len(t, s.ended[i], 1, "%d of %q", i, s.started)
		if s.ended[i][0].Err != nil {
			failed = append(failed, sql)
		}
	}
	s.started, s.ended = nil, nil
	return failed
}

// batchSpans is a spans that also traces batches.
type batchSpans struct {
	*spans
	mu             sync.Mutex
	batches, ended int
}

func (s *batchSpans) TraceBatchStart(ctx context.Context, _ *pgx.Conn, _ pgx.TraceBatchStartData) context.Context {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.batches++
	return ctx
}
func (s *batchSpans) TraceBatchQuery(context.Context, *pgx.Conn, pgx.TraceBatchQueryData) {}
func (s *batchSpans) TraceBatchEnd(context.Context, *pgx.Conn, pgx.TraceBatchEndData) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.ended++
}

const (
	readBalance  = "select balance from accounts where id = $1"
	readBoth     = "select id, balance from accounts order by id"
	addReturning = "update accounts set balance = balance + 1 where id = $1 returning balance"
)

// A pgx.QueryTracer sees the end of each statement once, and in its context, in every
// packet and however its result is read.
func TestEachStatementIsTracedOnce(t *testing.T) {
	type function func(ctx context.Context, tx *txn.Tx) error
	callbacks := func(sql string, args ...any) *pgx.Batch {
		var b pgx.Batch
		b.Queue(readBalance, 1).QueryRow(func(row pgx.Row) error { return row.Scan(new(int)) })
		b.Queue(setBalance, 1, 7).Exec(func(pgconn.CommandTag) error { return nil })
		b.Queue(readBoth).Query(func(rows pgx.Rows) error {
			_, err := pgx.CollectRows(rows, pgx.RowToMap)
			return err
		})
		b.Queue(addReturning, 2)
		b.Queue(sql, args...).QueryRow(func(row pgx.Row) error { return row.Scan(new(int)) })
		return &b
	}
	for name, test := range map[string]struct {
		f      function
		failed []string // but for what comes behind it
	}{
		"Exec": {func(ctx context.Context, tx *txn.Tx) error { return write(ctx, tx, 1, 7) }, nil},
		"QueryRow": {func(ctx context.Context, tx *txn.Tx) error {
			_, err := read(ctx, tx, 1)
			return err
		}, nil},
		"no row": {func(ctx context.Context, tx *txn.Tx) error {
			_, err := read(ctx, tx, 9)
			require.ErrorIs(t, err, pgx.ErrNoRows)
			return nil
		}, nil},
		"row that is not read": {func(ctx context.Context, tx *txn.Tx) error {
			tx.QueryRow(ctx, readBalance, 1)
			return nil
		}, nil},
		"rows": {func(ctx context.Context, tx *txn.Tx) error {
			tx.Queue(setBalance, 2, 5)
			rows, err := tx.Query(ctx, readBoth)
			require.NoError(t, err)
			_, err = pgx.CollectRows(rows, pgx.RowToMap)
			return err
		}, nil},
		"rows closed early": {func(ctx context.Context, tx *txn.Tx) error {
			rows, err := tx.Query(ctx, readBoth)
			require.NoError(t, err)
			require.True(t, rows.Next())
			rows.Close()
			rows.Close()
			tx.Queue(addReturning, 1)
			return nil
		}, nil},
		"rows left open": {func(ctx context.Context, tx *txn.Tx) error {
			_, err := tx.Query(ctx, readBoth)
			return err
		}, nil},
		"queries, one after the other": {func(ctx context.Context, tx *txn.Tx) error {
			for id := range 3 {
				tx.Queue(setBalance, 1, id)
				rows, err := tx.Query(ctx, addReturning, 1+id)
				require.NoError(t, err)
				_, err = pgx.CollectRows(rows, pgx.RowTo[int])
				require.NoError(t, err)
			}
			return nil
		}, nil},
		"a savepoint undone": {func(ctx context.Context, tx *txn.Tx) error {
			require.Error(t, pgx.BeginFunc(ctx, tx, func(tx pgx.Tx) error {
				_, err := read(ctx, tx, 1)
				return errors.Join(err, write(ctx, tx, 1, -1))
			}))
			return nil
		}, []string{setBalance}},
		"a batch": {func(ctx context.Context, tx *txn.Tx) error { return txn.Batch(ctx, tx, callbacks(readBalance, 2)) }, nil},
		"a batch, later": {func(ctx context.Context, tx *txn.Tx) error {
			return errors.Join(write(ctx, tx, 1, 7), txn.Batch(ctx, tx, callbacks(readBalance, 2)))
		}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			eachMode(t, func(t *testing.T, db *dbtest.DB, given *pgxpool.Pool) {
				one, both := &spans{}, &batchSpans{spans: &spans{}}
				for _, traced := range []struct {
					*spans
					tracer pgx.QueryTracer
				}{{one, one}, {both.spans, both}} {
					pool := poolLike(t, db, given, func(c *pgxpool.Config) { c.ConnConfig.Tracer = traced.tracer })
					for range 2 { // the second time everything is described
						require.NoError(t, txn.Run(t.Context(), pool, test.f))
						require.Equal(t, test.failed, traced.check(t))
					}
					requireClean(t, pool)
				}
				require.Equal(t, both.batches, both.ended)
			})
		})
	}
}

func TestEachStatementThatFailsIsTracedOnce(t *testing.T) {
	eachMode(t, func(t *testing.T, db *dbtest.DB, given *pgxpool.Pool) {
		tracer := &spans{}
		pool := poolLike(t, db, given, func(c *pgxpool.Config) { c.ConnConfig.Tracer = tracer })
		const byZero = "select 1 / (balance - balance) from accounts where id = $1"
		for range 2 {
			for _, f := range []func(ctx context.Context, tx *txn.Tx) error{
				func(ctx context.Context, tx *txn.Tx) error { return tx.QueryRow(ctx, byZero, 1).Scan(new(int)) },
				func(ctx context.Context, tx *txn.Tx) error {
					tx.Queue(setBalance, 1, 7)
					rows, err := tx.Query(ctx, byZero, 1)
					if err != nil {
						return err
					}
					_, err = pgx.CollectRows(rows, pgx.RowTo[int])
					return err
				},
				func(ctx context.Context, tx *txn.Tx) error {
					tx.Queue(byZero, 1)
					_, err := read(ctx, tx, 1)
					return err
				},
				func(ctx context.Context, tx *txn.Tx) error {
					var b pgx.Batch
					b.Queue(readBalance, 1).QueryRow(func(row pgx.Row) error { return row.Scan(new(int)) })
					b.Queue(byZero, 1).QueryRow(func(row pgx.Row) error { return row.Scan(new(int)) })
					b.Queue(readBalance, 2).QueryRow(func(row pgx.Row) error { return row.Scan(new(int)) })
					return txn.Batch(ctx, tx, &b)
				},
			} {
				require.Error(t, txn.Run(t.Context(), pool, f))
				require.Contains(t, tracer.check(t), byZero)
			}
			// A value that cannot be scanned, a row given to a RowScanner, and a value
			// that cannot be sent.
			require.Error(t, txn.Run(t.Context(), pool, func(ctx context.Context, tx *txn.Tx) error {
				rows, err := tx.Query(ctx, readBoth)
				require.NoError(t, err)
				require.True(t, rows.Next())
				return rows.Scan(new(int), new([]bool))
			}))
			tracer.check(t)
			require.Error(t, txn.Run(t.Context(), pool, func(ctx context.Context, tx *txn.Tx) error {
				return tx.QueryRow(ctx, readBalance, 1).Scan(new([]bool))
			}))
			tracer.check(t)
			var b pgx.Batch
			b.Queue(readBoth).Query(func(rows pgx.Rows) error {
				require.True(t, rows.Next())
				return rows.Scan(new(int), new([]bool))
			})
			b.Queue(readBalance, 1).QueryRow(func(pgx.Row) error { panic("called back") })
			require.ErrorAs(t, txn.Batch(t.Context(), pool, &b), new(*txn.CommittedError))
			tracer.check(t)
			require.Error(t, txn.Run(t.Context(), pool, func(ctx context.Context, tx *txn.Tx) error {
				tx.Queue(setBalance, 1, 7)
				_, err := tx.Exec(ctx, setBalance, 1, make(chan int))
				return err
			}))
			tracer.check(t)
		}
		requireClean(t, pool)
	})
}
