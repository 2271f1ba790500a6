package txn_test

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rowkeeper/rowkeeper/internal/devdb/dbtest"
	"github.com/rowkeeper/rowkeeper/txn"
	"github.com/rowkeeper/rowkeeper/txn/once"
)

const past = "goes past the transaction"

// guarded returns a pool of one connection that refuses operations which bypass a
// transaction.
func guarded(t testing.TB, db *dbtest.DB) *pgxpool.Pool {
	return poolWith(t, db, func(c *pgxpool.Config) { txn.GuardPool(c, nil) })
}

const insertHundred = "insert into accounts values (100, 1)"

// queries are as sqlc generates them: on any database handle.
type queries struct {
	db interface {
		QueryRow(context.Context, string, ...any) pgx.Row
	}
}

func (q queries) balance(ctx context.Context, id int) (int, error) { return read(ctx, q.db, id) }

// waysPast are all ways to use the pool.
var waysPast = map[string]func(ctx context.Context, pool *pgxpool.Pool) error{
	"Exec": func(ctx context.Context, pool *pgxpool.Pool) error {
		_, err := pool.Exec(ctx, insertHundred)
		return err
	},
	"Query": func(ctx context.Context, pool *pgxpool.Pool) error {
		rows, err := pool.Query(ctx, insertHundred+" returning id")
		rows.Close()
		return err
	},
	"QueryRow": func(ctx context.Context, pool *pgxpool.Pool) error {
		var id int
		return pool.QueryRow(ctx, "insert into accounts values ($1, 1) returning id", 100).Scan(&id)
	},
	"sqlc": func(ctx context.Context, pool *pgxpool.Pool) error {
		_, err := queries{pool}.balance(ctx, 1)
		return err
	},
	"SendBatch": func(ctx context.Context, pool *pgxpool.Pool) error {
		var b pgx.Batch
		b.Queue(insertHundred)
		return pool.SendBatch(ctx, &b).Close()
	},
	"SendBatch that begins": func(ctx context.Context, pool *pgxpool.Pool) error {
		var b pgx.Batch
		b.BeginTx(pgx.TxOptions{})
		b.Queue(insertHundred)
		return pool.SendBatch(ctx, &b).Close()
	},
	"CopyFrom": func(ctx context.Context, pool *pgxpool.Pool) error {
		_, err := pool.CopyFrom(ctx, pgx.Identifier{"accounts"}, []string{"id", "balance"}, pgx.CopyFromRows([][]any{{int64(100), int64(1)}}))
		return err
	},
	"Begin": func(ctx context.Context, pool *pgxpool.Pool) error {
		_, err := pool.Begin(ctx)
		return err
	},
	"pgx.BeginTxFunc": func(ctx context.Context, pool *pgxpool.Pool) error {
		return pgx.BeginTxFunc(ctx, pool, pgx.TxOptions{}, func(tx pgx.Tx) error {
			_, err := tx.Exec(ctx, insertHundred)
			return err
		})
	},
	"Acquire": func(ctx context.Context, pool *pgxpool.Pool) error {
		_, err := pool.Acquire(ctx)
		return err
	},
	"AcquireFunc": func(ctx context.Context, pool *pgxpool.Pool) error {
		return pool.AcquireFunc(ctx, func(*pgxpool.Conn) error { return nil })
	},
	"Ping": func(ctx context.Context, pool *pgxpool.Pool) error { return pool.Ping(ctx) },
	"Runner.Begin": func(ctx context.Context, pool *pgxpool.Pool) error {
		_, err := txn.New(pool).Begin(ctx)
		return err
	},
	"database/sql": func(ctx context.Context, pool *pgxpool.Pool) error {
		db := stdlib.OpenDBFromPool(pool)
		defer db.Close()
		_, err := db.ExecContext(ctx, insertHundred)
		return err
	},
	"struct with pool": func(ctx context.Context, pool *pgxpool.Pool) error {
		_, err := embedsPool{pool}.Exec(ctx, insertHundred)
		return err
	},
	"a context made from it": func(ctx context.Context, pool *pgxpool.Pool) error {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Minute)
		defer cancel()
		_, err := pool.Exec(context.WithValue(ctx, spanKey{}, ""), insertHundred)
		return err
	},
}

