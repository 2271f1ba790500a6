package txn_test

import (
	"context"
	"database/sql/driver"
	"errors"
	"sync"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rowkeeper/rowkeeper/internal/devdb/dbtest"
	"github.com/rowkeeper/rowkeeper/txn"
)

// acquiring reports when a caller begins to wait for a connection of a pool.
type acquiring struct {
	noTrace
	begun chan struct{}
}

func (a acquiring) TraceAcquireStart(ctx context.Context, _ *pgxpool.Pool, _ pgxpool.TraceAcquireStartData) context.Context {
	select {
	case a.begun <- struct{}{}:
	default:
	}
	return ctx
}

func (acquiring) TraceAcquireEnd(context.Context, *pgxpool.Pool, pgxpool.TraceAcquireEndData) {}

type noTrace struct{}

func (noTrace) TraceQueryStart(ctx context.Context, _ *pgx.Conn, _ pgx.TraceQueryStartData) context.Context {
	return ctx
}
func (noTrace) TraceQueryEnd(context.Context, *pgx.Conn, pgx.TraceQueryEndData) {}

// requireGivenBack waits for connections that are still being closed.
func requireGivenBack(t testing.TB, pool *pgxpool.Pool) {
	t.Helper()
	require.Eventually(t, func() bool { return pool.Stat().AcquiredConns() == 0 }, eventually, tick, "all connections come back")
}

// uses are the first operations of a goroutine.
var uses = map[string]func(ctx context.Context, tx *txn.Tx) error{
	"Exec":     func(ctx context.Context, tx *txn.Tx) error { return write(ctx, tx, 1, 7) },
	"Query":    func(ctx context.Context, tx *txn.Tx) error { _, err := tx.Query(ctx, "select 1"); return err },
	"QueryRow": func(ctx context.Context, tx *txn.Tx) error { _, err := read(ctx, tx, 1); return err },
	"SendBatch": func(ctx context.Context, tx *txn.Tx) error {
		var b pgx.Batch
		b.Queue(setBalance, 1, 7)
		return tx.SendBatch(ctx, &b).Close()
	},
	"CopyFrom": func(ctx context.Context, tx *txn.Tx) error {
		_, err := tx.CopyFrom(ctx, pgx.Identifier{"accounts"}, []string{"id", "balance"}, pgx.CopyFromRows([][]any{{int64(3), int64(1)}}))
		return err
	},
	"Prepare": func(ctx context.Context, tx *txn.Tx) error {
		_, err := tx.Prepare(ctx, "late", "select 1")
		return err
	},
	"Conn": func(ctx context.Context, tx *txn.Tx) error {
		if tx.Conn() != nil {
			return nil
		}
		return pgx.ErrTxClosed
	},
	"join": func(ctx context.Context, tx *txn.Tx) error {
		return txn.Run(ctx, tx, func(ctx context.Context, tx *txn.Tx) error { return write(ctx, tx, 1, 7) })
	},
	"Batch": func(ctx context.Context, tx *txn.Tx) error {
		var b pgx.Batch
		b.Queue(setBalance, 1, 7)
		return txn.Batch(ctx, tx, &b)
	},
}

// A goroutine that waits for a connection when the function returns.
func TestGoroutineThatComesTooLate(t *testing.T) {
	ends := map[string]func() error{
		"nil":   func() error { return nil },
		"error": func() error { return errors.New("mine") },
		"panic": func() error { panic("mine") },
	}
	for name, use := range uses {
		t.Run(name, func(t *testing.T) {
			dbtest.Each(t, func(t *testing.T, db *dbtest.DB) {
				accounts(t, db)
				waits := acquiring{begun: make(chan struct{}, 1)}
				pool := poolWith(t, db, func(c *pgxpool.Config) { c.ConnConfig.Tracer = waits })
				for _, d := range []txn.DB{pool, wrapper{pool}} {
					for end, how := range ends {
						for _, own := range []bool{true, false} {
							held, err := pool.Acquire(t.Context())
							require.NoError(t, err)
							<-waits.begun
							late := make(chan error, 1)
							func() {
								defer func() { _ = recover() }()
								err = txn.Run(t.Context(), d, func(ctx context.Context, tx *txn.Tx) error {
									go func() {
										if !own {
											ctx = context.Background()
										}
										late <- use(ctx, tx)
									}()
									<-waits.begun
									return how()
								})
								require.Error(t, err, end)
								require.Equal(t, rolledBack, claimOf(err), "%v", err)
							}()
							require.Error(t, <-late, "%v: the statement comes too late", end)
							held.Release()
							requireGivenBack(t, pool)
							require.Equal(t, 100, balance(t, db, 1))
							require.Equal(t, 2, rowsIn(t, db))
						}
					}
				}
				require.NoError(t, txn.Run(t.Context(), pool, func(ctx context.Context, tx *txn.Tx) error { return write(ctx, tx, 2, 8) }))
			})
		})
	}
}

