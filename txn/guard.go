package txn

import (
	"context"
	"fmt"
	"sync/atomic"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/multitracer"
	"github.com/jackc/pgx/v5/pgxpool"
)

// GuardPool makes a pool refuse operations that bypass a running transaction: a
// connection, a transaction or a statement that the function of a call on the pool, or
// code called by it, requests from the pool and not from the Tx. Such an operation
// would not be part of the transaction, and on a pool with one connection it would wait
// forever.
//
//	config, err := pgxpool.ParseConfig(url)
//	// …
//	txn.GuardPool(config, nil)
//	pool, err := pgxpool.NewWithConfig(ctx, config)
//
// A refused statement returns an error that says so, before anything is sent and before
// a connection is taken. If report is not nil, nothing is refused: report is called
// with the statement's context and that error, which contains the text of the
// statement, and the statement proceeds. Several goroutines may call report at a time.
//
// The pool recognizes a bypass by the context: the function's, or one derived from it.
// A statement with another context, such as the caller's, is not detected. Statements
// on a connection taken from the pool before the call are refused too; pgx closes that
// connection if the statement is BEGIN. Allowed are calls with [RequiresNew], by their
// own Tx, functions given to [Tx.OnCommit], statements of the pool's own hooks while
// the call takes its connection, and everything on other pools, even those to the same
// database.
//
// If a call begins by the BeginTx of a wrapper that does not embed a pool, its pool is
// unknown before that. An earlier statement that bypasses the transaction proceeds, and
// the call fails when it begins, or the statement is reported then.
//
// GuardPool sets the tracer of config, around an existing one. Call it once, before the
// pool is created.
func GuardPool(config *pgxpool.Config, report func(ctx context.Context, err error)) {
	guarding.Store(true)
	g := &guard{report}
	if t := config.ConnConfig.Tracer; t != nil {
		config.ConnConfig.Tracer = multitracer.New(g, t)
		return
	}
	config.ConnConfig.Tracer = g
}

// guarding is set by the first GuardPool. Until then nothing is recorded for guards.
var guarding atomic.Bool

// guard is the tracer of a guarded pool.
type guard struct {
	report func(ctx context.Context, err error) // nil means refuse
}

// TraceAcquireStart refuses early. It does not report, as there is no statement yet.
func (g *guard) TraceAcquireStart(ctx context.Context, pool *pgxpool.Pool, _ pgxpool.TraceAcquireStartData) context.Context {
	if o, ok := ctx.Value(guardKey{}).(*own); ok && o.r.wrapped && poolOf(o.r.db) == nil {
		o.r.pool.Store(pool) // until the connection is known
	}
	r, _ := stray(ctx, pool, nil)
	switch {
	case r == nil:
		return ctx
	case g.report == nil:
		return refusedContext{ctx, r.strayed("a connection taken from the pool")}
	}
	return &own{ctx, r} // so that statements of the pool's hooks are not reported
}

// TraceAcquireEnd records which pool the connection belongs to.
func (g *guard) TraceAcquireEnd(_ context.Context, pool *pgxpool.Pool, d pgxpool.TraceAcquireEndData) {
	if d.Conn == nil {
		return
	}
	if data := d.Conn.PgConn().CustomData(); data != nil && data[guardedKey] == nil {
		data[guardedKey] = pool
	}
}

const guardedKey = "github.com/rowkeeper/rowkeeper/txn.GuardPool"

// guardedPool returns the guarded pool of conn, or nil. The caller must be entitled to
// use the connection.
func guardedPool(conn *pgx.Conn) *pgxpool.Pool {
	if conn == nil || !guarding.Load() {
		return nil
	}
	pool, _ := conn.PgConn().CustomData()[guardedKey].(*pgxpool.Pool)
	return pool
}

func (g *guard) TraceQueryStart(ctx context.Context, conn *pgx.Conn, d pgx.TraceQueryStartData) context.Context {
	if r, unsure := strayOn(ctx, conn); r != nil || unsure != nil {
		return g.meet(ctx, conn, r, unsure, quoted(d.SQL))
	}
	return ctx
}

func (g *guard) TraceBatchStart(ctx context.Context, conn *pgx.Conn, d pgx.TraceBatchStartData) context.Context {
	if r, unsure := strayOn(ctx, conn); r != nil || unsure != nil {
		queries := d.Batch.QueuedQueries // pgx does not trace a batch without queries
		return g.meet(ctx, conn, r, unsure, fmt.Sprintf("a batch of %d that begins with %s", len(queries), quoted(queries[0].SQL)))
	}
	return ctx
}

func (g *guard) TraceCopyFromStart(ctx context.Context, conn *pgx.Conn, d pgx.TraceCopyFromStartData) context.Context {
	if r, unsure := strayOn(ctx, conn); r != nil || unsure != nil {
		return g.meet(ctx, conn, r, unsure, "a copy into "+d.TableName.Sanitize())
	}
	return ctx
}

func (g *guard) TracePrepareStart(ctx context.Context, conn *pgx.Conn, d pgx.TracePrepareStartData) context.Context {
	if r, unsure := strayOn(ctx, conn); r != nil || unsure != nil {
		return g.meet(ctx, conn, r, unsure, quoted(d.SQL))
	}
	return ctx
}

func (*guard) TraceQueryEnd(context.Context, *pgx.Conn, pgx.TraceQueryEndData)       {}
func (*guard) TraceBatchQuery(context.Context, *pgx.Conn, pgx.TraceBatchQueryData)   {}
func (*guard) TraceBatchEnd(context.Context, *pgx.Conn, pgx.TraceBatchEndData)       {}
func (*guard) TraceCopyFromEnd(context.Context, *pgx.Conn, pgx.TraceCopyFromEndData) {}
func (*guard) TracePrepareEnd(context.Context, *pgx.Conn, pgx.TracePrepareEndData)   {}

// strayOn is stray for a statement about to be sent on conn.
func strayOn(ctx context.Context, conn *pgx.Conn) (found, unsure *running) {
	if ctx.Value(guardKey{}) == nil { // outside of transactions
		return nil, nil
	}
	pool := guardedPool(conn)
	if pool == nil {
		return nil, nil
	}
	return stray(ctx, pool, conn)
}

// meet returns the context for an operation that bypasses the transaction of r: a
// context that is done, so that pgx does not send it, or one in which pgx can prepare
// it without another report. If r is nil but a call has an unknown pool, the operation
// is remembered until the pool is known.
func (g *guard) meet(ctx context.Context, conn *pgx.Conn, r, unsure *running, what string) context.Context {
	if r == nil {
		unsure.remember(earlyStray{guard: g, pool: guardedPool(conn), ctx: ctx, what: what})
		return &own{ctx, unsure}
	}
	err := r.strayed(what)
	if g.report == nil {
		return refusedContext{ctx, err}
	}
	g.report(ctx, err)
	return &own{ctx, r}
}

func quoted(sql string) string { return fmt.Sprintf("%q", beginning(sql)) }

// refusedContext is a context that is done, with a reason that pgx passes on.
type refusedContext struct {
	context.Context
	err error
}

func (refusedContext) Done() <-chan struct{} { return isDone }
func (r refusedContext) Err() error          { return r.err }

var isDone = func() <-chan struct{} {
	c := make(chan struct{})
	close(c)
	return c
}()