func TestGuardRefusesWhatGoesPastTheTx(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *dbtest.DB) {
		accounts(t, db)
		pool := guarded(t, db) // of one connection, for which what goes past would wait
		for name, goPast := range waysPast {
			refused := func(ctx context.Context, where string) {
				before := pool.Stat().AcquireCount()
				err := goPast(ctx, pool)
				require.ErrorContains(t, err, past, "%s, %s", name, where)
				require.ErrorContains(t, err, "txn transfer: ", "%s, %s", name, where)
				require.NotErrorIs(t, err, context.Canceled, name) // or it looks like a client that hung up
				require.NotErrorIs(t, err, context.DeadlineExceeded, name)
				require.Equal(t, before, pool.Stat().AcquireCount(), "%s, %s", name, where)
			}
			for outer, d := range map[string]txn.DB{
				"pool": pool, "struct": embedsPool{pool}, "Runner": txn.New(pool), "overrides": &overrides{pool},
			} {
				require.NoError(t, txn.Run(t.Context(), d, func(ctx context.Context, tx *txn.Tx) error {
					refused(ctx, outer+", before the first statement")
					n, err := read(ctx, tx, 1)
					if err != nil {
						return err
					}
					refused(ctx, outer+", behind a statement")
					if err := txn.Run(ctx, tx, func(ctx context.Context, tx *txn.Tx) error {
						refused(ctx, outer+", in a joined call")
						return write(ctx, tx, 2, n)
					}); err != nil {
						return err
					}
					tx.Queue("update accounts set balance = balance + 1 where id = 1")
					refused(ctx, outer+", with something queued")
					return nil
				}, txn.Name("transfer")), "%s, %s", name, outer)
			}
		}
		require.Equal(t, 100+4*len(waysPast), balance(t, db, 1))
		require.Equal(t, 2, rowsIn(t, db))
		requireClean(t, pool)
	})
}

// overrides begins by its own BeginTx.
type overrides struct{ *pgxpool.Pool }

func (p *overrides) BeginTx(ctx context.Context, o pgx.TxOptions) (pgx.Tx, error) {
	return p.Pool.BeginTx(ctx, o)
}

// waysPastOn are all ways to send a statement on a connection.
var waysPastOn = map[string]func(ctx context.Context, conn *pgx.Conn) error{
	"Exec": func(ctx context.Context, conn *pgx.Conn) error {
		_, err := conn.Exec(ctx, insertHundred)
		return err
	},
	"Exec with arguments": func(ctx context.Context, conn *pgx.Conn) error {
		_, err := conn.Exec(ctx, "insert into accounts values ($1, $2)", 100, 1)
		return err
	},
	"Query": func(ctx context.Context, conn *pgx.Conn) error {
		rows, _ := conn.Query(ctx, "insert into accounts values ($1, $2) returning id", 100, 1)
		rows.Close()
		return rows.Err()
	},
	"QueryRow": func(ctx context.Context, conn *pgx.Conn) error {
		var id int
		return conn.QueryRow(ctx, insertHundred+" returning id").Scan(&id)
	},
	"SendBatch": func(ctx context.Context, conn *pgx.Conn) error {
		var b pgx.Batch
		b.Queue(insertHundred)
		b.Queue("insert into accounts values ($1, $2)", 101, 1)
		return conn.SendBatch(ctx, &b).Close()
	},
	"CopyFrom": func(ctx context.Context, conn *pgx.Conn) error {
		_, err := conn.CopyFrom(ctx, pgx.Identifier{"accounts"}, []string{"id", "balance"}, pgx.CopyFromRows([][]any{{int64(100), int64(1)}}))
		return err
	},
	"Prepare": func(ctx context.Context, conn *pgx.Conn) error {
		_, err := conn.Prepare(ctx, "hundred", insertHundred)
		return err
	},
}

