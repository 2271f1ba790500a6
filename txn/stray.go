package txn

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

// own is the context in which the call of r takes its connection, or works outside its
// transaction. Statements sent with it are r's own: by hooks of the pool, or by a
// wrapper.
type own struct {
	context.Context
	r *running
}

// guardKey finds the innermost *own or *running.
type guardKey struct{}

func (o *own) Value(key any) any {
	if key == (guardKey{}) {
		return o
	}
	return o.Context.Value(key)
}

// owned returns ctx for the call's own work before it has the connection of its
// transaction, or on another connection.
func (r *running) owned(ctx context.Context) context.Context {
	if !guarding.Load() {
		return ctx
	}
	return &own{ctx, r}
}

// hiddenConn stands for the connection of a wrapper that hides it.
var hiddenConn = new(pgx.Conn)

// onPool returns the pool of the call, or nil if it is unknown or there is none.
func (r *running) onPool() *pgxpool.Pool {
	if pool := r.pool.Load(); pool != nil {
		return pool
	}
	return poolOf(r.db)
}

// stray finds the call whose transaction is bypassed by an operation with ctx on the
// pool: on conn, or on a connection yet to be taken if conn is nil. An operation on the
// connection of any call that ctx belongs to is part of that call. unsure is a call
// that begins through a wrapper and may turn out to be on the pool.
func stray(ctx context.Context, pool *pgxpool.Pool, conn *pgx.Conn) (found, unsure *running) {
	var free *running
	for at := ctx.Value(guardKey{}); ; {
		switch v := at.(type) {
		case *own:
			if v.r.beside {
				return found, unsure
			}
			free = v.r
			at = v.Context.Value(guardKey{})
		case *running:
			c := v.conn.Load()
			if conn != nil && (c == conn || c == hiddenConn) {
				return nil, nil
			}
			switch on := v.onPool(); {
			case v == free || v.over.Load():
			case found == nil && on == pool:
				found = v
			case unsure == nil && on == nil && v.wrapped && c == nil:
				unsure = v
			}
			at = v.Context.Value(guardKey{})
		default:
			return found, unsure
		}
	}
}

// strayed returns the error for an operation that bypasses the transaction of r.
func (r *running) strayed(what string) error {
	return fmt.Errorf("%s: %s goes past the transaction of this call: inside its function use the *txn.Tx, or a call with the option RequiresNew to run beside it", prefix(r.name), what)
}

// earlyStray is an operation on a pool that the call may be on.
type earlyStray struct {
	guard *guard
	pool  *pgxpool.Pool
	ctx   context.Context
	what  string

	before *earlyStray
	count  int // with those before
}

// mostEarly is how many are remembered; one is enough for the call to fail.
const mostEarly = 8

func (r *running) remember(e earlyStray) {
	for {
		e.before, e.count = r.early.Load(), 1
		if e.before != nil {
			e.count += e.before.count
		}
		if e.count > mostEarly || r.early.CompareAndSwap(e.before, &e) {
			return
		}
	}
}

// begunOn records the connection on which a wrapper has begun. If an earlier operation
// on the same pool bypassed the transaction, it is reported, or its error returned.
func (r *running) begunOn(conn *pgx.Conn) error {
	if pool := guardedPool(conn); pool != nil {
		r.pool.Store(pool)
	}
	r.conn.Store(cmp.Or(conn, hiddenConn))
	var early []*earlyStray
	for e := r.early.Swap(nil); e != nil; e = e.before {
		early = append(early, e)
	}
	for _, e := range slices.Backward(early) {
		if e.pool != r.onPool() {
			continue
		}
		err := r.strayed(e.what)
		if e.guard.report == nil {
			return err
		}
		e.guard.report(e.ctx, err)
	}
	return nil
}