// A goroutine that is in the middle of a statement when the function returns.
func TestGoroutineInTheMiddleOfAStatement(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *dbtest.DB) {
		accounts(t, db)
		pool := poolWith(t, db, func(c *pgxpool.Config) { c.ConnConfig.RuntimeParams["application_name"] = db.Schema })
		sleep := "select pg_sleep(3600) /* " + db.Schema + " */"
		for _, d := range []txn.DB{pool, wrapper{pool}} {
			for _, want := range []error{nil, errors.New("mine")} {
				for _, own := range []bool{true, false} {
					if _, wraps := d.(wrapper); wraps && !own {
						continue // the connection is not known, so the statement is waited for
					}
					late := make(chan error, 1)
					err := txn.Run(t.Context(), d, func(ctx context.Context, tx *txn.Tx) error {
						require.NoError(t, write(ctx, tx, 1, 7))
						go func() {
							ctx := ctx
							if !own {
								ctx = context.Background()
							}
							_, err := tx.Exec(ctx, sleep)
							late <- err
						}()
						requireRunning(t, db, sleep)
						return want
					})
					require.Error(t, <-late)
					require.Error(t, err)
					require.Equal(t, rolledBack, claimOf(err))
					if want != nil {
						require.ErrorIs(t, err, want)
					} else {
						require.ErrorContains(t, err, "a goroutine of the function still used the transaction")
					}
					requireGivenBack(t, pool)
					require.Equal(t, 100, balance(t, db, 1))
				}
			}
		}
	})
}

// requireRunning waits until the server executes a statement.
func requireRunning(t testing.TB, db *dbtest.DB, sql string) {
	t.Helper()
	running := "select count(*) from pg_stat_activity where query = $1 and wait_event = 'PgSleep'"
	if db.Cockroach() {
		running = "select count(*) from crdb_internal.cluster_queries where query like '%pg_sleep(3600)%' and application_name = $1"
		sql = db.Schema
	}
	require.Eventually(t, func() bool {
		var n int
		return db.QueryRow(context.Background(), running, sql).Scan(&n) == nil && n > 0
	}, eventually, tick, "the statement runs")
}

// hangs is an argument whose value blocks until released.
type hangs struct {
	entered, goOn chan struct{}
	once          *sync.Once // a fingerprint of the statement reads the value too
}

func (h hangs) Value() (driver.Value, error) {
	h.once.Do(func() { close(h.entered) })
	<-h.goOn
	return int64(7), nil
}

// User code that a statement runs, and that does not return. The call still ends, and
// the goroutine left behind gives the connection back.
func TestGoroutineThatDoesNotComeBack(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *dbtest.DB) {
		accounts(t, db)
		pool := poolWith(t, db, func(*pgxpool.Config) {})
		for _, first := range []bool{true, false} {
			h := hangs{make(chan struct{}), make(chan struct{}), new(sync.Once)}
			late := make(chan error, 1)
			err := txn.Run(t.Context(), pool, func(ctx context.Context, tx *txn.Tx) error {
				if !first {
					require.NoError(t, write(ctx, tx, 1, 7))
				}
				go func() {
					_, err := tx.Exec(ctx, setBalance, 1, h)
					late <- err
				}()
				<-h.entered
				return nil
			})
			require.ErrorContains(t, err, "a goroutine of the function still used the transaction")
			require.Equal(t, rolledBack, claimOf(err))
			close(h.goOn)
			require.Error(t, <-late)
			requireGivenBack(t, pool)
			require.Equal(t, 100, balance(t, db, 1))
			require.NoError(t, txn.Run(t.Context(), pool, func(ctx context.Context, tx *txn.Tx) error { return write(ctx, tx, 2, 8) }))
		}
	})
}