func TestGuardRefusesStatementsOnAnotherConnection(t *testing.T) {
	for _, mode := range execModes() {
		t.Run(mode.String(), func(t *testing.T) {
			dbtest.Each(t, func(t *testing.T, db *dbtest.DB) {
				accounts(t, db)
				pool := poolWith(t, db, func(c *pgxpool.Config) {
					c.MaxConns, c.ConnConfig.DefaultQueryExecMode = 2, mode
					txn.GuardPool(c, nil)
				})
				other, err := pool.Acquire(t.Context())
				require.NoError(t, err)
				defer other.Release()
				for round := range 3 { // in the second one the statements are known to the connection
					if round == 1 {
						for name, send := range waysPastOn {
							require.NoError(t, send(t.Context(), other.Conn()), name)
							_, err := db.Exec(t.Context(), "delete from accounts where id >= 100")
							require.NoError(t, err)
						}
					}
					require.NoError(t, txn.Run(t.Context(), pool, func(ctx context.Context, tx *txn.Tx) error {
						for name, send := range waysPastOn {
							err := send(ctx, other.Conn())
							if name == "Prepare" && round > 0 {
								require.NoError(t, err, "nothing is sent")
								continue
							}
							require.ErrorContains(t, err, past, name)
							require.NotErrorIs(t, err, context.Canceled, name)
							require.False(t, other.Conn().IsClosed(), name)
							require.NoError(t, other.Conn().Ping(ctx), "%s, which leaves the connection as it was", name)
							var one int
							require.NoError(t, other.QueryRow(t.Context(), "select $1::int", 1).Scan(&one), name)
						}
						return write(ctx, tx, 1, 7)
					}))
				}
				require.Equal(t, 2, rowsIn(t, db))
				require.Equal(t, 7, balance(t, db, 1))

				require.NoError(t, txn.Run(t.Context(), pool, func(ctx context.Context, tx *txn.Tx) error {
					_, err := other.Begin(ctx)
					require.ErrorContains(t, err, past)
					require.True(t, other.Conn().IsClosed(), "as pgx does with whatever is wrong with a BEGIN")
					return write(ctx, tx, 1, 8)
				}))
				require.Equal(t, 8, balance(t, db, 1))
			})
		})
	}
}

func TestGuardLetsThePartsOfTheTransactionPass(t *testing.T) {
	eachMode(t, func(t *testing.T, db *dbtest.DB, plain *pgxpool.Pool) {
		pool := poolWith(t, db, func(c *pgxpool.Config) {
			c.ConnConfig.DefaultQueryExecMode = plain.Config().ConnConfig.DefaultQueryExecMode
			txn.GuardPool(c, nil)
		})
		run := func(name string, d txn.DB) {
			require.NoError(t, txn.Run(t.Context(), d, func(ctx context.Context, tx *txn.Tx) error { return useAll(ctx, tx, db) }), name)
			require.Equal(t, 9, rowsIn(t, db), name)
			_, err := db.Exec(t.Context(), "delete from accounts where id >= 100")
			require.NoError(t, err)
		}
		run("pool", pool)
		run("wrapper", wrapper{pool})
		run("open wrapper", openWrapper{wrapper{pool}})
		run("struct that overrides BeginTx", &overrides{pool})
		conn, err := pool.Acquire(t.Context())
		require.NoError(t, err)
		defer conn.Release()
		run("pool connection", conn)
		run("connection", conn.Conn())
		require.NoError(t, pgx.BeginFunc(t.Context(), conn, func(tx pgx.Tx) error {
			return txn.Run(t.Context(), tx, func(ctx context.Context, tx *txn.Tx) error { return useAll(ctx, tx, db) })
		}), "pgx.Tx")
		require.Equal(t, 9, rowsIn(t, db), "pgx.Tx")
		conn.Release()
		requireClean(t, pool)
	})
}

