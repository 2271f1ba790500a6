package txntest_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/stretchr/testify/require"

	"github.com/rowkeeper/rowkeeper/internal/devdb/dbtest"
	"github.com/rowkeeper/rowkeeper/txn"
	"github.com/rowkeeper/rowkeeper/txn/txntest"
)

// thirds are ways to add 1 to row 2 in one statement.
var thirds = map[string]func(ctx context.Context, tx *txn.Tx) error{
	"Exec": func(ctx context.Context, tx *txn.Tx) error {
		_, err := tx.Exec(ctx, "update accounts set balance = balance + 1 where id = $1", 2)
		return err
	},
	"Query": func(ctx context.Context, tx *txn.Tx) error {
		rows, err := tx.Query(ctx, "update accounts set balance = balance + 1 where id = $1 returning id", 2)
		if err != nil {
			return fmt.Errorf("pgx would give it with the rows: %v", err)
		}
		_, err = pgx.CollectExactlyOneRow(rows, pgx.RowTo[int])
		return err
	},
	"Query left open": func(ctx context.Context, tx *txn.Tx) error {
		_, err := tx.Query(ctx, "update accounts set balance = balance + 1 where id = 2 returning id")
		return err
	},
	"QueryRow": func(ctx context.Context, tx *txn.Tx) error {
		var id int
		return tx.QueryRow(ctx, "update accounts set balance = balance + 1 where id = $1 returning id", 2).Scan(&id)
	},
	"joined call": func(ctx context.Context, tx *txn.Tx) error {
		return txn.Run(ctx, tx, func(ctx context.Context, tx *txn.Tx) error { return add(ctx, tx, 2, 1) })
	},
	"savepoint": func(ctx context.Context, tx *txn.Tx) error {
		return pgx.BeginFunc(ctx, tx, func(sp pgx.Tx) error { return add(ctx, sp, 2, 1) })
	},
	"batch": func(ctx context.Context, tx *txn.Tx) error {
		var b pgx.Batch
		b.Queue("update accounts set balance = balance + 1 where id = $1", 2)
		return tx.SendBatch(ctx, &b).Close()
	},
}

func TestConflictAtAStatementHoweverItIsSentAndTreated(t *testing.T) {
	for kind, third := range thirds {
		for name, treat := range treatments {
			if kind == "savepoint" && name == "masked" {
				continue // on PostgreSQL ROLLBACK TO has healed it by then, and the function's error is its own
			}
			t.Run(kind+" "+name, func(t *testing.T) {
				dbtest.Each(t, func(t *testing.T, db *dbtest.DB) {
					accounts(t, db)
					attempts, err := txn.RunInTx(t.Context(), txntest.New(t, db, txntest.ConflictAt(3)), func(ctx context.Context, tx *txn.Tx) (int, error) {
						var n int
						if err := tx.QueryRow(ctx, "select count(*) from accounts").Scan(&n); err != nil {
							return 0, err
						}
						if err := add(ctx, tx, 1, 1); err != nil {
							return 0, err
						}
						if err := third(ctx, tx); err != nil {
							return 0, treat(err)
						}
						return tx.Attempt(), nil
					})
					require.NoError(t, err)
					require.Equal(t, 2, attempts)
					requireBalances(t, db, 101, 101)
					requireClean(t, db)
				})
			})
		}
	}
}

func TestConflictAtCopyFrom(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *dbtest.DB) {
		accounts(t, db)
		err := txn.Run(t.Context(), txntest.New(t, db, txntest.ConflictAt(1)), func(ctx context.Context, tx *txn.Tx) error {
			n, err := tx.CopyFrom(ctx, pgx.Identifier{"accounts"}, []string{"id", "balance"}, pgx.CopyFromRows([][]any{{3, 1}}))
			if tx.Attempt() == 1 {
				require.Error(t, err)
				require.Zero(t, n)
				return nil // swallowed
			}
			return err
		})
		require.NoError(t, err)
		var n int
		require.NoError(t, db.QueryRow(t.Context(), "select count(*) from accounts").Scan(&n))
		require.Equal(t, 3, n)
		requireClean(t, db)
	})
}

// The server must treat the transaction as failed, or a function that ignores a
// conflict would continue unlike in production.
func TestTransactionIsFailedAfterAConflict(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *dbtest.DB) {
		accounts(t, db)
		err := txn.Run(t.Context(), txntest.New(t, db, txntest.ConflictAt(2)), func(ctx context.Context, tx *txn.Tx) error {
			require.NoError(t, add(ctx, tx, 1, 1))
			err := add(ctx, tx, 2, 1)
			if tx.Attempt() > 1 {
				return err
			}
			var pe *pgconn.PgError
			require.ErrorAs(t, err, &pe)
			require.Equal(t, "40001", pe.Code)
			require.Equal(t, "ERROR", pe.Severity)
			require.Equal(t, "ERROR", pe.SeverityUnlocalized)
			require.Contains(t, pe.Message, "injected by txntest")
			require.Equal(t, db.Cockroach(), pe.File != "predicate.c")
			require.Equal(t, byte('E'), tx.Conn().PgConn().TxStatus())
			require.ErrorAs(t, add(ctx, tx, 2, 1), &pe)
			require.Equal(t, "25P02", pe.Code)
			return err
		})
		require.NoError(t, err)
		requireBalances(t, db, 101, 101)
	})
}