// Of two goroutines at a time one is refused, and neither gets a wrong result.
func TestGoroutinesOnOneTransaction(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *dbtest.DB) {
		accounts(t, db)
		const most = 4
		pool := poolWith(t, db, func(c *pgxpool.Config) { c.MaxConns = 2 })
		for _, d := range []txn.DB{pool, wrapper{pool}} {
			for range 20 {
				_, err := db.Exec(t.Context(), "delete from accounts where id > 2")
				require.NoError(t, err)
				written, err := txn.RunInTx(t.Context(), d, func(ctx context.Context, tx *txn.Tx) (written int, err error) {
					begin, told := make(chan struct{}), make(chan error)
					for i := range most {
						go func() {
							<-begin
							_, err := tx.Exec(ctx, "insert into accounts values ($1, 1)", 10+i)
							told <- err
						}()
					}
					close(begin)
					for range most {
						if err := <-told; err == nil {
							written++
						} else {
							require.ErrorContains(t, err, "busy")
						}
					}
					return written, nil
				})
				require.NoError(t, err)
				require.Positive(t, written)
				require.Equal(t, 2+written, rowsIn(t, db))
				requireGivenBack(t, pool)
			}
		}
	})
}

// Rows that a goroutine keeps reading after the function has returned end with an
// error, so that they are not mistaken for all rows.
func TestRowsThatOutliveTheFunction(t *testing.T) {
	eachMode(t, func(t *testing.T, db *dbtest.DB, pool *pgxpool.Pool) {
		for _, d := range []txn.DB{pool, wrapper{pool}} {
			var rows, done pgx.Rows
			var results pgx.BatchResults
			require.NoError(t, txn.Run(t.Context(), d, func(ctx context.Context, tx *txn.Tx) (err error) {
				done, err = tx.Query(ctx, "select id from accounts")
				require.NoError(t, err)
				for done.Next() {
				}
				rows, err = tx.Query(ctx, "select id from accounts")
				require.True(t, rows.Next())
				return err
			}))
			require.NoError(t, done.Err(), "they were read to their end")
			require.False(t, rows.Next())
			require.ErrorIs(t, rows.Err(), pgx.ErrTxClosed)
			require.ErrorIs(t, rows.Scan(new(int)), pgx.ErrTxClosed)
			require.Nil(t, rows.Conn())
			rows.Close()
			require.NoError(t, txn.Run(t.Context(), d, func(ctx context.Context, tx *txn.Tx) error {
				var b pgx.Batch
				b.Queue("select id from accounts")
				results = tx.SendBatch(ctx, &b)
				return nil
			}))
			_, err := results.Exec()
			require.ErrorIs(t, err, pgx.ErrTxClosed)
			require.ErrorIs(t, results.QueryRow().Scan(new(int)), pgx.ErrTxClosed)
			require.ErrorIs(t, results.Close(), pgx.ErrTxClosed)
		}
		requireClean(t, pool)
	})
}

func TestConnIsNilAfterTheFunction(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *dbtest.DB) {
		var leaked, joined, savepoint *txn.Tx
		require.NoError(t, txn.Run(t.Context(), db, func(ctx context.Context, tx *txn.Tx) error {
			require.NotNil(t, tx.Conn())
			leaked = tx
			sp, err := tx.Begin(ctx)
			require.NoError(t, err)
			savepoint = sp.(*txn.Tx)
			require.NotNil(t, savepoint.Conn())
			require.NoError(t, sp.Commit(ctx))
			require.Nil(t, savepoint.Conn())
			return txn.Run(ctx, tx, func(ctx context.Context, tx *txn.Tx) error { joined = tx; return nil })
		}))
		for _, tx := range []*txn.Tx{leaked, joined, savepoint} {
			require.Nil(t, tx.Conn())
		}
	})
}

