package txn_test

import (
	"context"
	"database/sql/driver"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	"github.com/rowkeeper/rowkeeper/internal/devdb/dbtest"
	"github.com/rowkeeper/rowkeeper/txn"
)

// An ignored conflict is the reason for the restart, even if the next statement is
// refused because of it.
func TestSwallowedConflictBeforeWhatIsQueued(t *testing.T) {
	for name, next := range map[string]func(ctx context.Context, tx *txn.Tx) error{
		"queue":       func(ctx context.Context, tx *txn.Tx) error { tx.Queue(setBalance, 2, 7); return nil },
		"queue, exec": func(ctx context.Context, tx *txn.Tx) error { tx.Queue(setBalance, 2, 7); return write(ctx, tx, 2, 8) },
		"joined": func(ctx context.Context, tx *txn.Tx) error {
			return txn.Run(ctx, tx, func(ctx context.Context, tx *txn.Tx) error { return write(ctx, tx, 2, 8) })
		},
		"savepoint": func(ctx context.Context, tx *txn.Tx) error {
			return pgx.BeginFunc(ctx, tx, func(tx pgx.Tx) error { return write(ctx, tx, 2, 8) })
		},
	} {
		t.Run(name, func(t *testing.T) {
			dbtest.Each(t, func(t *testing.T, db *dbtest.DB) {
				accounts(t, db)
				for _, hide := range []func(error) error{asIs, func(err error) error { return errors.New("hidden") }, func(error) error { return nil }} {
					_, err := db.Exec(t.Context(), "update accounts set balance = 100")
					require.NoError(t, err)
					attempts, err := txn.RunInTx(t.Context(), db, func(ctx context.Context, tx *txn.Tx) (int, error) {
						_, _ = collide(db, asIs)(ctx, tx)
						if err := next(ctx, tx); err != nil {
							return 0, hide(err)
						}
						return tx.Attempt(), nil
					})
					require.NoError(t, err)
					require.Equal(t, 2, attempts)
					require.Equal(t, 111, balance(t, db, 1))
				}
			})
		})
	}
}

func TestQueueIsKeptWhileRowsAreOpen(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *dbtest.DB) {
		accounts(t, db)
		for _, standalone := range []string{"insert into accounts values (11, 1)", "insert into accounts values (11, 1); insert into accounts values (12, 1)"} {
			_, err := db.Exec(t.Context(), "delete from accounts where id > 2")
			require.NoError(t, err)
			require.NoError(t, txn.Run(t.Context(), db, func(ctx context.Context, tx *txn.Tx) error {
				rows, err := tx.Query(ctx, "select id from accounts")
				require.NoError(t, err)
				tx.Queue("insert into accounts values (10, 1)")
				tx.Queue(standalone)
				tx.Queue("insert into accounts values (13, 1)")
				_, err = tx.Exec(ctx, "insert into accounts values (14, 1)")
				require.ErrorContains(t, err, "busy")
				rows.Close()
				return nil
			}))
			require.Equal(t, 2+strings.Count(standalone, "insert")+2, rowsIn(t, db))
		}
	})
}

func TestWhatCannotBeHadAgainIsNotTried(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *dbtest.DB) {
		accounts(t, db)
		conn, err := pgx.ConnectConfig(t.Context(), db.Config().ConnConfig)
		require.NoError(t, err)
		runs := 0
		err = txn.Run(t.Context(), conn, func(ctx context.Context, tx *txn.Tx) error {
			runs++
			require.NoError(t, write(ctx, tx, 1, 7))
			require.NoError(t, conn.PgConn().Conn().Close())
			return write(ctx, tx, 1, 8)
		})
		require.Error(t, err)
		require.Equal(t, 1, runs, "a connection of the caller's")
		err = txn.Run(t.Context(), conn, func(context.Context, *txn.Tx) error { runs++; return nil })
		require.ErrorContains(t, err, "conn closed")
		require.Equal(t, 1, runs)

		nowhere := poolWith(t, db, func(c *pgxpool.Config) { c.ConnConfig.Database = "no_such_database" })
		runs = 0
		err = txn.Run(t.Context(), nowhere, func(ctx context.Context, tx *txn.Tx) error {
			runs++
			return write(ctx, tx, 1, 7)
		})
		require.Error(t, err)
		require.Equal(t, 1, runs, "a database that is not there")
	})
}

func TestStatementsThatChangeWhatComesBehindThem(t *testing.T) {
	eachMode(t, func(t *testing.T, db *dbtest.DB, pool *pgxpool.Pool) {
		require.NoError(t, txn.Run(t.Context(), pool, func(ctx context.Context, tx *txn.Tx) error {
			tx.Queue("create table made (id bigint)")
			tx.Queue("insert into made values ($1)", 1)
			return nil
		}))
		var n int
		require.NoError(t, db.QueryRow(t.Context(), "select count(*) from made").Scan(&n))
		require.Equal(t, 1, n)
		if db.Cockroach() {
			return
		}
		holder, err := db.Begin(t.Context())
		require.NoError(t, err)
		defer holder.Rollback(context.Background())
		require.NoError(t, write(t.Context(), holder, 1, 101))
		done := make(chan error, 1)
		got := 0
		go func() {
			done <- txn.Run(t.Context(), pool, func(ctx context.Context, tx *txn.Tx) (err error) {
				tx.Queue("lock table accounts in access exclusive mode")
				got, err = read(ctx, tx, 1)
				return err
			}, txn.Isolation(pgx.RepeatableRead))
		}()
		require.Eventually(t, func() bool {
			var waiting int
			err := db.QueryRow(t.Context(), "select count(*) from pg_locks where not granted and relation = to_regclass('accounts')").Scan(&waiting)
			return err == nil && waiting > 0
		}, eventually, tick)
		require.NoError(t, holder.Commit(t.Context()))
		require.NoError(t, <-done)
		require.Equal(t, 101, got, "no snapshot was taken before the lock")
	})
}

