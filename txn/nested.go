package txn

import (
	"context"
	"fmt"
	"reflect"
	"sync/atomic"

	"github.com/jackc/pgx/v5/pgxpool"
)

// running is the context that a function is given. A call that finds its own
// database there is nested in a transaction that it does not join.
type running struct {
	context.Context
	call *call
	db   DB
	name string
	key  inFlightKey // with Once
	over atomic.Bool // the call has ended, and its context has outlived it
}

type runningKey struct{}

// Value finds the innermost one.
func (r *running) Value(key any) any {
	if key == (runningKey{}) {
		return r
	}
	return r.Context.Value(key)
}

func runningIn(ctx context.Context) *running {
	r, _ := ctx.Value(runningKey{}).(*running)
	return r
}

// checkNested refuses a call inside the function of a running one that is given
// the same database.
func checkNested(ctx context.Context, db DB, name string) error {
	for r := runningIn(ctx); r != nil; r = runningIn(r.Context) {
		if !r.over.Load() && identity(db) == identity(r.db) {
			return fmt.Errorf("%s: this call is inside the function of another call (%s) on the same database, and would not be part of its transaction: "+
				"give it the *txn.Tx to join, or the option RequiresNew to run beside it", prefix(name), prefix(r.name))
		}
	}
	return nil
}

// poolOf is the pool that db is, or that a struct embeds.
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

// identity is what a database is known by: the pool where there is one, also in
// a struct that embeds it.
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
	return new(byte) // of its own
}
