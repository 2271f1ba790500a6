package txn_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	"github.com/rowkeeper/rowkeeper/internal/devdb/dbtest"
	"github.com/rowkeeper/rowkeeper/txn"
	"github.com/rowkeeper/rowkeeper/txn/txntest"
)

const notYours = "the transaction belongs to the call that runs the function: return nil to commit it, an error to roll it back; the function "

var endings = map[string]string{
	"commit":                    "COMMIT",
	"COMMIT WORK;":              "COMMIT",
	"rollback":                  "ROLLBACK",
	"rollback and chain":        "ROLLBACK AND CHAIN",
	"rollback and/**/chain":     "ROLLBACK AND CHAIN",
	"rollback; begin":           "ROLLBACK",
	"begin":                     "BEGIN",
	"release cockroach_restart": "RELEASE SAVEPOINT cockroach_restart",
	"-- a\n/* /* */ */ abort":   "ABORT",
	"select 1; end":             "END",
	"insert into accounts values (10, 1); commit and chain; select ';'": "COMMIT",
	"rollback; insert into accounts values (11, 1)":                     "ROLLBACK",
}

// senders are the ways in which a function sends a text.
var senders = map[string]func(ctx context.Context, tx *txn.Tx, sql string) error{
	"Exec": func(ctx context.Context, tx *txn.Tx, sql string) error {
		_, err := tx.Exec(ctx, sql)
		return err
	},
	"Exec with arguments": func(ctx context.Context, tx *txn.Tx, sql string) error {
		_, err := tx.Exec(ctx, sql, pgx.QueryExecModeExec, 1)
		return err
	},
	"Query": func(ctx context.Context, tx *txn.Tx, sql string) error {
		rows, err := tx.Query(ctx, sql)
		rows.Close()
		return errors.Join(err, rows.Err())
	},
	"QueryRow": func(ctx context.Context, tx *txn.Tx, sql string) error {
		return tx.QueryRow(ctx, sql).Scan(new(int))
	},
	"Queue": func(ctx context.Context, tx *txn.Tx, sql string) error {
		tx.Queue(sql)
		_, err := read(ctx, tx, 1)
		return err
	},
	"QueueExpect": func(ctx context.Context, tx *txn.Tx, sql string) error {
		tx.QueueExpect(1, "update accounts set balance = 9 returning 1) select 1; "+sql+"; with x as (select 1")
		_, err := read(ctx, tx, 1)
		return err
	},
	"SendBatch": func(ctx context.Context, tx *txn.Tx, sql string) error {
		var b pgx.Batch
		b.Queue("update accounts set balance = 9")
		b.Queue(sql)
		return tx.SendBatch(ctx, &b).Close()
	},
	"Prepare": func(ctx context.Context, tx *txn.Tx, sql string) error {
		_, err := tx.Prepare(ctx, "p", sql)
		return err
	},
	"savepoint": func(ctx context.Context, tx *txn.Tx, sql string) error {
		return pgx.BeginFunc(ctx, tx, func(sp pgx.Tx) error {
			_, err := sp.Exec(ctx, sql)
			return err
		})
	},
}

// Text that would begin or end the transaction is not sent, by any method, and the call
// is rolled back although the function returns nil.
func TestTextThatEndsTheTransactionIsRefused(t *testing.T) {
	eachMode(t, func(t *testing.T, db *dbtest.DB, given *pgxpool.Pool) {
		texts := &textTracer{}
		pool := poolLike(t, db, given, func(c *pgxpool.Config) { c.ConnConfig.Tracer = texts })
		for how, send := range senders {
			for sql, what := range endings {
				for name, d := range map[string]txn.DB{"pool": pool, "wrapper": wrapper{pool}} {
					for _, first := range []bool{true, false} {
						runs := 0
						texts.reset()
						got, err := txn.RunInTx(t.Context(), d, func(ctx context.Context, tx *txn.Tx) (int, error) {
							runs++
							if !first {
								require.NoError(t, write(ctx, tx, 1, 7))
							}
							require.ErrorContains(t, send(ctx, tx, sql), "txn: "+notYours+"sent "+what, how)
							require.ErrorContains(t, write(ctx, tx, 2, 7), notYours, "nothing is sent behind it")
							tx.Queue("insert into accounts values (12, 1)")
							return 42, nil
						}, txn.Name("n"))
						require.EqualError(t, err, "txn n: rolled back: "+notYours+"sent "+what, "%s, %s", how, name)
						require.Equal(t, rolledBack, claimOf(err))
						require.Zero(t, got)
						require.Equal(t, 1, runs)
						require.Empty(t, texts.with(sql))
						var sum, rows int
						require.NoError(t, db.QueryRow(t.Context(), "select sum(balance)::int, count(*)::int from accounts").Scan(&sum, &rows))
						require.Equal(t, []int{200, 2}, []int{sum, rows})
					}
				}
			}
		}
		requireClean(t, pool)
	})
}

