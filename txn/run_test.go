package txn_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"sync"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/stretchr/testify/require"

	"github.com/rowkeeper/rowkeeper/internal/devdb/dbtest"
	"github.com/rowkeeper/rowkeeper/txn"
)

func TestCommitsAndReturnsTheResult(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *dbtest.DB) {
		accounts(t, db)
		got, err := txn.RunInTx(t.Context(), db, func(ctx context.Context, tx *txn.Tx) (string, error) {
			return "done", write(ctx, tx, 1, 7)
		})
		require.NoError(t, err)
		require.Equal(t, "done", got)
		require.Equal(t, 7, balance(t, db, 1))
	})
}

func TestRunsSerializableUnlessTold(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *dbtest.DB) {
		level := func(opts ...txn.Option) (got string) {
			require.NoError(t, txn.Run(t.Context(), db, func(ctx context.Context, tx *txn.Tx) error {
				return tx.QueryRow(ctx, "show transaction_isolation").Scan(&got)
			}, opts...))
			return got
		}
		require.Equal(t, "serializable", level())
		if !db.Cockroach() {
			require.Equal(t, "read committed", level(txn.Isolation(pgx.ReadCommitted)))
			require.Equal(t, "repeatable read", level(txn.Isolation(pgx.RepeatableRead)))
		}
		err := txn.Run(t.Context(), db, func(ctx context.Context, tx *txn.Tx) error {
			_, err := tx.Exec(ctx, "create table x (id int)")
			return err
		}, txn.ReadOnly())
		requireCode(t, err, "25006")
	})
}

func requireCode(t *testing.T, err error, code string) {
	t.Helper()
	require.Equal(t, code, serverError(t, err).Code)
}

func serverError(t *testing.T, err error) *pgconn.PgError {
	t.Helper()
	var pe *pgconn.PgError
	require.ErrorAs(t, err, &pe)
	return pe
}

func TestErrorRollsBackAndIsReturnedAsItIs(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *dbtest.DB) {
		accounts(t, db)
		mine := errors.New("mine")
		got, err := txn.RunInTx(t.Context(), db, func(ctx context.Context, tx *txn.Tx) (int, error) {
			require.NoError(t, write(ctx, tx, 1, 7))
			return 42, mine
		})
		require.Same(t, mine, err)
		require.Zero(t, got)
		require.Equal(t, 100, balance(t, db, 1))
	})
}

func TestPanicAndGoexitRollBack(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *dbtest.DB) {
		accounts(t, db)
		require.PanicsWithValue(t, "boom", func() {
			_ = txn.Run(t.Context(), db, func(ctx context.Context, tx *txn.Tx) error {
				require.NoError(t, write(ctx, tx, 1, 7))
				rows, err := tx.Query(ctx, "select balance from accounts")
				require.NoError(t, err)
				rows.Next()
				panic("boom")
			})
		})
		var wg sync.WaitGroup
		wg.Go(func() {
			_ = txn.Run(t.Context(), db, func(ctx context.Context, tx *txn.Tx) error {
				if err := write(ctx, tx, 2, 7); err != nil {
					return err
				}
				runtime.Goexit()
				return nil
			})
		})
		wg.Wait()
		require.Equal(t, 100, balance(t, db, 1))
		require.Equal(t, 100, balance(t, db, 2))
		require.EqualValues(t, 1, db.Stat().NewConnsCount(), "the connection is as good as before")
	})
}

func TestNoUpdateIsLost(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *dbtest.DB) {
		accounts(t, db)
		const workers, each = 4, 10
		var wg sync.WaitGroup
		for range workers {
			wg.Go(func() {
				for range each {
					err := txn.Run(t.Context(), db, func(ctx context.Context, tx *txn.Tx) error {
						n, err := read(ctx, tx, 1)
						if err != nil {
							return err
						}
						return write(ctx, tx, 1, n+1)
					})
					if err != nil {
						t.Error(err)
					}
				}
			})
		}
		wg.Wait()
		require.Equal(t, 100+workers*each, balance(t, db, 1))
	})
}

func TestConflictIsRetriedHoweverTheFunctionTreatsIt(t *testing.T) {
	for name, handle := range map[string]func(error) error{
		"returned":  asIs,
		"wrapped":   func(err error) error { return fmt.Errorf("write: %w", err) },
		"masked":    func(err error) error { return fmt.Errorf("write: %v", err) },
		"replaced":  func(error) error { return errors.New("out of luck") },
		"swallowed": func(error) error { return nil },
	} {
		t.Run(name, func(t *testing.T) {
			dbtest.Each(t, func(t *testing.T, db *dbtest.DB) {
				accounts(t, db)
				attempts, err := txn.RunInTx(t.Context(), db, collide(db, handle))
				require.NoError(t, err)
				require.Equal(t, 2, attempts)
				require.Equal(t, 111, balance(t, db, 1))
			})
		})
	}
}

