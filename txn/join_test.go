package txn_test

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/rowkeeper/rowkeeper/internal/devdb/dbtest"
	"github.com/rowkeeper/rowkeeper/txn"
)

func TestJoinedCallSharesTheTransaction(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *dbtest.DB) {
		accounts(t, db)
		got, err := txn.RunInTx(t.Context(), db, func(ctx context.Context, tx *txn.Tx) (int, error) {
			if err := write(ctx, tx, 1, 7); err != nil {
				return 0, err
			}
			return txn.RunInTx(ctx, tx, func(ctx context.Context, tx *txn.Tx) (int, error) {
				return read(ctx, tx, 1)
			}, txn.Name("inner"))
		})
		require.NoError(t, err)
		require.Equal(t, 7, got)
	})
}

func TestErrorOfAJoinedCallUndoesThatCallAlone(t *testing.T) {
	mine := errors.New("mine")
	for name, inner := range map[string]func(context.Context, *txn.Tx) error{
		"own error": func(ctx context.Context, tx *txn.Tx) error {
			return errors.Join(write(ctx, tx, 2, 9), mine)
		},
		"database error": func(ctx context.Context, tx *txn.Tx) error {
			return errors.Join(write(ctx, tx, 2, 9), write(ctx, tx, 2, -1), mine)
		},
	} {
		t.Run(name, func(t *testing.T) {
			dbtest.Each(t, func(t *testing.T, db *dbtest.DB) {
				accounts(t, db)
				require.NoError(t, txn.Run(t.Context(), db, func(ctx context.Context, tx *txn.Tx) error {
					if err := write(ctx, tx, 1, 7); err != nil {
						return err
					}
					require.ErrorIs(t, txn.Run(ctx, tx, inner), mine)
					n, err := read(ctx, tx, 1)
					require.Equal(t, 7, n)
					return err
				}))
				require.Equal(t, 7, balance(t, db, 1))
				require.Equal(t, 100, balance(t, db, 2))
			})
		})
	}
}

func TestErrorSwallowedInAJoinedCallComesOut(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *dbtest.DB) {
		accounts(t, db)
		require.NoError(t, txn.Run(t.Context(), db, func(ctx context.Context, tx *txn.Tx) error {
			err := txn.Run(ctx, tx, func(ctx context.Context, tx *txn.Tx) error {
				_ = write(ctx, tx, 2, -1)
				return nil
			}, txn.Name("inner"))
			requireCode(t, err, "23514")
			require.ErrorContains(t, err, "txn inner")
			return write(ctx, tx, 1, 7)
		}))
		require.Equal(t, 7, balance(t, db, 1))
	})
}

func TestConflictInAJoinedCallRestartsTheOutermost(t *testing.T) {
	for name, hide := range map[string]func(error) error{
		"returned":  asIs,
		"masked":    func(err error) error { return fmt.Errorf("inner: %v", err) },
		"swallowed": func(error) error { return nil },
	} {
		t.Run(name, func(t *testing.T) {
			dbtest.Each(t, func(t *testing.T, db *dbtest.DB) {
				accounts(t, db)
				outer, inner := 0, 0
				require.NoError(t, txn.Run(t.Context(), db, func(ctx context.Context, tx *txn.Tx) error {
					outer++
					_, err := txn.RunInTx(ctx, tx, func(ctx context.Context, tx *txn.Tx) (int, error) {
						inner++
						return collide(db, hide)(ctx, tx)
					})
					if err != nil {
						return hide(err)
					}
					return nil
				}))
				require.Equal(t, 2, outer)
				require.Equal(t, 2, inner)
				require.Equal(t, 111, balance(t, db, 1))
			})
		})
	}
}

func TestConflictInAPlainSavepointRestartsToo(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *dbtest.DB) {
		accounts(t, db)
		attempts := 0
		require.NoError(t, txn.Run(t.Context(), db, func(ctx context.Context, tx *txn.Tx) error {
			attempts++
			n, err := read(ctx, tx, 1)
			if err != nil {
				return err
			}
			if attempts == 1 {
				if _, err := db.Exec(ctx, "update accounts set balance = balance + 10 where id = 1"); err != nil {
					return err
				}
			}
			return pgx.BeginFunc(ctx, tx, func(tx pgx.Tx) error { return write(ctx, tx, 1, n+1) })
		}))
		require.Equal(t, 2, attempts)
		require.Equal(t, 111, balance(t, db, 1))
	})
}

// A savepoint of the function undoes the conflict, the function returns the conflict,
// and its caller continues: the function's writes must not stay.
func TestConflictThatASavepointUndidUndoesTheJoinedCall(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *dbtest.DB) {
		if db.Cockroach() {
			t.Skip("no savepoint of CockroachDB's undoes a conflict")
		}
		accounts(t, db)
		require.NoError(t, txn.Run(t.Context(), db, func(ctx context.Context, tx *txn.Tx) error {
			n, err := read(ctx, tx, 1)
			if err != nil {
				return err
			}
			err = txn.Run(ctx, tx, func(ctx context.Context, tx *txn.Tx) error {
				require.NoError(t, write(ctx, tx, 2, 9))
				_, err := db.Exec(ctx, "update accounts set balance = balance + 10 where id = 1")
				require.NoError(t, err)
				return pgx.BeginFunc(ctx, tx, func(tx pgx.Tx) error { return write(ctx, tx, 1, n+1) })
			})
			requireCode(t, err, "40001")
			return nil
		}))
		require.Equal(t, 100, balance(t, db, 2))
		require.Equal(t, 110, balance(t, db, 1))
	})
}

