package txn_test

import (
	"context"
	"fmt"
	"runtime"
	"sync"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	"github.com/rowkeeper/rowkeeper/internal/devdb/dbtest"
	"github.com/rowkeeper/rowkeeper/txn"
	"github.com/rowkeeper/rowkeeper/txn/once"
	"github.com/rowkeeper/rowkeeper/txn/trace"
)

// breaksAt is a Tracer that panics or ends its goroutine at one event.
type breaksAt struct {
	trace.Nop
	event string
	how   func()
}

func (b *breaksAt) at(event string) {
	if b.event == event {
		b.how()
	}
}

func (b *breaksAt) TraceCommitEnd(context.Context, trace.CommitEnd)   { b.at("TraceCommitEnd") }
func (b *breaksAt) TraceAttemptEnd(context.Context, trace.AttemptEnd) { b.at("TraceAttemptEnd") }
func (b *breaksAt) TraceCallEnd(context.Context, trace.CallEnd)       { b.at("TraceCallEnd") }

// A panic after the COMMIT continues, but the functions given to OnCommit run first,
// and everything is given back.
func TestOnCommitRunsWhenATracerBreaksOff(t *testing.T) {
	for name, how := range map[string]func(){"panic": func() { panic("boom") }, "Goexit": runtime.Goexit} {
		for _, event := range []string{"TraceCommitEnd", "TraceAttemptEnd", "TraceCallEnd"} {
			t.Run(name+" in "+event, func(t *testing.T) {
				dbtest.Each(t, func(t *testing.T, db *dbtest.DB) {
					withLedger(t, db)
					f := withFaults(t, db)
					pool := poolWith(t, db, func(c *pgxpool.Config) {})
					call := 0
					for shape := range shapes {
						for _, wrapped := range []bool{false, true} {
							for _, withKey := range []bool{false, true} {
								call++
								b := &breaksAt{event: event, how: how}
								var through txn.DB = pool
								if wrapped {
									through = wrapper{pool}
								}
								opts := []txn.Option{txn.Trace(b), txn.NoAdmission()}
								if withKey {
									opts = append(opts, once.Key("test", fmt.Sprint(call), nil))
								}
								ran := 0
								p := breaksOff(func() {
									_, _ = txn.RunInTx(t.Context(), through, func(ctx context.Context, tx *txn.Tx) (int, error) {
										tx.OnCommit(func(context.Context) { ran++ })
										return shapes[shape](call)(ctx, tx)
									}, opts...)
								})
								message := fmt.Sprintf("%s, wrapped %t, once %t", shape, wrapped, withKey)
								if name == "panic" {
									require.Equal(t, "boom", p, message)
								} else {
									require.Equal(t, exited, p, message)
								}
								require.Equal(t, 1, ran, message)
								require.Equal(t, []int{1}, f.effects(t, call), message)
								b.event = ""
								requireClean(t, pool)
								if withKey { // and who comes next with the key is told so
									attempt, err := txn.RunInTx(t.Context(), pool, shapes[shape](call), once.Key("test", fmt.Sprint(call), nil))
									require.NoError(t, err)
									require.Equal(t, 1, attempt)
									require.Equal(t, []int{1}, f.effects(t, call), message)
								}
							}
						}
					}
				})
			})
		}
	}
}

const exited = "exited"

// breaksOff runs f in a goroutine of its own and returns how that ended: the value of a
// panic, exited, or nil.
func breaksOff(f func()) (how any) {
	var wg sync.WaitGroup
	wg.Go(func() {
		how = exited
		defer func() {
			if p := recover(); p != nil {
				how = p
			}
		}()
		f()
		how = nil
	})
	wg.Wait()
	return how
}

// A callback of Batch that panics or ends its goroutine does so after the COMMIT.
func TestBatchCallbackThatBreaksOff(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *dbtest.DB) {
		accounts(t, db)
		pool := poolWith(t, db, func(c *pgxpool.Config) {})
		for i, how := range []func(){func() { panic("boom") }, runtime.Goexit} {
			for j, through := range []txn.DB{pool, wrapper{pool}} {
				var b pgx.Batch
				b.Queue("update accounts set balance = $1 where id = 1", 10*i+j)
				b.Queue("select balance from accounts where id = 1").QueryRow(func(pgx.Row) error { how(); return nil })
				r := &recorder{}
				require.NotNil(t, breaksOff(func() { _ = txn.Batch(t.Context(), through, &b, txn.Trace(r)) }))
				require.Equal(t, 10*i+j, balance(t, db, 1))
				require.Contains(t, r.events, "/call/attempt 1 ends, committed true, retryable false, ")
				requireClean(t, pool)
			}
		}
	})
}

// A function that ends its goroutine, such as t.FailNow, does not keep the others from
// running.
func TestGoexitInOnCommit(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *dbtest.DB) {
		accounts(t, db)
		var ran []int
		require.Equal(t, exited, breaksOff(func() {
			_ = txn.Run(t.Context(), db, func(ctx context.Context, tx *txn.Tx) error {
				tx.OnCommit(func(context.Context) { ran = append(ran, 1); runtime.Goexit() })
				tx.OnCommit(func(context.Context) { ran = append(ran, 2); panic("boom") })
				tx.OnCommit(func(context.Context) { ran = append(ran, 3); runtime.Goexit() })
				tx.OnCommit(func(context.Context) { ran = append(ran, 4) })
				return write(ctx, tx, 1, 7)
			})
		}))
		require.Equal(t, []int{1, 2, 3, 4}, ran)
		require.Equal(t, 7, balance(t, db, 1))
		requireClean(t, db.Pool)
	})
}