func TestConflictAtCommitIsRetried(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *dbtest.DB) {
		accounts(t, db)
		// Write skew: each reads both rows and then empties one of them.
		sum := func(ctx context.Context, tx *txn.Tx) (int, error) {
			one, err := read(ctx, tx, 1)
			if err != nil {
				return 0, err
			}
			two, err := read(ctx, tx, 2)
			return one + two, err
		}
		other := func(ctx context.Context) error {
			return txn.Run(ctx, db, func(ctx context.Context, tx *txn.Tx) error {
				if _, err := sum(ctx, tx); err != nil {
					return err
				}
				return write(ctx, tx, 2, 0)
			}, txn.RequiresNew())
		}
		returned := 0
		attempts, err := txn.RunInTx(t.Context(), db, func(ctx context.Context, tx *txn.Tx) (int, error) {
			n, err := sum(ctx, tx)
			if err != nil {
				return 0, err
			}
			if n == 200 {
				// On CockroachDB the other one would wait for a row that is written.
				steps := []func() error{
					func() error { return write(ctx, tx, 1, 0) },
					func() error { return other(ctx) },
				}
				if db.Cockroach() {
					slices.Reverse(steps)
				}
				for _, step := range steps {
					if err := step(); err != nil {
						return 0, err
					}
				}
			}
			returned++
			return tx.Attempt(), nil
		})
		require.NoError(t, err)
		require.Equal(t, 2, attempts)
		require.Equal(t, 2, returned, "the first conflict came with COMMIT")
		require.Equal(t, 100, balance(t, db, 1))
		require.Equal(t, 0, balance(t, db, 2))
	})
}

func TestDeadlockIsRetried(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *dbtest.DB) {
		accounts(t, db)
		var barrier sync.WaitGroup
		barrier.Add(2)
		move := func(from, to int) error {
			return txn.Run(t.Context(), db, func(ctx context.Context, tx *txn.Tx) error {
				if _, err := tx.Exec(ctx, "update accounts set balance = balance - 1 where id = $1", from); err != nil {
					return err
				}
				if tx.Attempt() == 1 {
					barrier.Done()
					barrier.Wait()
				}
				_, err := tx.Exec(ctx, "update accounts set balance = balance + 1 where id = $1", to)
				return err
			}, txn.Isolation(pgx.ReadCommitted))
		}
		var wg sync.WaitGroup
		var errs [2]error
		wg.Go(func() { errs[0] = move(1, 2) })
		wg.Go(func() { errs[1] = move(2, 1) })
		wg.Wait()
		require.NoError(t, errors.Join(errs[:]...))
		require.Equal(t, 100, balance(t, db, 1))
	})
}

func TestCompletionUnknownInTheBodyIsRetried(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *dbtest.DB) {
		if !db.Cockroach() {
			t.Skip("40003 is CockroachDB's")
		}
		attempts, err := txn.RunInTx(t.Context(), db, func(ctx context.Context, tx *txn.Tx) (int, error) {
			if tx.Attempt() == 1 {
				_, err := tx.Exec(ctx, "select crdb_internal.force_error('40003', 'result is ambiguous')")
				return 0, err
			}
			return tx.Attempt(), nil
		})
		require.NoError(t, err)
		require.Equal(t, 2, attempts)
	})
}

func TestSwallowedErrorIsTheCallsError(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *dbtest.DB) {
		accounts(t, db)
		runs := 0
		got, err := txn.RunInTx(t.Context(), db, func(ctx context.Context, tx *txn.Tx) (string, error) {
			runs++
			_, _ = tx.Exec(ctx, "insert into accounts values (3, 1)")
			_, _ = tx.Exec(ctx, "insert into accounts values (1, 1)") // 23505
			_, _ = tx.Exec(ctx, "insert into accounts values (4, 1)") // 25P02
			return "fine", nil
		})
		requireCode(t, err, "23505")
		require.Empty(t, got)
		require.Equal(t, 1, runs)
		require.Equal(t, 2, rowsIn(t, db))
	})
}

func TestConflictOfAnotherConnectionIsNotOurs(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *dbtest.DB) {
		accounts(t, db)
		foreign := &pgconn.PgError{Code: "40001", Message: "of another database"}
		runs := 0
		err := txn.Run(t.Context(), db, func(ctx context.Context, tx *txn.Tx) error {
			runs++
			_, err := read(ctx, tx, 1)
			return errors.Join(err, foreign)
		})
		require.ErrorIs(t, err, foreign)
		require.ErrorContains(t, err, "txn: rolled back, because the function returned a conflict of another connection")
		require.Equal(t, 1, runs)
	})
}
