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