// useAll uses all features of a Tx, and adds 7 rows.
func useAll(ctx context.Context, tx *txn.Tx, db *dbtest.DB) error {
	insert := func(id int) error {
		_, err := tx.Exec(ctx, "insert into accounts values ($1, 1)", id)
		return err
	}
	if err := insert(101); err != nil {
		return err
	}
	tx.Queue("insert into accounts values (102, 1)")
	if _, err := read(ctx, tx, 1); err != nil {
		return err
	}
	rows, err := tx.Query(ctx, "select id from accounts order by id")
	if err != nil {
		return err
	}
	if _, err := pgx.CollectRows(rows, pgx.RowTo[int]); err != nil {
		return err
	}
	if _, err := tx.CopyFrom(ctx, pgx.Identifier{"accounts"}, []string{"id", "balance"}, pgx.CopyFromRows([][]any{{int64(103), int64(1)}})); err != nil {
		return err
	}
	var b pgx.Batch
	b.Queue("insert into accounts values ($1, 1)", 104)
	if err := tx.SendBatch(ctx, &b).Close(); err != nil {
		return err
	}
	if _, err := tx.Prepare(ctx, "one", "select 1"); err != nil {
		return err
	}
	if conn := tx.Conn(); conn != nil {
		if _, err := conn.Exec(ctx, "insert into accounts values (105, 1)"); err != nil {
			return err
		}
	} else if err := insert(105); err != nil {
		return err
	}
	sp, err := tx.Begin(ctx)
	if err != nil {
		return err
	}
	if err := write(ctx, sp, 1, 8); err != nil {
		return err
	}
	if err := sp.Rollback(ctx); err != nil {
		return err
	}
	if err := txn.Run(ctx, tx, func(ctx context.Context, tx *txn.Tx) error {
		_, err := tx.Exec(ctx, "insert into accounts values (106, 1)")
		return err
	}); err != nil {
		return err
	}
	if !db.Cockroach() {
		objects := tx.LargeObjects()
		id, err := objects.Create(ctx, 0)
		if err != nil {
			return err
		}
		if err := objects.Unlink(ctx, id); err != nil {
			return err
		}
	}
	tx.Queue("insert into accounts values (107, 1)")
	return nil
}

func TestGuardLetsPassWhatRunsBeside(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *dbtest.DB) {
		accounts(t, db)
		two := func(c *pgxpool.Config) { c.MaxConns = 2; txn.GuardPool(c, nil) }
		pool, other := poolWith(t, db, two), poolWith(t, db, two)
		insert := func(ctx context.Context, id int) error {
			_, err := pool.Exec(ctx, "insert into accounts values ($1, 1)", id)
			return err
		}
		var outlived context.Context
		require.NoError(t, txn.Run(t.Context(), pool, func(ctx context.Context, outer *txn.Tx) error {
			outlived = context.WithoutCancel(ctx)
			if err := write(ctx, outer, 1, 7); err != nil {
				return err
			}
			outer.OnCommit(func(ctx context.Context) { assert.NoError(t, insert(ctx, 100)) })
			require.NoError(t, txn.Run(ctx, pool, func(ctx context.Context, tx *txn.Tx) error {
				require.ErrorContains(t, insert(ctx, 101), past, "but not what goes past the inner one")
				_, err := read(ctx, outer, 2)
				require.NoError(t, err, "the outer one's own connection")
				return write(ctx, tx, 2, 7)
			}, txn.RequiresNew()))
			require.NoError(t, insert(t.Context(), 102), "the context of the caller")
			n, err := read(t.Context(), other, 2)
			require.NoError(t, err)
			require.Equal(t, 7, n)
			if _, err := read(ctx, other, 2); err != nil {
				return fmt.Errorf("another pool: %w", err)
			}
			return txn.Run(ctx, other, func(ctx context.Context, tx *txn.Tx) error {
				require.ErrorContains(t, insert(ctx, 103), past, "past the outer one")
				if _, err := read(ctx, outer, 1); err != nil {
					return fmt.Errorf("the outer one's transaction: %w", err)
				}
				_, err := read(ctx, tx, 2)
				return err
			})
		}))
		require.NoError(t, insert(outlived, 104), "the call is over")
		require.Equal(t, 5, rowsIn(t, db))
		require.Equal(t, 7, balance(t, db, 1))
		require.NoError(t, txn.Run(t.Context(), db, func(ctx context.Context, tx *txn.Tx) error {
			if _, err := read(ctx, tx, 1); err != nil {
				return err
			}
			return insert(ctx, 105)
		}), "a pool without a guard does not matter")
	})
}

