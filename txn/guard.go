package txn

import (
	"context"
	"fmt"
	"sync/atomic"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/multitracer"
	"github.com/jackc/pgx/v5/pgxpool"
)

// GuardPool has a pool refuse what goes past a transaction of its own: a
// connection, a transaction or a statement that the function of a call on the
// pool, or what that calls, asks of the pool and not of the Tx. It would be no part
// of the transaction, and with a pool of one connection it would wait for ever.
//
//	config, err := pgxpool.ParseConfig(url)
//	// …
//	txn.GuardPool(config, nil)
//	pool, err := pgxpool.NewWithConfig(ctx, config)
//
// A refused statement returns an error that says so, before anything is sent and
// before a connection is taken. With a report nothing is refused: it is called with that
// error, which has the text of the statement, and the statement's context, and the
// statement goes ahead. It is called by several goroutines at a time.
//
// The pool knows by the context: that of the function, or one made from it. A
// statement with another context, such as that of the caller, is not seen. Refused
// are also statements on a connection that was taken from the pool before the
// call; pgx closes that one if the statement is BEGIN. What runs beside the
// transaction is free: a call with [RequiresNew], by its own Tx, and the functions
// given to [Tx.OnCommit]. So are the statements of the pool's own hooks while the
// call takes its connection, and everything on other pools, also on those to the
// same database.
//
// If a call begins by the BeginTx of a wrapper that embeds no pool, the pool is not
// known before that. A statement past the transaction that comes earlier goes
// ahead, and the call fails when it begins, or is reported then.
//
// GuardPool sets the tracer of the configuration, around the one that is there.
// Call it before the pool is made, once.
func GuardPool(config *pgxpool.Config, report func(ctx context.Context, err error)) {
	guarding.Store(true)
	g := &guard{report}
	if t := config.ConnConfig.Tracer; t != nil {
		config.ConnConfig.Tracer = multitracer.New(g, t)
		return
	}
	config.ConnConfig.Tracer = g
}

// guarding is set by the first GuardPool. Until then nothing is kept for guards.
var guarding atomic.Bool

// guard is the tracer of a guarded pool.
type guard struct {
	report func(ctx context.Context, err error) // nil: refuse
}

// TraceAcquireStart refuses early. It does not report: there is no statement yet.
func (g *guard) TraceAcquireStart(ctx context.Context, pool *pgxpool.Pool, _ pgxpool.TraceAcquireStartData) context.Context {
	if o, ok := ctx.Value(guardKey{}).(*own); ok && o.r.wrapped && poolOf(o.r.db) == nil {
		o.r.pool.Store(pool) // until the connection says it better
	}
	r, _ := stray(ctx, pool, nil)
	switch {
	case r == nil:
		return ctx
	case g.report == nil:
		return refusedContext{ctx, r.strayed("a connection taken from the pool")}
	}
	return &own{ctx, r} // so that what hooks of the pool send is not reported
}

// TraceAcquireEnd notes whose connection it is.
func (g *guard) TraceAcquireEnd(_ context.Context, pool *pgxpool.Pool, d pgxpool.TraceAcquireEndData) {
	if d.Conn == nil {
		return
	}
	if data := d.Conn.PgConn().CustomData(); data != nil && data[guardedKey] == nil {
		data[guardedKey] = pool
	}
}

const guardedKey = "github.com/rowkeeper/rowkeeper/txn.GuardPool"

// guardedPool is the guarded pool that conn is from, or nil. The connection must be
// the caller's to use.
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
		queries := d.Batch.QueuedQueries // pgx tells of none without queries
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

// strayOn is stray for what is about to be sent on conn.
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

// meet returns the context for what goes past the transaction of r: one that is
// done, so that pgx does not send it, or else one in which pgx can prepare it
// without another report. Without r, but with a call whose pool is not known, it is
// remembered until that is.
func (g *guard) meet(ctx context.Context, conn *pgx.Conn, r, unsure *running, what string) context.Context {
	if r == nil {
		unsure.remember(earlyStray{g, guardedPool(conn), ctx, what})
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

// refusedContext is a context that is done, for a reason that pgx passes on.
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