// textTracer records the statements sent.
type textTracer struct {
	mu    sync.Mutex
	texts []string
}

func (r *textTracer) reset() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.texts = nil
}

func (r *textTracer) with(sql string) (found []string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, text := range r.texts {
		// The call's own are one word.
		if text == sql && text != "rollback" && text != "commit" || strings.Contains(text, sql) && text != sql && strings.Contains(sql, " ") {
			found = append(found, text)
		}
	}
	return found
}

func (r *textTracer) TraceQueryStart(ctx context.Context, _ *pgx.Conn, data pgx.TraceQueryStartData) context.Context {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.texts = append(r.texts, data.SQL)
	return ctx
}

func (r *textTracer) TraceQueryEnd(context.Context, *pgx.Conn, pgx.TraceQueryEndData) {}

// In a joined call such text undoes that call, and the caller decides.
func TestTextThatEndsTheTransactionUndoesAJoinedCall(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *dbtest.DB) {
		accounts(t, db)
		inner := func(ctx context.Context, tx *txn.Tx) error {
			require.NoError(t, write(ctx, tx, 2, 7))
			_, err := tx.Exec(ctx, "commit")
			require.Error(t, err)
			return nil
		}
		want := "txn inner: rolled back: " + notYours + "sent COMMIT"
		require.NoError(t, txn.Run(t.Context(), db, func(ctx context.Context, tx *txn.Tx) error {
			require.EqualError(t, txn.Run(ctx, tx, inner, txn.Name("inner")), want)
			return write(ctx, tx, 1, 7)
		}))
		require.NoError(t, pgx.BeginFunc(t.Context(), db, func(tx pgx.Tx) error {
			require.EqualError(t, txn.Run(t.Context(), tx, inner, txn.Name("inner")), want)
			return write(t.Context(), tx, 1, 8)
		}))
		require.Equal(t, 8, balance(t, db, 1))
		require.Equal(t, 100, balance(t, db, 2))
		err := txn.Run(t.Context(), txntest.New(t, db, txntest.ConflictAt(2)), func(ctx context.Context, tx *txn.Tx) error {
			require.NoError(t, write(ctx, tx, 1, 9))
			if tx.Attempt() == 1 {
				return write(ctx, tx, 1, 9)
			}
			return inner(ctx, tx)
		})
		require.EqualError(t, err, "txn: rolled back: "+notYours+"sent COMMIT")
		require.Equal(t, 8, balance(t, db, 1))
	})
}

func TestBatchWithATextThatEndsTheTransaction(t *testing.T) {
	eachMode(t, func(t *testing.T, db *dbtest.DB, pool *pgxpool.Pool) {
		var b pgx.Batch
		b.Queue("update accounts set balance = 9")
		b.Queue("rollback;").Exec(func(pgconn.CommandTag) error { panic("called back") })
		want := "txn: rolled back: " + notYours + "sent ROLLBACK"
		for _, d := range []txn.DB{pool, wrapper{pool}} {
			require.EqualError(t, txn.Batch(t.Context(), d, &b), want)
			require.NoError(t, txn.Run(t.Context(), d, func(ctx context.Context, tx *txn.Tx) error {
				require.ErrorContains(t, txn.Batch(ctx, tx, &b), notYours+"sent ROLLBACK")
				return write(ctx, tx, 1, 100)
			}))
		}
		require.NoError(t, pgx.BeginFunc(t.Context(), pool, func(tx pgx.Tx) error {
			require.ErrorContains(t, txn.Batch(t.Context(), tx, &b), notYours+"sent ROLLBACK")
			return nil
		}))
		require.Equal(t, 200, balance(t, db, 1)+balance(t, db, 2))
		requireClean(t, pool)
	})
}