// Hooks of the pool may send statements while the call takes its connection.
func TestGuardLetsTheHooksOfThePoolPass(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *dbtest.DB) {
		accounts(t, db)
		ask := func(ctx context.Context, conn *pgx.Conn) error {
			_, err := read(ctx, conn, 2)
			return err
		}
		var reports []error
		hooks := 0
		with := func(report func(context.Context, error)) *pgxpool.Pool {
			return poolWith(t, db, func(c *pgxpool.Config) {
				c.MaxConns = 2
				c.AfterConnect = func(ctx context.Context, conn *pgx.Conn) error { return ask(ctx, conn) }
				c.PrepareConn = func(ctx context.Context, conn *pgx.Conn) (bool, error) { hooks++; return true, ask(ctx, conn) }
				txn.GuardPool(c, report)
			})
		}
		for _, pool := range []*pgxpool.Pool{with(nil), with(func(_ context.Context, err error) { reports = append(reports, err) })} {
			for _, d := range []txn.DB{pool, wrapper{pool}, openWrapper{wrapper{pool}}} {
				require.NoError(t, txn.Run(t.Context(), d, func(ctx context.Context, tx *txn.Tx) error { return write(ctx, tx, 1, 7) }))
			}
			require.Empty(t, reports)
		}
		require.Equal(t, 6, hooks)
		reporting := with(func(_ context.Context, err error) { reports = append(reports, err) })
		for range 2 { // in the second run the guard knows both connections
			reports = nil
			require.NoError(t, txn.Run(t.Context(), reporting, func(ctx context.Context, tx *txn.Tx) error {
				if err := write(ctx, tx, 1, 7); err != nil {
					return err
				}
				_, err := read(ctx, reporting, 2)
				return err
			}))
			require.Len(t, reports, 1, "but that of the hooks is not reported")
		}
	})
}

func TestGuardThatReportsLetsGoAhead(t *testing.T) {
	for _, mode := range execModes() {
		t.Run(mode.String(), func(t *testing.T) {
			dbtest.Each(t, func(t *testing.T, db *dbtest.DB) {
				accounts(t, db)
				var mu sync.Mutex
				var reports []string
				take := func() []string {
					mu.Lock()
					defer mu.Unlock()
					defer func() { reports = nil }()
					return reports
				}
				pool := poolWith(t, db, func(c *pgxpool.Config) {
					c.MaxConns, c.ConnConfig.DefaultQueryExecMode = 2, mode
					txn.GuardPool(c, func(ctx context.Context, err error) {
						mu.Lock()
						defer mu.Unlock()
						reports = append(reports, fmt.Sprint(ctx.Value(spanKey{}), " ", err))
					})
				})
				run := func(fn func(ctx context.Context, tx *txn.Tx) error) {
					require.NoError(t, txn.Run(t.Context(), pool, fn, txn.Name("transfer")))
				}
				for name, send := range waysPastOn {
					run(func(ctx context.Context, tx *txn.Tx) error {
						ctx = context.WithValue(ctx, spanKey{}, "span of "+name)
						if _, err := read(ctx, tx, 1); err != nil {
							return err
						}
						return pool.AcquireFunc(ctx, func(conn *pgxpool.Conn) error { return send(ctx, conn.Conn()) })
					})
					got := take()
					require.Len(t, got, 1, name)
					require.Contains(t, got[0], "span of "+name+" txn transfer: ")
					require.Contains(t, got[0], past)
					require.Contains(t, got[0], "accounts", "the text, or the table")
					_, err := db.Exec(t.Context(), "delete from accounts where id >= 100")
					require.NoError(t, err)
				}
				run(func(ctx context.Context, tx *txn.Tx) error {
					return waysPast["pgx.BeginTxFunc"](ctx, pool)
				})
				got := take()
				require.Len(t, got, 3)
				for i, text := range []string{`"begin"`, insertHundred, `"commit"`} {
					require.Contains(t, got[i], text)
				}
				require.Equal(t, 3, rowsIn(t, db))
				run(func(ctx context.Context, tx *txn.Tx) error {
					_, err := tx.Exec(ctx, "delete from accounts where id = 100")
					return err
				})
				require.Empty(t, take())
			})
		})
	}
}