func TestSavepointByTextUndoesWhatCouldNotBeDescribed(t *testing.T) {
	eachMode(t, func(t *testing.T, db *dbtest.DB, pool *pgxpool.Pool) {
		require.NoError(t, txn.Run(t.Context(), pool, func(ctx context.Context, tx *txn.Tx) error {
			_, err := tx.Exec(ctx, "savepoint a")
			require.NoError(t, err)
			tx.Queue(setBalance, 1, 7)
			_, err = tx.Exec(ctx, "insert into nowhere values ($1)", 1)
			requireCode(t, err, "42P01")
			_, err = tx.Exec(ctx, "rollback to savepoint a")
			require.NoError(t, err)
			return write(ctx, tx, 2, 7)
		}))
		require.Equal(t, 100, balance(t, db, 1))
		require.Equal(t, 7, balance(t, db, 2))
	})
}

type panics struct{}

func (panics) Value() (driver.Value, error) { panic("boom") }

func TestPanicWhileCommitting(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *dbtest.DB) {
		accounts(t, db)
		conn, err := db.Acquire(t.Context())
		require.NoError(t, err)
		defer conn.Release()
		for _, d := range []txn.DB{db, conn.Conn(), wrapper{db.Pool}} {
			require.PanicsWithValue(t, "boom", func() {
				_ = txn.Run(t.Context(), d, func(ctx context.Context, tx *txn.Tx) error {
					require.NoError(t, write(ctx, tx, 1, 7))
					tx.Queue(setBalance, 1, panics{})
					return nil
				})
			})
			require.Equal(t, 100, balance(t, db, 1))
		}
		require.Equal(t, "I", string(conn.Conn().PgConn().TxStatus()))
		require.EqualValues(t, 1, db.Stat().AcquiredConns())
	})
}

// A connection of the caller's on which the function itself has begun a transaction.
func TestConnectionThatTheFunctionBeganOn(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *dbtest.DB) {
		accounts(t, db)
		conn, err := db.Acquire(t.Context())
		require.NoError(t, err)
		defer conn.Release()
		var theirs pgx.Tx
		err = txn.Run(t.Context(), conn, func(ctx context.Context, tx *txn.Tx) error {
			theirs, err = conn.Begin(ctx)
			require.NoError(t, err)
			return write(ctx, tx, 1, 7)
		})
		require.ErrorContains(t, err, "in a transaction already")
		require.NoError(t, write(t.Context(), theirs, 2, 7))
		require.NoError(t, theirs.Commit(t.Context()), "it is left alone")
		require.Equal(t, 100, balance(t, db, 1))
		require.Equal(t, 7, balance(t, db, 2))
	})
}

func TestConnectionClosedUnderOpenRows(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *dbtest.DB) {
		accounts(t, db)
		require.Error(t, txn.Run(t.Context(), db, func(ctx context.Context, tx *txn.Tx) error {
			rows, err := tx.Query(ctx, "select id from accounts")
			require.NoError(t, err)
			defer rows.Close()
			require.NoError(t, tx.Conn().Close(ctx))
			tx.Queue(setBalance, 1, 7)
			return write(ctx, tx, 1, 8)
		}, txn.MaxAttempts(1)))
	})
}

// If the context of a statement ends before anything is sent, only that statement
// fails.
func TestContextOfAStatement(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *dbtest.DB) {
		accounts(t, db)
		done, cancel := context.WithCancel(t.Context())
		cancel()
		for _, d := range []txn.DB{db, wrapper{db.Pool}} {
			require.NoError(t, txn.Run(t.Context(), d, func(ctx context.Context, tx *txn.Tx) error {
				_, err := read(done, tx, 1)
				require.ErrorIs(t, err, context.Canceled)
				tx.Queue(setBalance, 1, 7)
				_, err = read(done, tx, 1)
				require.ErrorIs(t, err, context.Canceled)
				return nil
			}))
			require.Equal(t, 7, balance(t, db, 1))
		}
		// Nor does the transaction of a wrapper belong to it.
		brief, cancel := context.WithTimeout(t.Context(), time.Minute)
		var begun context.Context
		require.NoError(t, txn.Run(t.Context(), beginsWith{wrapper{db.Pool}, &begun}, func(ctx context.Context, tx *txn.Tx) error {
			_, err := read(brief, tx, 1)
			cancel()
			return errors.Join(err, begun.Err())
		}))
	})
}

type beginsWith struct {
	wrapper
	ctx *context.Context
}

func (w beginsWith) BeginTx(ctx context.Context, o pgx.TxOptions) (pgx.Tx, error) {
	*w.ctx = ctx
	return w.wrapper.BeginTx(ctx, o)
}
