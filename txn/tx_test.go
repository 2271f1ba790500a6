package txn_test

import (
	"context"
	"errors"
	"io"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/rowkeeper/rowkeeper/internal/devdb/dbtest"
	"github.com/rowkeeper/rowkeeper/txn"
)

func TestNothingWorksAfterTheCall(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *dbtest.DB) {
		ctx := t.Context()
		var leaked *txn.Tx
		var leakedSavepoint pgx.Tx
		require.NoError(t, txn.Run(ctx, db, func(ctx context.Context, tx *txn.Tx) (err error) {
			leaked = tx
			leakedSavepoint, err = tx.Begin(ctx)
			return err
		}))
		for _, tx := range []pgx.Tx{leaked, leakedSavepoint} {
			_, err := tx.Exec(ctx, "select 1")
			require.ErrorIs(t, err, pgx.ErrTxClosed)
			_, err = tx.Query(ctx, "select 1")
			require.ErrorIs(t, err, pgx.ErrTxClosed)
			require.ErrorIs(t, tx.QueryRow(ctx, "select 1").Scan(new(int)), pgx.ErrTxClosed)
			_, err = tx.Prepare(ctx, "p", "select 1")
			require.ErrorIs(t, err, pgx.ErrTxClosed)
			_, err = tx.CopyFrom(ctx, pgx.Identifier{"x"}, []string{"y"}, pgx.CopyFromRows(nil))
			require.ErrorIs(t, err, pgx.ErrTxClosed)
			_, err = tx.Begin(ctx)
			require.ErrorIs(t, err, pgx.ErrTxClosed)
			var b pgx.Batch
			b.Queue("select 1")
			require.ErrorIs(t, tx.SendBatch(ctx, &b).Close(), pgx.ErrTxClosed)
			los := tx.LargeObjects()
			_, err = los.Create(ctx, 0)
			require.ErrorIs(t, err, pgx.ErrTxClosed)
			require.ErrorIs(t, tx.Commit(ctx), pgx.ErrTxClosed)
			require.ErrorIs(t, tx.Rollback(ctx), pgx.ErrTxClosed)
		}
	})
}

func TestErrorOfAnotherCallDoesNotDecide(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *dbtest.DB) {
		accounts(t, db)
		other := &txn.CommittedError{Err: errors.New("of another call")}
		got, err := txn.RunInTx(t.Context(), db, func(ctx context.Context, tx *txn.Tx) (int, error) {
			return 42, errors.Join(write(ctx, tx, 1, 7), other)
		})
		require.ErrorIs(t, err, other)
		require.Zero(t, got, "this one was rolled back")
		got, err = txn.RunInTx(t.Context(), db, func(ctx context.Context, tx *txn.Tx) (int, error) { return 42, other })
		require.Equal(t, other, err)
		require.Zero(t, got)
		require.Equal(t, 100, balance(t, db, 1))
	})
}

func TestConnectionThatIsBusyAtTheEndIsADefiniteRollback(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *dbtest.DB) {
		accounts(t, db)
		err := txn.Run(t.Context(), db, func(ctx context.Context, tx *txn.Tx) error {
			require.NoError(t, write(ctx, tx, 1, 7))
			_, err := tx.Conn().Query(ctx, "select balance from accounts")
			return err
		})
		require.ErrorContains(t, err, "still open")
		var unknown *txn.OutcomeUnknownError
		require.False(t, errors.As(err, &unknown))
		require.Eventually(t, func() bool { return balance(t, db, 1) == 100 }, eventually, tick)

		own, err := db.Acquire(t.Context())
		require.NoError(t, err)
		defer own.Release()
		require.Error(t, txn.Run(t.Context(), own, func(ctx context.Context, tx *txn.Tx) error {
			require.NoError(t, write(ctx, tx, 1, 7))
			_, err := tx.Conn().Query(ctx, "select balance from accounts")
			return err
		}))
		require.True(t, own.Conn().IsClosed(), "rather than given back in a transaction")

		// Opened while rows are open: pgx refuses it, and the rows are closed in the
		// end.
		require.NoError(t, txn.Run(t.Context(), db, func(ctx context.Context, tx *txn.Tx) error {
			require.NoError(t, write(ctx, tx, 1, 7))
			_, err := tx.Query(ctx, "select balance from accounts")
			require.NoError(t, err)
			var b pgx.Batch
			b.Queue("select 1")
			require.ErrorContains(t, tx.SendBatch(ctx, &b).Close(), "busy")
			return nil
		}))
		require.Equal(t, 7, balance(t, db, 1))

		conn, err := db.Acquire(t.Context())
		require.NoError(t, err)
		defer conn.Release()
		rows, err := conn.Query(t.Context(), "select balance from accounts")
		require.NoError(t, err)
		defer rows.Close()
		err = txn.Run(t.Context(), conn, func(context.Context, *txn.Tx) error { t.Error("ran"); return nil })
		require.ErrorContains(t, err, "the connection is busy")
		require.False(t, conn.Conn().IsClosed())
	})
}

func TestWhatTheFunctionLeavesOpenIsClosed(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *dbtest.DB) {
		accounts(t, db)
		require.NoError(t, txn.Run(t.Context(), db, func(ctx context.Context, tx *txn.Tx) error {
			rows, err := tx.Query(ctx, "select balance from accounts")
			require.NoError(t, err)
			require.True(t, rows.Next())
			return nil
		}))
		require.NoError(t, txn.Run(t.Context(), db, func(ctx context.Context, tx *txn.Tx) error {
			tx.QueryRow(ctx, "select balance from accounts")
			return nil
		}))
		require.NoError(t, txn.Run(t.Context(), db, func(ctx context.Context, tx *txn.Tx) error {
			var b pgx.Batch
			b.Queue("update accounts set balance = 7 where id = 1")
			tx.SendBatch(ctx, &b)
			return nil
		}))
		require.Equal(t, 7, balance(t, db, 1))
		require.EqualValues(t, 1, db.Stat().TotalConns())

		// An error that was not read yet is seen as well.
		err := txn.Run(t.Context(), db, func(ctx context.Context, tx *txn.Tx) error {
			_, err := tx.Query(ctx, "update accounts set balance = -id returning id")
			return err
		})
		requireCode(t, err, "23514")
	})
}