func TestConflictThatASavepointUndidFailsAtCommit(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *dbtest.DB) {
		accounts(t, db)
		attempts, err := txn.RunInTx(t.Context(), txntest.New(t, db, txntest.ConflictAt(2)), func(ctx context.Context, tx *txn.Tx) (int, error) {
			if err := add(ctx, tx, 1, 1); err != nil {
				return 0, err
			}
			sp, err := tx.Begin(ctx)
			if err != nil {
				return 0, err
			}
			if err := add(ctx, sp, 2, 1); err != nil {
				_ = sp.Rollback(ctx)
				return tx.Attempt(), nil
			}
			return tx.Attempt(), sp.Commit(ctx)
		})
		require.NoError(t, err)
		require.Equal(t, 2, attempts)
		requireBalances(t, db, 101, 101)
		requireClean(t, db)
	})
}

func TestSeveralFaultsInARow(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *dbtest.DB) {
		accounts(t, db)
		faulty := txntest.New(t, db, txntest.ConflictAtCommit(), txntest.ConflictAt(1), txntest.ConflictAt(3))
		attempts, err := move(t.Context(), faulty, 30)
		require.NoError(t, err)
		require.Equal(t, 4, attempts)
		attempts, err = move(t.Context(), faulty, 30)
		require.NoError(t, err)
		require.Equal(t, 1, attempts, "those after the last fault are let through")
		requireBalances(t, db, 40, 160)
		requireClean(t, db)
	})
}

// The rows of a statement that met a conflict work without txn, too.
func TestRowsOfAPlainTransaction(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *dbtest.DB) {
		accounts(t, db)
		faulty := txntest.New(t, db, txntest.ConflictAt(2), txntest.ConflictAt(1))
		tx, err := faulty.Begin(t.Context())
		require.NoError(t, err)
		var n int
		require.NoError(t, tx.QueryRow(t.Context(), "select 7").Scan(&n))
		require.Equal(t, 7, n)
		require.ErrorContains(t, tx.QueryRow(t.Context(), "select 8").Scan(&n), "40001")
		require.NoError(t, tx.Rollback(t.Context()))

		tx, err = faulty.Begin(t.Context())
		require.NoError(t, err)
		rows, err := tx.Query(t.Context(), "select 7")
		require.NoError(t, err)
		require.False(t, rows.Next())
		require.ErrorContains(t, rows.Err(), "40001")
		_, err = rows.Values()
		require.ErrorContains(t, err, "40001")
		require.NotNil(t, rows.TypeMap())
		require.Same(t, tx.Conn(), rows.Conn())
		require.Empty(t, rows.FieldDescriptions())
		require.Empty(t, rows.RawValues())
		rows.Close()
		require.NoError(t, tx.Rollback(t.Context()))
		requireClean(t, db)
	})
}

// Errors other than conflicts are unchanged: a statement that could not be sent, and
// the end of a plain transaction that has already failed.
func TestRealErrorsComeFirst(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *dbtest.DB) {
		accounts(t, db)
		rec := &recorder{}
		faulty := txntest.New(rec, db, txntest.ConflictAt(2), txntest.ConflictAtCommit())

		tx, err := faulty.Begin(t.Context())
		require.NoError(t, err)
		require.Error(t, add(t.Context(), tx, 1, -1000))
		err = add(t.Context(), tx, 1, 1)
		var pe *pgconn.PgError
		require.ErrorAs(t, err, &pe)
		require.Equal(t, "25P02", pe.Code)
		require.NoError(t, tx.Rollback(t.Context()))
		require.ErrorIs(t, tx.Commit(t.Context()), pgx.ErrTxClosed)

		tx, err = faulty.BeginTx(t.Context(), pgx.TxOptions{IsoLevel: pgx.Serializable})
		require.NoError(t, err)
		require.Error(t, add(t.Context(), tx, 1, -1000))
		require.ErrorIs(t, tx.Commit(t.Context()), pgx.ErrTxCommitRollback)
		require.ErrorIs(t, tx.Rollback(t.Context()), pgx.ErrTxClosed)
		require.Equal(t, []string{
			"txntest: transaction 1 did not meet ConflictAt(2): it had failed before",
			"txntest: transaction 2 did not meet ConflictAtCommit(): it did not come to COMMIT",
		}, rec.end())
		requireClean(t, db)
	})
}
