package txn

import (
	"context"
	"fmt"
	"reflect"
	"sync/atomic"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

// running is the context given to a function. A call that finds its own database there
// is nested in a transaction that it does not join.
type running struct {
	context.Context
	call *call
	db   DB
	name string
	key  *inFlightKey // with Once, or nil
	over atomic.Bool  // the call has ended but its context is still in use

	// Read by guards.
	beside  bool                         // with RequiresNew
	wrapped bool                         // db begins by its own BeginTx
	conn    atomic.Pointer[pgx.Conn]     // of the attempt, while it has one
	pool    atomic.Pointer[pgxpool.Pool] // the pool that db was seen to use
	early   atomic.Pointer[earlyStray]   // the last one
}

type runningKey struct{}

// Value finds the innermost running call.
func (r *running) Value(key any) any {
	switch key {
	case runningKey{}, guardKey{}:
		return r
	}
	return r.Context.Value(key)
}

// runningOn returns the context of a call that begins a transaction.
func (c *call) runningOn(ctx context.Context) *running {
	r := &running{Context: ctx, call: c, db: c.db, name: c.name, beside: c.requiresNew, wrapped: !c.direct}
	r.pool.Store(guardedPool(connOfDB(c.db)))
	c.running = r
	return r
}

// runningJoined returns the context of a call that joins another's transaction on a
// guarded pool. On another pool it returns nil, as the pool is unknown.
func runningJoined(ctx context.Context, tx pgx.Tx, name string, conn *pgx.Conn) *running {
	pool := guardedPool(conn)
	if pool == nil {
		return nil
	}
	r := &running{Context: ctx, db: tx, name: name}
	r.conn.Store(conn)
	r.pool.Store(pool)
	return r
}

// runningIn returns the innermost running call in ctx, or nil.
func runningIn(ctx context.Context) *running {
	r, _ := ctx.Value(runningKey{}).(*running)
	return r
}

// checkNested refuses a call on the same database inside the function of a running
// call.
func checkNested(ctx context.Context, db DB, name string) error {
	for r := runningIn(ctx); r != nil; r = runningIn(r.Context) {
		if !r.over.Load() && (identity(db) == identity(r.db) || r.onPool() != nil && r.onPool() == poolOf(db)) {
			return fmt.Errorf("%s: this call is inside the function of another call (%s) on the same database, and would not be part of its transaction: "+
				"give it the *txn.Tx to join, or the option RequiresNew to run beside it", prefix(name), prefix(r.name))
		}
	}
	return nil
}

// poolOf returns the pool that db is, or that a struct embeds, or nil.
func poolOf(db DB) *pgxpool.Pool {
	if pool, ok := db.(*pgxpool.Pool); ok {
		return pool
	}
	if _, ok := db.(pool); !ok {
		return nil
	}
	v := reflect.ValueOf(db)
	for v.Kind() == reflect.Pointer && !v.IsNil() {
		v = v.Elem()
	}
	if v.Kind() != reflect.Struct {
		return nil
	}
	if f := v.FieldByName("Pool"); f.IsValid() && f.Type() == reflect.TypeFor[*pgxpool.Pool]() && f.CanInterface() {
		pool, _ := f.Interface().(*pgxpool.Pool)
		return pool
	}
	return nil
}

// identity returns what identifies a database: the pool if there is one, even in a
// struct that embeds it.
func identity(db DB) any {
	if c, ok := db.(*pgxpool.Conn); ok {
		return c.Conn()
	}
	if pool := poolOf(db); pool != nil {
		return pool
	}
	if reflect.ValueOf(db).Comparable() {
		return db
	}
	return new(byte) // a unique identity
}
