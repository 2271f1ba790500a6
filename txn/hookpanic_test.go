package txn_test

import (
	"context"
	"database/sql/driver"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/assert"

	"github.com/rowkeeper/rowkeeper/internal/devdb/dbtest"
	"github.com/rowkeeper/rowkeeper/txn"
	"github.com/rowkeeper/rowkeeper/txn/trace"
)

// bomb is user code that runs around COMMIT and does not return, once it is armed for
// that place.
type bomb struct {
	trace.Nop
	how   func()
	place atomic.Pointer[string]
}

func (b *bomb) arm(place string) { b.place.Store(&place) }

func (b *bomb) at(place string) {
	if armed := b.place.Load(); armed != nil && *armed == place {
		b.place.Store(nil)
		b.how()
	}
}

func (b *bomb) TraceQueryStart(ctx context.Context, _ *pgx.Conn, data pgx.TraceQueryStartData) context.Context {
	b.at("start of " + data.SQL)
	return context.WithValue(ctx, bombKey{}, data.SQL)
}

func (b *bomb) TraceQueryEnd(ctx context.Context, _ *pgx.Conn, _ pgx.TraceQueryEndData) {
	sql, _ := ctx.Value(bombKey{}).(string)
	b.at("end of " + sql)
}

type bombKey struct{}

func (b *bomb) TraceCommitStart(ctx context.Context, _ trace.CommitStart) context.Context {
	b.at("start of the commit")
	return ctx
}
func (b *bomb) TraceCommitEnd(context.Context, trace.CommitEnd)   { b.at("end of the commit") }
func (b *bomb) TraceAttemptEnd(context.Context, trace.AttemptEnd) { b.at("end of the attempt") }
func (b *bomb) TraceCallEnd(context.Context, trace.CallEnd)       { b.at("end of the call") }

// Value encodes an argument in the packet of COMMIT.
func (b *bomb) Value() (driver.Value, error) {
	b.at("Valuer")
	return int64(7), nil
}

// hookPlaces are all places between the return of the function and that of the call at
// which user code runs.
var hookPlaces = []string{
	"Valuer", "start of begin isolation level serializable", "end of begin isolation level serializable",
	"start of " + setBalance, "end of " + setBalance, "start of commit", "end of commit",
	"start of the commit", "end of the commit", "end of the attempt", "end of the call",
}

// TestPanicAroundCommit makes user code panic, or end its goroutine, at every such
// place. The next user of the connection is unaffected: not canceled when the context
// of that call ends, and not cut off after the grace for its COMMIT.
func TestPanicAroundCommit(t *testing.T) {
	t.Parallel()
	for name, how := range map[string]func(){"panic": func() { panic("as the test asked") }, "Goexit": runtime.Goexit} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			eachMode(t, func(t *testing.T, db *dbtest.DB, first *pgxpool.Pool) {
				mode := first.Config().ConnConfig.DefaultQueryExecMode
				var wg sync.WaitGroup
				for _, place := range hookPlaces {
					for _, commitAlone := range []bool{false, true} {
						if commitAlone && (place == "start of the commit" || place == "end of the call") {
							continue // as with others
						}
						wg.Go(func() { panicAroundCommit(t, db, mode, how, place, commitAlone) })
					}
				}
				wg.Wait()
			})
		})
	}
}

func panicAroundCommit(t *testing.T, db *dbtest.DB, mode pgx.QueryExecMode, how func(), place string, commitAlone bool) {
	b := &bomb{how: how}
	pool := poolWith(t, db, func(c *pgxpool.Config) {
		c.ConnConfig.Tracer = b
		c.ConnConfig.DefaultQueryExecMode = mode
	})
	ctx, end := context.WithCancel(t.Context())
	defer end()
	call := func() {
		_ = txn.Run(ctx, pool, func(ctx context.Context, tx *txn.Tx) error {
			if commitAlone {
				_, err := tx.Exec(ctx, setBalance, 9, b)
				return err
			}
			tx.Queue(setBalance, 9, b) // no row of it
			return nil
		}, txn.Trace(b), txn.NoAdmission())
	}
	call() // has everything described
	b.arm(place)
	done := make(chan struct{})
	go func() {
		defer close(done)
		defer func() { _ = recover() }()
		call()
	}()
	<-done
	assert.Nil(t, b.place.Load(), "%s: it did not go off", place)
	end()
	_, err := pool.Exec(t.Context(), "select pg_sleep(2.5)") // outlives the grace
	assert.NoError(t, err, place)
	_, err = pool.Exec(t.Context(), "select 1")
	assert.NoError(t, err, place)
	assert.Zero(t, pool.Stat().AcquiredConns(), place)
}