func TestEveryWayToSendAStatementIsWatched(t *testing.T) {
	set := "update accounts set balance = 50 where id = 1"
	for name, swallow := range map[string]func(context.Context, *txn.Tx){
		"Exec":     func(ctx context.Context, tx *txn.Tx) { _, _ = tx.Exec(ctx, set) },
		"QueryRow": func(ctx context.Context, tx *txn.Tx) { _ = tx.QueryRow(ctx, set+" returning id").Scan(new(int)) },
		"Query": func(ctx context.Context, tx *txn.Tx) {
			rows, _ := tx.Query(ctx, set+" returning id")
			_, _ = pgx.CollectRows(rows, pgx.RowTo[int])
		},
		"Batch": func(ctx context.Context, tx *txn.Tx) {
			var b pgx.Batch
			b.Queue("select 1")
			b.Queue(set)
			_ = tx.SendBatch(ctx, &b).Close()
		},
		"Batch read": func(ctx context.Context, tx *txn.Tx) {
			var b pgx.Batch
			b.Queue("select 1")
			b.Queue(set)
			b.Queue(set + " returning id")
			b.Queue("select 1")
			br := tx.SendBatch(ctx, &b)
			_ = br.QueryRow().Scan(new(int))
			_, _ = br.Exec()
			rows, _ := br.Query()
			_, _ = pgx.CollectRows(rows, pgx.RowTo[int])
			_ = br.Close()
		},
		"Batch callback": func(ctx context.Context, tx *txn.Tx) {
			var b pgx.Batch
			b.Queue("select 1").QueryRow(func(row pgx.Row) error { return row.Scan(new(int)) })
			b.Queue(set + " returning id").Query(func(rows pgx.Rows) error {
				_, _ = pgx.CollectRows(rows, pgx.RowTo[int])
				return nil
			})
			_ = tx.SendBatch(ctx, &b).Close()
		},
		"Savepoint": func(ctx context.Context, tx *txn.Tx) {
			sp, _ := tx.Begin(ctx)
			_, _ = sp.Exec(ctx, set)
		},
	} {
		t.Run(name, func(t *testing.T) {
			dbtest.Each(t, func(t *testing.T, db *dbtest.DB) {
				accounts(t, db)
				runs := 0
				require.NoError(t, txn.Run(t.Context(), db, func(ctx context.Context, tx *txn.Tx) error {
					runs++
					if _, err := read(ctx, tx, 1); err != nil {
						return err
					}
					if tx.Attempt() == 1 {
						_, err := db.Exec(ctx, "update accounts set balance = 1 where id = 1")
						require.NoError(t, err)
					}
					swallow(ctx, tx)
					return nil
				}))
				require.Equal(t, 2, runs)
				require.Equal(t, 50, balance(t, db, 1))
			})
		})
	}
}

func TestCopyAndPrepare(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *dbtest.DB) {
		accounts(t, db)
		require.NoError(t, txn.Run(t.Context(), db, func(ctx context.Context, tx *txn.Tx) error {
			n, err := tx.CopyFrom(ctx, pgx.Identifier{"accounts"}, []string{"id", "balance"}, pgx.CopyFromRows([][]any{{3, 1}, {4, 1}}))
			require.EqualValues(t, 2, n)
			if err != nil {
				return err
			}
			_, err = tx.Prepare(ctx, "all_accounts", "select count(*) from accounts")
			if err != nil {
				return err
			}
			require.NoError(t, tx.QueryRow(ctx, "all_accounts").Scan(&n))
			require.EqualValues(t, 4, n)
			return nil
		}))
		require.Equal(t, 4, rowsIn(t, db))
	})
}

func TestQueryRowIsPgxs(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *dbtest.DB) {
		require.NoError(t, txn.Run(t.Context(), db, func(ctx context.Context, tx *txn.Tx) error {
			require.ErrorIs(t, tx.QueryRow(ctx, "select 1 where false").Scan(new(int)), pgx.ErrNoRows)
			require.Error(t, tx.QueryRow(ctx, "select 'x'").Scan(new(int)), "cannot scan")
			var n int
			require.NoError(t, tx.QueryRow(ctx, "select $1::int8", 5).Scan(&n))
			require.Equal(t, 5, n)
			require.NotNil(t, tx.Conn())
			return nil
		}))
	})
}

func TestLargeObjectsAreClosedWithTheTransaction(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *dbtest.DB) {
		if db.Cockroach() {
			t.Skip("CockroachDB has no large objects")
		}
		var leaked *pgx.LargeObject
		require.NoError(t, txn.Run(t.Context(), db, func(ctx context.Context, tx *txn.Tx) error {
			los := tx.LargeObjects()
			oid, err := los.Create(ctx, 0)
			if err != nil {
				return err
			}
			leaked, err = los.Open(ctx, oid, pgx.LargeObjectModeWrite|pgx.LargeObjectModeRead)
			if err != nil {
				return err
			}
			_, err = leaked.Write([]byte("hello"))
			return err
		}))
		_, err := leaked.Seek(0, io.SeekStart)
		require.ErrorIs(t, err, pgx.ErrTxClosed)
		require.EqualValues(t, 1, db.Stat().TotalConns())
	})
}
