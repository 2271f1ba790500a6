package txn_test

import (
	"context"
	"errors"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	"github.com/rowkeeper/rowkeeper/errs/kind"
	"github.com/rowkeeper/rowkeeper/internal/devdb/dbtest"
	"github.com/rowkeeper/rowkeeper/txn"
)

const (
	setBalance = "update accounts set balance = $2 where id = $1"
	addBalance = "update accounts set balance = balance + $2 where id = $1"
)

func TestQueuedWritesGoInOrder(t *testing.T) {
	eachMode(t, func(t *testing.T, db *dbtest.DB, pool *pgxpool.Pool) {
		for _, d := range []txn.DB{pool, wrapper{pool}} {
			require.NoError(t, txn.Run(t.Context(), d, func(ctx context.Context, tx *txn.Tx) error {
				tx.Queue(setBalance, 1, 1)
				tx.Queue(addBalance, 1, 2)
				n, err := read(ctx, tx, 1)
				require.Equal(t, 3, n, "sent before the statement that needs an answer")
				tx.Queue(setBalance, 1, 10)
				if err := write(ctx, tx, 2, n); err != nil {
					return err
				}
				n, readErr := read(ctx, tx, 1)
				require.Equal(t, 10, n)
				tx.Queue(addBalance, 1, 1)
				return errors.Join(err, readErr)
			}))
			require.Equal(t, 11, balance(t, db, 1))
			require.Equal(t, 3, balance(t, db, 2))
		}
		requireClean(t, pool)
	})
}

func TestErrorOfAQueuedWriteNamesItsStatement(t *testing.T) {
	eachMode(t, func(t *testing.T, db *dbtest.DB, pool *pgxpool.Pool) {
		bad := "insert into accounts values ($1, $2)"
		for _, d := range []txn.DB{pool, wrapper{pool}} {
			for name, f := range map[string]func(ctx context.Context, tx *txn.Tx) error{
				"at commit": func(ctx context.Context, tx *txn.Tx) error {
					tx.Queue(setBalance, 1, 7)
					tx.Queue(bad, 1, 1)
					tx.Queue(setBalance, 1, 8)
					return nil
				},
				"with the next statement, whose error is swallowed": func(ctx context.Context, tx *txn.Tx) error {
					tx.Queue(bad, 1, 1)
					_, err := read(ctx, tx, 1)
					requireCode(t, err, "23505")
					_, err = read(ctx, tx, 1)
					requireCode(t, err, "23505")
					return nil
				},
				"replaced by the function": func(ctx context.Context, tx *txn.Tx) error {
					tx.Queue(bad, 1, 1)
					_, _ = read(ctx, tx, 1)
					return errors.New("mine")
				},
			} {
				err := txn.Run(t.Context(), d, f)
				var q *txn.QueuedError
				require.ErrorAs(t, err, &q, name)
				require.Equal(t, bad, q.SQL, name)
				requireCode(t, err, "23505")
				require.Equal(t, 100, balance(t, db, 1))
			}
		}
		requireClean(t, pool)
	})
}

func TestConflictOfAQueuedWriteIsRetried(t *testing.T) {
	eachMode(t, func(t *testing.T, db *dbtest.DB, pool *pgxpool.Pool) {
		want := 100
		for _, d := range []txn.DB{pool, wrapper{pool}} {
			attempts, err := txn.RunInTx(t.Context(), d, func(ctx context.Context, tx *txn.Tx) (int, error) {
				n, err := read(ctx, tx, 1)
				if err != nil {
					return 0, err
				}
				if tx.Attempt() == 1 {
					if _, err := db.Exec(ctx, "update accounts set balance = balance + 10 where id = 1"); err != nil {
						return 0, err
					}
				}
				tx.Queue(setBalance, 1, n+1)
				return tx.Attempt(), nil
			})
			require.NoError(t, err)
			require.Equal(t, 2, attempts)
			want += 11
			require.Equal(t, want, balance(t, db, 1))
		}
		requireClean(t, pool)
	})
}

func TestQueueExpect(t *testing.T) {
	eachMode(t, func(t *testing.T, db *dbtest.DB, pool *pgxpool.Pool) {
		for _, d := range []txn.DB{pool, wrapper{pool}} {
			for range 2 {
				err := txn.Run(t.Context(), d, func(ctx context.Context, tx *txn.Tx) error {
					tx.QueueExpect(1, setBalance, 1, 7)
					tx.QueueExpect(2, "update accounts set balance = balance + $1;", 1)
					tx.QueueExpect(0, "delete from accounts where id = $1 -- nobody", 99)
					tx.QueueExpect(1, "insert into accounts values ($1, $2)", 50, 1)
					tx.QueueExpect(1, "delete from accounts where id = 50")
					return nil
				})
				require.NoError(t, err)
				require.Equal(t, 8, balance(t, db, 1))

				for want, got := range map[int64]int64{1: 0, 0: 2} {
					condition := map[int64]string{0: " where id > 99", 2: ""}[got]
					sql := "update accounts set balance = 5" + condition
					err := txn.Run(t.Context(), d, func(ctx context.Context, tx *txn.Tx) error {
						tx.QueueExpect(want, sql)
						return nil
					})
					var unexpected *txn.UnexpectedRowsError
					require.ErrorAs(t, err, &unexpected)
					require.Equal(t, &txn.UnexpectedRowsError{SQL: sql, Want: want, Got: got}, unexpected)
					require.Equal(t, kind.Conflict, unexpected.Kind())
					require.Equal(t, 8, balance(t, db, 1))
				}

				// An error of the statement itself is not mistaken for the count.
				err = txn.Run(t.Context(), d, func(ctx context.Context, tx *txn.Tx) error {
					tx.QueueExpect(1, "update accounts set balance = cast('rowkeeper ' || $1 as bigint) where id = 1", "text")
					return nil
				})
				var q *txn.QueuedError
				require.ErrorAs(t, err, &q)
				requireCode(t, err, "22P02")
			}
		}
		requireClean(t, pool)
	})
}