// The unread rest of an unwanted result is not read to its end, and what that costs is no
// reason to run the function again.
func TestErrorWithRowsHalfRead(t *testing.T) {
	t.Parallel()
	// The rest comes much later: one that flows would keep a processor busy.
	const slow = "select repeat('x', 1000), pg_sleep(case when i = 100 then 1000 else 0 end) from generate_series(1, 100) i"
	eachMode(t, func(t *testing.T, db *dbtest.DB, first *pgxpool.Pool) {
		pool := poolLike(t, db, first, func(c *pgxpool.Config) { c.MaxConns = 4 })
		mine := errors.New("mine")
		var wg sync.WaitGroup
		for name, open := range map[string]func(ctx context.Context, tx *txn.Tx){
			"rows": func(ctx context.Context, tx *txn.Tx) {
				rows, err := tx.Query(ctx, slow)
				assert.NoError(t, err)
				assert.True(t, rows.Next())
			},
			"rows behind a write": func(ctx context.Context, tx *txn.Tx) {
				assert.NoError(t, write(ctx, tx, 2, 7))
				rows, err := tx.Query(ctx, slow)
				assert.NoError(t, err)
				assert.True(t, rows.Next())
			},
			"a batch": func(ctx context.Context, tx *txn.Tx) {
				var b pgx.Batch
				b.Queue(setBalance, 1, 7)
				b.Queue(slow)
				_, err := tx.SendBatch(ctx, &b).Exec()
				assert.NoError(t, err)
			},
		} {
			wg.Go(func() {
				runs := 0
				err := txn.Run(t.Context(), pool, func(ctx context.Context, tx *txn.Tx) error {
					runs++
					open(ctx, tx)
					return mine
				})
				assert.ErrorIs(t, err, mine, name)
				assert.Equal(t, 1, runs, name)
				assert.Equal(t, rolledBack, claimOf(err), name)
			})
		}
		wg.Wait()
		requireGivenBack(t, pool)
		require.Equal(t, 100, balance(t, db, 1))
		require.Equal(t, 100, balance(t, db, 2))
	})
}

// QueryRow leaves nothing open, and its error counts also if nobody scans the row.
func TestRowThatIsNotScanned(t *testing.T) {
	eachMode(t, func(t *testing.T, db *dbtest.DB, pool *pgxpool.Pool) {
		require.NoError(t, txn.Run(t.Context(), pool, func(ctx context.Context, tx *txn.Tx) error {
			for range 3 {
				tx.QueryRow(ctx, "update accounts set balance = balance + 1 where id = 1 returning balance")
			}
			return write(ctx, tx, 2, 7)
		}))
		require.Equal(t, 103, balance(t, db, 1))
		require.Equal(t, 7, balance(t, db, 2))
		err := txn.Run(t.Context(), pool, func(ctx context.Context, tx *txn.Tx) error {
			require.NoError(t, write(ctx, tx, 2, 8))
			tx.QueryRow(ctx, "select 1 / balance from accounts where id = 1 and balance - 103 = $1", 0)
			tx.QueryRow(ctx, "select 1 / (balance - 103) from accounts where id = 1")
			return nil
		})
		requireCode(t, err, "22012")
		require.Equal(t, 7, balance(t, db, 2))
		requireGivenBack(t, pool)
	})
}

func TestContextThatIsDoneBeforeTheCall(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *dbtest.DB) {
		accounts(t, db)
		done, cancel := context.WithCancelCause(t.Context())
		cause := errors.New("the client has gone")
		cancel(cause)
		never := func(context.Context, *txn.Tx) error { t.Error("ran"); return nil }
		check := func(err error) {
			t.Helper()
			require.ErrorIs(t, err, context.Canceled)
			require.ErrorIs(t, err, cause)
			require.Equal(t, rolledBack, claimOf(err))
		}
		check(txn.Run(done, db, never))
		check(txn.Batch(done, db, &pgx.Batch{}))
		check(txn.Run(done, wrapper{db.Pool}, never))
		require.NoError(t, txn.Run(t.Context(), db, func(ctx context.Context, tx *txn.Tx) error {
			check(txn.Run(done, tx, never))
			return write(ctx, tx, 1, 7)
		}))
		require.Equal(t, 7, balance(t, db, 1))
	})
}