func TestWhatOnlyLooksLikeAnEnd(t *testing.T) {
	eachMode(t, func(t *testing.T, db *dbtest.DB, pool *pgxpool.Pool) {
		for _, d := range []txn.DB{pool, wrapper{pool}} {
			require.NoError(t, txn.Run(t.Context(), d, func(ctx context.Context, tx *txn.Tx) error {
				for _, sql := range []string{
					"savepoint supply_chain", "update accounts set balance = 3", "rollback to savepoint supply_chain",
					"savepoint commit_x; update accounts set balance = 4; rollback transaction to commit_x; release commit_x",
					"select '; commit', \"a;rollback\" from (select 1 as \"a;rollback\") x -- ; end",
					"select $$; begin; $$, $x$ $$;commit;$$ $x$, 'it''s; abort'; /* ; rollback /* ; */ ; commit */ select 1",
				} {
					_, err := tx.Exec(ctx, sql)
					require.NoError(t, err, sql)
				}
				var b pgx.Batch
				b.Queue("savepoint a")
				b.Queue("update accounts set balance = 3")
				b.Queue("rollback to a")
				b.Queue("update accounts set balance = 5 where id = 2")
				require.NoError(t, tx.SendBatch(ctx, &b).Close())
				return write(ctx, tx, 1, 7)
			}))
			require.Equal(t, 7, balance(t, db, 1))
			require.Equal(t, 5, balance(t, db, 2))
		}
		if !db.Cockroach() { // which has no bodies of this kind
			require.NoError(t, txn.Run(t.Context(), pool, func(ctx context.Context, tx *txn.Tx) error {
				_, err := tx.Exec(ctx, "create function f(n int) returns int begin atomic select case n when 1 then 2 end; select n; end; select f(1)")
				return err
			}))
		}
		require.NoError(t, txn.Run(t.Context(), pool, func(ctx context.Context, tx *txn.Tx) error {
			var b pgx.Batch
			b.BeginTx(pgx.TxOptions{})
			require.ErrorContains(t, tx.SendBatch(ctx, &b).Close(), "do not call its BeginTx")
			return write(ctx, tx, 1, 8)
		}))
		require.Equal(t, 8, balance(t, db, 1))
	})
}