func TestGuardLearnsThePoolOfAWrapper(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *dbtest.DB) {
		accounts(t, db)
		var reports []error
		two := func(report func(context.Context, error)) *pgxpool.Pool {
			return poolWith(t, db, func(c *pgxpool.Config) { c.MaxConns = 2; txn.GuardPool(c, report) })
		}
		refusing, reporting := two(nil), two(func(_ context.Context, err error) { reports = append(reports, err) })
		for _, hides := range []func(wrapper) txn.DB{
			func(w wrapper) txn.DB { return openWrapper{w} },
			func(w wrapper) txn.DB { return w },
		} {
			run := func(pool *pgxpool.Pool, fn func(ctx context.Context, tx *txn.Tx) error) error {
				return txn.Run(t.Context(), hides(wrapper{pool}), fn, txn.Name("transfer"))
			}
			require.NoError(t, run(refusing, func(ctx context.Context, tx *txn.Tx) error {
				if err := write(ctx, tx, 1, 7); err != nil {
					return err
				}
				_, err := read(ctx, refusing, 2)
				require.ErrorContains(t, err, past)
				return nil
			}))
			err := run(refusing, func(ctx context.Context, tx *txn.Tx) error {
				_, err := read(ctx, refusing, 2)
				require.NoError(t, err, "it may be another one")
				_ = write(ctx, tx, 1, 8) // the call fails all the same
				return nil
			})
			require.ErrorContains(t, err, past)
			require.ErrorContains(t, err, "select balance")
			require.Equal(t, 7, balance(t, db, 1))

			require.NoError(t, run(refusing, func(ctx context.Context, tx *txn.Tx) error {
				if _, err := read(ctx, reporting, 2); err != nil { // another pool
					return err
				}
				return write(ctx, tx, 1, 7)
			}))
			require.Empty(t, reports)

			attempts := 0
			require.NoError(t, run(reporting, func(ctx context.Context, tx *txn.Tx) error {
				attempts = tx.Attempt()
				if attempts == 1 {
					_, err := read(ctx, reporting, 2)
					require.NoError(t, err)
				}
				_, err := collide(db, asIs)(ctx, tx)
				return err
			}))
			require.Equal(t, 2, attempts)
			require.Len(t, reports, 1)
			require.ErrorContains(t, reports[0], "select balance")
			reports = nil
			_, err = db.Exec(t.Context(), "update accounts set balance = 7 where id = 1")
			require.NoError(t, err)
		}
	})
}

