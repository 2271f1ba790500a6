package txn_test

import (
	"context"
	"fmt"
	"sync"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	"github.com/rowkeeper/rowkeeper/internal/devdb/dbtest"
	"github.com/rowkeeper/rowkeeper/txn"
)

// everyTracer implements all tracer interfaces of pgx, and records events, with the
// context of each start for its end.
type everyTracer struct {
	mu     sync.Mutex
	events []string
}

type everyKey struct{}

func (e *everyTracer) add(format string, args ...any) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.events = append(e.events, fmt.Sprintf(format, args...))
}

func (e *everyTracer) start(ctx context.Context, format string, args ...any) context.Context {
	e.add(format, args...)
	return context.WithValue(ctx, everyKey{}, fmt.Sprintf(format, args...))
}

func (e *everyTracer) end(ctx context.Context, err error) {
	e.add("end of %v, error %t", ctx.Value(everyKey{}), err != nil)
}

func (e *everyTracer) taken() []string {
	e.mu.Lock()
	defer e.mu.Unlock()
	defer func() { e.events = nil }()
	return e.events
}

func (e *everyTracer) TraceQueryStart(ctx context.Context, _ *pgx.Conn, d pgx.TraceQueryStartData) context.Context {
	return e.start(ctx, "query %s", d.SQL)
}
func (e *everyTracer) TraceQueryEnd(ctx context.Context, _ *pgx.Conn, d pgx.TraceQueryEndData) {
	e.end(ctx, d.Err)
}
func (e *everyTracer) TraceBatchStart(ctx context.Context, _ *pgx.Conn, d pgx.TraceBatchStartData) context.Context {
	return e.start(ctx, "batch of %d", d.Batch.Len())
}
func (e *everyTracer) TraceBatchQuery(_ context.Context, _ *pgx.Conn, d pgx.TraceBatchQueryData) {
	e.add("of the batch: %s, error %t", d.SQL, d.Err != nil)
}
func (e *everyTracer) TraceBatchEnd(ctx context.Context, _ *pgx.Conn, d pgx.TraceBatchEndData) {
	e.end(ctx, d.Err)
}
func (e *everyTracer) TraceCopyFromStart(ctx context.Context, _ *pgx.Conn, d pgx.TraceCopyFromStartData) context.Context {
	return e.start(ctx, "copy into %s", d.TableName.Sanitize())
}
func (e *everyTracer) TraceCopyFromEnd(ctx context.Context, _ *pgx.Conn, d pgx.TraceCopyFromEndData) {
	e.end(ctx, d.Err)
}
func (e *everyTracer) TracePrepareStart(ctx context.Context, _ *pgx.Conn, d pgx.TracePrepareStartData) context.Context {
	return e.start(ctx, "prepare %s", d.SQL)
}
func (e *everyTracer) TracePrepareEnd(ctx context.Context, _ *pgx.Conn, d pgx.TracePrepareEndData) {
	e.end(ctx, d.Err)
}
func (e *everyTracer) TraceConnectStart(ctx context.Context, _ pgx.TraceConnectStartData) context.Context {
	return e.start(ctx, "connect")
}
func (e *everyTracer) TraceConnectEnd(ctx context.Context, d pgx.TraceConnectEndData) {
	e.end(ctx, d.Err)
}
func (e *everyTracer) TraceAcquireStart(ctx context.Context, _ *pgxpool.Pool, _ pgxpool.TraceAcquireStartData) context.Context {
	return e.start(ctx, "acquire")
}
func (e *everyTracer) TraceAcquireEnd(ctx context.Context, _ *pgxpool.Pool, d pgxpool.TraceAcquireEndData) {
	e.end(ctx, d.Err)
}
func (e *everyTracer) TraceRelease(*pgxpool.Pool, pgxpool.TraceReleaseData) { e.add("release") }

// onlyQueries implements only the required methods of a tracer.
type onlyQueries struct{ every *everyTracer }

func (q onlyQueries) TraceQueryStart(ctx context.Context, c *pgx.Conn, d pgx.TraceQueryStartData) context.Context {
	return q.every.TraceQueryStart(ctx, c, d)
}
func (q onlyQueries) TraceQueryEnd(ctx context.Context, c *pgx.Conn, d pgx.TraceQueryEndData) {
	q.every.TraceQueryEnd(ctx, c, d)
}

func TestGuardForwardsToTheTracerThatIsThere(t *testing.T) {
	for _, mode := range execModes() {
		t.Run(mode.String(), func(t *testing.T) {
			dbtest.Each(t, func(t *testing.T, db *dbtest.DB) {
				accounts(t, db)
				for name, tracer := range map[string]func(*everyTracer) pgx.QueryTracer{
					"every interface": func(e *everyTracer) pgx.QueryTracer { return e },
					"queries":         func(e *everyTracer) pgx.QueryTracer { return onlyQueries{e} },
				} {
					seen := func(guard bool) []string {
						e := new(everyTracer)
						pool := poolWith(t, db, func(c *pgxpool.Config) {
							c.ConnConfig.DefaultQueryExecMode, c.ConnConfig.Tracer = mode, tracer(e)
							if guard {
								txn.GuardPool(c, nil)
							}
						})
						_, err := read(t.Context(), pool, 1)
						require.NoError(t, err)
						require.NoError(t, txn.Run(t.Context(), pool, func(ctx context.Context, tx *txn.Tx) error { return useAll(ctx, tx, db) }))
						_, err = db.Exec(t.Context(), "delete from accounts where id >= 100")
						require.NoError(t, err)
						return e.taken()
					}
					want := seen(false)
					require.NotEmpty(t, want)
					require.Equal(t, want, seen(true), name)
				}

				e := new(everyTracer)
				pool := poolWith(t, db, func(c *pgxpool.Config) {
					c.MaxConns, c.ConnConfig.DefaultQueryExecMode, c.ConnConfig.Tracer = 2, mode, e
					txn.GuardPool(c, nil)
				})
				conn, err := pool.Acquire(t.Context())
				require.NoError(t, err)
				defer conn.Release()
				require.NoError(t, txn.Run(t.Context(), pool, func(ctx context.Context, tx *txn.Tx) error {
					e.taken()
					_, err := pool.Exec(ctx, insertHundred)
					require.ErrorContains(t, err, past)
					require.Equal(t, []string{"acquire", "end of acquire, error true"}, e.taken(), "of what is refused too")
					_, err = conn.Exec(ctx, insertHundred)
					require.ErrorContains(t, err, past)
					require.Equal(t, []string{"query " + insertHundred, "end of query " + insertHundred + ", error true"}, e.taken())
					return nil
				}))
			})
		})
	}
}

// A guard without another tracer adds no cost to a transaction's own statements, except
// those that pgx sends.
func BenchmarkGuard(b *testing.B) {
	db := dbtest.First(b)
	accounts(b, db)
	for name, change := range map[string]func(*pgxpool.Config){
		"without": func(*pgxpool.Config) {},
		"with":    func(c *pgxpool.Config) { txn.GuardPool(c, nil) },
	} {
		pool := poolWith(b, db, change)
		b.Run("statement on the pool/"+name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := read(b.Context(), pool, 1); err != nil {
					b.Fatal(err)
				}
			}
		})
		b.Run("transaction of two/"+name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if err := txn.Run(b.Context(), pool, func(ctx context.Context, tx *txn.Tx) error {
					if _, err := read(ctx, tx, 1); err != nil {
						return err
					}
					_, err := read(ctx, tx, 2)
					return err
				}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