func TestQueueAfterTheCallHasNoEffect(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *dbtest.DB) {
		accounts(t, db)
		var leaked, inner *txn.Tx
		require.NoError(t, txn.Run(t.Context(), db, func(ctx context.Context, tx *txn.Tx) error {
			leaked = tx
			return txn.Run(ctx, tx, func(ctx context.Context, tx *txn.Tx) error { inner = tx; return nil })
		}))
		for _, tx := range []*txn.Tx{leaked, inner} {
			tx.Queue("insert into accounts values (10, 1)")
			tx.QueueExpect(1, "delete from accounts")
			tx.OnCommit(func(context.Context) { t.Error("ran") })
		}
		require.Equal(t, 2, rowsIn(t, db))
	})
}

func TestSavepointsTravelToo(t *testing.T) {
	eachMode(t, func(t *testing.T, db *dbtest.DB, pool *pgxpool.Pool) {
		ctx := t.Context()
		mine := errors.New("mine")
		for range 2 { // cold, then warm
			_, err := pool.Exec(ctx, "update accounts set balance = 100")
			require.NoError(t, err)
			require.NoError(t, txn.Run(ctx, pool, func(ctx context.Context, tx *txn.Tx) error {
				// Nothing of it was sent.
				require.ErrorIs(t, txn.Run(ctx, tx, func(ctx context.Context, tx *txn.Tx) error {
					tx.Queue(setBalance, 1, 1)
					return mine
				}), mine)
				// A queued write that fails is undone with its savepoint.
				err := txn.Run(ctx, tx, func(ctx context.Context, tx *txn.Tx) error {
					tx.Queue(setBalance, 1, 2)
					tx.Queue(setBalance, 1, -2)
					return nil
				})
				requireCode(t, err, "23514")
				// So is a statement that cannot be described, although it came first.
				err = txn.Run(ctx, tx, func(ctx context.Context, tx *txn.Tx) error {
					tx.Queue(setBalance, 1, 3)
					return txn.Run(ctx, tx, func(ctx context.Context, tx *txn.Tx) error {
						_, err := tx.Exec(ctx, "update nowhere set balance = $1", 1)
						return err
					})
				})
				requireCode(t, err, "42P01")
				// And a value that cannot be sent.
				require.Error(t, txn.Run(ctx, tx, func(ctx context.Context, tx *txn.Tx) error {
					tx.Queue(setBalance, 1, make(chan int))
					return nil
				}))
				require.NoError(t, txn.Run(ctx, tx, func(ctx context.Context, tx *txn.Tx) error {
					sp, err := tx.Begin(ctx)
					require.NoError(t, err)
					tx.Queue(setBalance, 1, 4)
					require.NoError(t, sp.Rollback(ctx), "what was queued since is dropped")
					tx.Queue(addBalance, 2, 5)
					return nil
				}))
				return pgx.BeginFunc(ctx, tx, func(tx pgx.Tx) error {
					n, err := read(ctx, tx, 1)
					require.Equal(t, 100, n)
					return err
				})
			}))
			require.Equal(t, 100, balance(t, db, 1))
			require.Equal(t, 105, balance(t, db, 2))
		}
		requireClean(t, pool)
	})
}

// The statement around sql leaves room for comments, including one that runs to the end
// of its line.
func TestQueueExpectOfTextsThatEndOddly(t *testing.T) {
	eachMode(t, func(t *testing.T, db *dbtest.DB, pool *pgxpool.Pool) {
		const update = "update accounts set balance = $1 where id = 1"
		for sql, code := range map[string]string{
			update + " -- the end":             "",
			update + " -- ;":                   "",
			update + " /* the end */":          "",
			update + " ;;\n":                   "",
			"-- the beginning\n" + update:      "",
			"with one as (select 1) " + update: "",
			update + "; -- behind":             "42601",
			update + "; /* behind */":          "42601",
			update + " returning id":           "42601",
			"with x as (" + update + " returning 1) update accounts set balance = 3 where id = 2": "0A000",
		} {
			err := txn.Run(t.Context(), pool, func(ctx context.Context, tx *txn.Tx) error {
				tx.QueueExpect(1, sql, 7)
				return nil
			})
			if code == "" {
				require.NoError(t, err, sql)
			} else {
				requireCode(t, err, code)
			}
			err = txn.Run(t.Context(), pool, func(ctx context.Context, tx *txn.Tx) error {
				tx.QueueExpect(2, sql, 7)
				return nil
			})
			if code == "" {
				require.ErrorAs(t, err, new(*txn.UnexpectedRowsError), sql)
			} else {
				requireCode(t, err, code)
			}
		}
	})
}