func TestWhatASavepointUndidIsForgotten(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *dbtest.DB) {
		accounts(t, db)
		runs := 0
		require.NoError(t, txn.Run(t.Context(), db, func(ctx context.Context, tx *txn.Tx) error {
			runs++
			sp, err := tx.Begin(ctx)
			if err != nil {
				return err
			}
			requireCode(t, write(ctx, sp, 1, -1), "23514")
			if err := sp.Rollback(ctx); err != nil {
				return err
			}
			require.ErrorIs(t, sp.Rollback(ctx), pgx.ErrTxClosed)
			// The same with explicit SQL.
			for _, sql := range []string{"savepoint mine", "update accounts set balance = -1", "rollback to savepoint mine"} {
				if _, err := tx.Exec(ctx, sql); err != nil {
					requireCode(t, err, "23514")
				}
			}
			return write(ctx, tx, 1, 7)
		}))
		require.Equal(t, 1, runs)
		require.Equal(t, 7, balance(t, db, 1))
	})
}

func TestConflictAfterAnErrorThatASavepointUndid(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *dbtest.DB) {
		accounts(t, db)
		attempts, err := txn.RunInTx(t.Context(), db, func(ctx context.Context, tx *txn.Tx) (int, error) {
			if _, err := tx.Exec(ctx, "savepoint mine"); err != nil {
				return 0, err
			}
			_, err := tx.Exec(ctx, "update accounts set balance = -1 where id = 2")
			requireCode(t, err, "23514")
			if _, err := tx.Exec(ctx, "rollback to savepoint mine"); err != nil {
				return 0, err
			}
			return collide(db, func(err error) error { return fmt.Errorf("hidden: %v", err) })(ctx, tx)
		})
		require.NoError(t, err)
		require.Equal(t, 2, attempts)
		require.Equal(t, 111, balance(t, db, 1))
	})
}

func TestPanicInAJoinedCallUndoesIt(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *dbtest.DB) {
		accounts(t, db)
		require.NoError(t, txn.Run(t.Context(), db, func(ctx context.Context, tx *txn.Tx) error {
			require.Panics(t, func() {
				_ = txn.Run(ctx, tx, func(ctx context.Context, tx *txn.Tx) error {
					require.NoError(t, write(ctx, tx, 2, 9))
					panic("boom")
				})
			})
			return write(ctx, tx, 1, 7)
		}))
		require.Equal(t, 7, balance(t, db, 1))
		require.Equal(t, 100, balance(t, db, 2))
	})
}

func TestJoinsATransactionOfPgx(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *dbtest.DB) {
		accounts(t, db)
		ctx := t.Context()
		tx, err := db.BeginTx(ctx, pgx.TxOptions{IsoLevel: pgx.Serializable})
		require.NoError(t, err)
		defer tx.Rollback(ctx)
		var leaked *txn.Tx
		require.NoError(t, txn.Run(ctx, tx, func(ctx context.Context, tx *txn.Tx) error {
			leaked = tx
			return write(ctx, tx, 1, 7)
		}))
		_, err = leaked.Exec(ctx, "select 1")
		require.ErrorIs(t, err, pgx.ErrTxClosed)
		mine := errors.New("mine")
		require.Same(t, mine, txn.Run(ctx, tx, func(ctx context.Context, tx *txn.Tx) error {
			require.NoError(t, write(ctx, tx, 2, 7))
			return mine
		}))
		require.NoError(t, tx.Commit(ctx))
		require.Equal(t, 7, balance(t, db, 1))
		require.Equal(t, 100, balance(t, db, 2))
	})
}

func TestConflictInAJoinedTransactionOfPgxComesOut(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *dbtest.DB) {
		accounts(t, db)
		ctx := t.Context()
		tx, err := db.BeginTx(ctx, pgx.TxOptions{IsoLevel: pgx.Serializable})
		require.NoError(t, err)
		defer tx.Rollback(ctx)
		_, err = txn.RunInTx(ctx, tx, collide(db, func(err error) error { return fmt.Errorf("hidden: %v", err) }))
		requireCode(t, err, "40001")
		require.ErrorContains(t, err, "hidden")
	})
}

func TestOptionsOfAJoinedCallAreRefused(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *dbtest.DB) {
		require.NoError(t, txn.Run(t.Context(), db, func(ctx context.Context, tx *txn.Tx) error {
			never := func(context.Context, *txn.Tx) error { t.Error("ran"); return nil }
			for _, o := range []txn.Option{txn.ReadOnly(), txn.MaxAttempts(2), txn.Isolation(pgx.Serializable)} {
				require.ErrorContains(t, txn.Run(ctx, tx, never, o), "joins a running transaction")
				require.ErrorContains(t, txn.Run(ctx, txn.New(tx, o), never), "joins a running transaction")
				_, err := txn.New(tx, o).Begin(ctx)
				require.ErrorContains(t, err, "joins a running transaction")
			}
			return nil
		}))
	})
}