// Rollback and Commit called on the transaction itself prevent the commit, even if
// their errors are dropped.
func TestCommitAndRollbackBelongToTheCall(t *testing.T) {
	for name, test := range map[string]struct {
		call func(ctx context.Context, tx *txn.Tx)
		want string
	}{
		"Rollback":         {func(ctx context.Context, tx *txn.Tx) { _ = tx.Rollback(ctx) }, "called Rollback"},
		"Commit":           {func(ctx context.Context, tx *txn.Tx) { _ = tx.Commit(ctx) }, "called Commit"},
		"Commit, Rollback": {func(ctx context.Context, tx *txn.Tx) { _, _ = tx.Commit(ctx), tx.Rollback(ctx) }, "called Commit"},
		"helper":           {func(ctx context.Context, tx *txn.Tx) { func(tx pgx.Tx) { defer tx.Rollback(ctx) }(tx) }, "called Rollback"},
		"before a savepoint": {func(ctx context.Context, tx *txn.Tx) {
			_ = tx.Rollback(ctx)
			_, err := tx.Begin(ctx)
			require.ErrorContains(t, err, "called Rollback")
		}, "called Rollback"},
		"in a savepoint": {func(ctx context.Context, tx *txn.Tx) {
			err := pgx.BeginFunc(ctx, tx, func(sp pgx.Tx) error { return tx.Rollback(ctx) })
			require.ErrorContains(t, err, "called Rollback")
		}, "called Rollback"},
		"in a joined call": {func(ctx context.Context, tx *txn.Tx) {
			_ = txn.Run(ctx, tx, func(context.Context, *txn.Tx) error { return tx.Rollback(ctx) })
		}, "called Rollback"},
	} {
		t.Run(name, func(t *testing.T) {
			dbtest.Each(t, func(t *testing.T, db *dbtest.DB) {
				accounts(t, db)
				pool := poolWith(t, db, func(*pgxpool.Config) {})
				for _, d := range []txn.DB{pool, wrapper{pool}} {
					for _, first := range []bool{true, false} {
						err := txn.Run(t.Context(), d, func(ctx context.Context, tx *txn.Tx) error {
							if !first {
								require.NoError(t, write(ctx, tx, 1, 7))
							}
							tx.Queue(setBalance, 2, 7)
							test.call(ctx, tx)
							require.ErrorContains(t, write(ctx, tx, 2, 8), notYours+test.want)
							return nil
						})
						require.EqualError(t, err, "txn: rolled back: "+notYours+test.want)
						require.Equal(t, rolledBack, claimOf(err))
						require.Equal(t, 200, balance(t, db, 1)+balance(t, db, 2))
					}
				}
				// A joined call is undone, and its caller goes on.
				for _, begin := range []func(ctx context.Context, f func(pgx.Tx) error) error{
					func(ctx context.Context, f func(pgx.Tx) error) error {
						return txn.Run(ctx, pool, func(ctx context.Context, tx *txn.Tx) error { return f(tx) })
					},
					func(ctx context.Context, f func(pgx.Tx) error) error { return pgx.BeginFunc(ctx, pool, f) },
				} {
					require.NoError(t, begin(t.Context(), func(outer pgx.Tx) error {
						ctx := t.Context()
						err := txn.Run(ctx, outer, func(ctx context.Context, tx *txn.Tx) error {
							require.NoError(t, write(ctx, tx, 2, 7))
							test.call(ctx, tx)
							return nil
						}, txn.Name("inner"))
						require.EqualError(t, err, "txn inner: rolled back: "+notYours+test.want)
						return write(ctx, outer, 1, 100)
					}))
					require.Equal(t, 200, balance(t, db, 1)+balance(t, db, 2))
				}
				requireClean(t, pool)
			})
		})
	}
}

// The function's error counts, and a conflict is retried, if the function called
// Rollback because of it.
func TestRollbackBesideAnError(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *dbtest.DB) {
		accounts(t, db)
		mine := errors.New("mine")
		require.Same(t, mine, txn.Run(t.Context(), db, func(ctx context.Context, tx *txn.Tx) error {
			defer tx.Rollback(ctx)
			require.NoError(t, write(ctx, tx, 1, 7))
			return mine
		}))
		for _, hide := range []func(error) error{asIs, func(error) error { return errors.New("hidden") }, func(error) error { return nil }} {
			_, err := db.Exec(t.Context(), "update accounts set balance = 100")
			require.NoError(t, err)
			attempts, err := txn.RunInTx(t.Context(), db, func(ctx context.Context, tx *txn.Tx) (int, error) {
				return collide(db, func(err error) error {
					_ = tx.Rollback(ctx)
					return hide(err)
				})(ctx, tx)
			})
			require.NoError(t, err)
			require.Equal(t, 2, attempts)
			require.Equal(t, 111, balance(t, db, 1))
		}
		// A savepoint's own are no misuse, however often.
		require.NoError(t, txn.Run(t.Context(), db, func(ctx context.Context, tx *txn.Tx) error {
			for _, end := range []func(pgx.Tx) error{
				func(sp pgx.Tx) error { return sp.Commit(ctx) },
				func(sp pgx.Tx) error { return sp.Rollback(ctx) },
			} {
				sp, err := tx.Begin(ctx)
				require.NoError(t, err)
				require.NoError(t, write(ctx, sp, 1, 8))
				require.NoError(t, end(sp))
				require.ErrorIs(t, sp.Rollback(ctx), pgx.ErrTxClosed)
				require.ErrorIs(t, sp.Commit(ctx), pgx.ErrTxClosed)
			}
			return nil
		}))
		require.Equal(t, 8, balance(t, db, 1))
	})
}