func TestGuardKnowsThePoolOfAConnectionAndOfATransaction(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *dbtest.DB) {
		accounts(t, db)
		pool := poolWith(t, db, func(c *pgxpool.Config) { c.MaxConns = 2; txn.GuardPool(c, nil) })
		conn, err := pool.Acquire(t.Context())
		require.NoError(t, err)
		defer conn.Release()
		refused := func(ctx context.Context) {
			_, err := pool.Exec(ctx, insertHundred)
			require.ErrorContains(t, err, past)
			err = txn.Run(ctx, pool, func(context.Context, *txn.Tx) error { t.Error("ran"); return nil })
			require.ErrorContains(t, err, "give it the *txn.Tx to join")
		}
		function := func(ctx context.Context, tx *txn.Tx) error {
			refused(ctx)
			if err := write(ctx, tx, 1, 7); err != nil {
				return err
			}
			refused(ctx)
			return nil
		}
		require.NoError(t, txn.Run(t.Context(), conn, function))
		require.NoError(t, txn.Run(t.Context(), conn.Conn(), function))
		require.NoError(t, pgx.BeginFunc(t.Context(), conn, func(tx pgx.Tx) error {
			if err := txn.Run(t.Context(), tx, function); err != nil {
				return err
			}
			_, err := pool.Exec(t.Context(), insertHundred)
			return err
		}))
		require.Equal(t, 3, rowsIn(t, db))
	})
}

func TestGuardHoldsForGoroutinesAndAttempts(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *dbtest.DB) {
		accounts(t, db)
		pool := poolWith(t, db, func(c *pgxpool.Config) { c.MaxConns = 4; txn.GuardPool(c, nil) })
		conn, err := pool.Acquire(t.Context())
		require.NoError(t, err)
		defer conn.Release()
		attempts, err := txn.RunInTx(t.Context(), pool, func(ctx context.Context, tx *txn.Tx) (int, error) {
			var all sync.WaitGroup
			for range 8 {
				all.Go(func() {
					_, err := pool.Exec(ctx, insertHundred)
					assert.ErrorContains(t, err, past)
				})
			}
			all.Go(func() {
				for range 20 {
					_, err := conn.Exec(ctx, insertHundred)
					assert.ErrorContains(t, err, past)
				}
			})
			defer all.Wait()
			n, err := read(ctx, tx, 1)
			if err != nil {
				return 0, err
			}
			if tx.Attempt() <= 2 {
				if _, err := db.Exec(t.Context(), "update accounts set balance = balance + 10 where id = 1"); err != nil {
					return 0, err
				}
			}
			return tx.Attempt(), write(ctx, tx, 1, n+1)
		})
		require.NoError(t, err)
		require.Equal(t, 3, attempts)
		require.Equal(t, 121, balance(t, db, 1))
		require.Equal(t, 2, rowsIn(t, db))
	})
}

func TestGuardForgetsTheConnectionOfAnEarlierAttempt(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *dbtest.DB) {
		accounts(t, db)
		pool := guarded(t, db)
		require.NoError(t, txn.Run(t.Context(), pool, func(ctx context.Context, tx *txn.Tx) error {
			if tx.Attempt() == 2 {
				conn, err := pool.Acquire(t.Context()) // the one that the first attempt had
				require.NoError(t, err)
				_, err = conn.Exec(ctx, insertHundred)
				conn.Release()
				require.ErrorContains(t, err, past)
			}
			_, err := collide(db, asIs)(ctx, tx)
			return err
		}))
		require.Equal(t, 2, rowsIn(t, db))
	})
}

func TestGuardLetsTheLedgerPass(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *dbtest.DB) {
		accounts(t, db)
		withLedger(t, db)
		pool := poolWith(t, db, func(c *pgxpool.Config) { c.MaxConns = 2; txn.GuardPool(c, nil) })
		for name, d := range map[string]txn.DB{
			"pool": pool, "wrapper": wrapper{pool}, "open wrapper": openWrapper{wrapper{pool}}, "override": &overrides{pool},
		} {
			for range 2 {
				n, err := txn.RunInTx(t.Context(), d, func(ctx context.Context, tx *txn.Tx) (int, error) {
					_, err := tx.Exec(ctx, "update accounts set balance = balance + 1 where id = 1")
					if err != nil {
						return 0, err
					}
					return read(ctx, tx, 1)
				}, once.Key("guard", name, 1))
				require.NoError(t, err, name)
				require.Equal(t, balance(t, db, 1), n, name)
			}
		}
		require.Equal(t, 104, balance(t, db, 1))
	})
}
