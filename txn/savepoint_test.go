package txn_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	"github.com/rowkeeper/rowkeeper/internal/devdb/dbtest"
	"github.com/rowkeeper/rowkeeper/txn"
)

// savepointPrograms are uses of savepoints. Each records the results that it gets.
var savepointPrograms = map[string]func(ctx context.Context, tx pgx.Tx, note func(step string, err error)){
	"Commit of a savepoint whose statement failed": func(ctx context.Context, tx pgx.Tx, note func(string, error)) {
		sp, err := tx.Begin(ctx)
		note("begin", err)
		note("write", write(ctx, sp, 1, 7))
		note("fail", write(ctx, sp, 1, -1))
		note("commit", sp.Commit(ctx))
		note("commit again", sp.Commit(ctx))
		note("write on it", write(ctx, sp, 2, 8))
		note("write", write(ctx, tx, 2, 8))
	},
	"Commit of a savepoint that failed first": func(ctx context.Context, tx pgx.Tx, note func(string, error)) {
		sp, err := tx.Begin(ctx)
		note("begin", err)
		note("fail", write(ctx, sp, 1, -1))
		note("commit", sp.Commit(ctx))
		note("begin", errOf(tx.Begin(ctx)))
	},
	"Begin in a failed transaction": func(ctx context.Context, tx pgx.Tx, note func(string, error)) {
		note("fail", write(ctx, tx, 1, -1))
		note("begin", errOf(tx.Begin(ctx)))
		note("begin", pgx.BeginFunc(ctx, tx, func(pgx.Tx) error { panic("run") }))
	},
	"Commit of the inner one, Rollback of the outer one": func(ctx context.Context, tx pgx.Tx, note func(string, error)) {
		outer, err := tx.Begin(ctx)
		note("begin", err)
		note("write", write(ctx, outer, 1, 7))
		inner, err := outer.Begin(ctx)
		note("begin", err)
		note("fail", write(ctx, inner, 1, -1))
		note("commit", inner.Commit(ctx))
		note("commit", outer.Commit(ctx))
	},
	"the same, and on": func(ctx context.Context, tx pgx.Tx, note func(string, error)) {
		outer, err := tx.Begin(ctx)
		note("begin", err)
		note("write", write(ctx, outer, 1, 7))
		inner, err := outer.Begin(ctx)
		note("begin", err)
		note("fail", write(ctx, inner, 1, -1))
		note("commit", inner.Commit(ctx))
		note("rollback", outer.Rollback(ctx))
		note("rollback again", outer.Rollback(ctx))
		note("write", write(ctx, tx, 2, 8))
	},
	"Rollback of a savepoint whose statement failed": func(ctx context.Context, tx pgx.Tx, note func(string, error)) {
		note("begin func", pgx.BeginFunc(ctx, tx, func(sp pgx.Tx) error { return errors.Join(write(ctx, sp, 1, 7), write(ctx, sp, 1, -1)) }))
		note("write", write(ctx, tx, 2, 8))
	},
	"savepoints that nothing fails in": func(ctx context.Context, tx pgx.Tx, note func(string, error)) {
		note("begin func", pgx.BeginFunc(ctx, tx, func(sp pgx.Tx) error {
			note("inner", pgx.BeginFunc(ctx, sp, func(sp pgx.Tx) error { return write(ctx, sp, 1, 7) }))
			return write(ctx, sp, 2, 8)
		}))
		sp, err := tx.Begin(ctx)
		note("begin", err)
		note("commit", sp.Commit(ctx))
		note("commit again", sp.Commit(ctx))
		note("rollback", sp.Rollback(ctx))
	},
}

func errOf[T any](_ T, err error) error { return err }

// A function with savepoints gets the same results on a Tx as on pgx's own transaction,
// and leaves the same data.
func TestSavepointsAsInPgx(t *testing.T) {
	eachMode(t, func(t *testing.T, db *dbtest.DB, pool *pgxpool.Pool) {
		for name, program := range savepointPrograms {
			run := func(begin func(f func(tx pgx.Tx) error) error) (told []string) {
				_, err := db.Exec(t.Context(), "update accounts set balance = 100")
				require.NoError(t, err)
				err = begin(func(tx pgx.Tx) error {
					told = nil
					program(t.Context(), tx, func(step string, err error) { told = append(told, step+": "+brief(err)) })
					return nil
				})
				return append(told, fmt.Sprint("committed: ", err == nil), fmt.Sprint(balance(t, db, 1), balance(t, db, 2)))
			}
			want := run(func(f func(pgx.Tx) error) error { return pgx.BeginFunc(t.Context(), pool, f) })
			for kind, d := range map[string]txn.DB{"pool": pool, "wrapper": openWrapper{wrapper{pool}}, "hidden": wrapper{pool}} {
				got := run(func(f func(pgx.Tx) error) error {
					return txn.Run(t.Context(), d, func(_ context.Context, tx *txn.Tx) error { return f(tx) })
				})
				require.Equal(t, want, got, "%s, %s", name, kind)
			}
			got := run(func(f func(pgx.Tx) error) error {
				return pgx.BeginFunc(t.Context(), pool, func(tx pgx.Tx) error {
					return txn.Run(t.Context(), tx, func(_ context.Context, tx *txn.Tx) error { return f(tx) })
				})
			})
			require.Equal(t, want, got, "%s, joined", name)
		}
		requireClean(t, pool)
	})
}

// brief returns the part of an error that is the same on pgx's transaction and on Tx.
func brief(err error) string {
	var pe *pgconn.PgError
	switch {
	case err == nil:
		return "ok"
	case errors.As(err, &pe):
		return pe.Code
	case errors.Is(err, pgx.ErrTxClosed):
		return "closed"
	}
	return err.Error()
}

// If Commit of a savepoint fails, the deferred Rollback of pgx.BeginFunc undoes it, and
// the transaction continues.
func TestCommitOfASavepointThatFailsCanBeUndone(t *testing.T) {
	eachMode(t, func(t *testing.T, db *dbtest.DB, pool *pgxpool.Pool) {
		fails := map[string]struct {
			f    func(ctx context.Context, sp pgx.Tx)
			code string
		}{
			"swallowed": {func(ctx context.Context, sp pgx.Tx) { _ = write(ctx, sp, 1, -1) }, "25P02"},
			"queued":    {func(ctx context.Context, sp pgx.Tx) { sp.(*txn.Tx).Queue(setBalance, 1, -1) }, "23514"},
			"queued behind": {func(ctx context.Context, sp pgx.Tx) {
				sp.(*txn.Tx).Queue(setBalance, 1, 9)
				sp.(*txn.Tx).Queue("insert into accounts values ($1, 1)", 1)
			}, "23505"},
		}
		for name, test := range fails {
			for _, first := range []bool{true, false} {
				outer := func(ctx context.Context, tx *txn.Tx) error {
					tx.Queue(setBalance, 2, 6)
					if !first {
						require.NoError(t, write(ctx, tx, 2, 7))
					}
					err := pgx.BeginFunc(ctx, tx, func(sp pgx.Tx) error {
						require.NoError(t, write(ctx, sp, 1, 8))
						test.f(ctx, sp)
						return nil
					})
					requireCode(t, err, test.code)
					n, err := read(ctx, tx, 1)
					require.NoError(t, err, name)
					require.Equal(t, 100, n)
					return write(ctx, tx, 2, 9)
				}
				for _, d := range []txn.DB{pool, openWrapper{wrapper{pool}}, wrapper{pool}} {
					require.NoError(t, txn.Run(t.Context(), d, outer), name)
					require.Equal(t, 9, balance(t, db, 2))
				}
				require.NoError(t, pgx.BeginFunc(t.Context(), pool, func(tx pgx.Tx) error { return txn.Run(t.Context(), tx, outer) }))
			}
		}
		require.Equal(t, 100, balance(t, db, 1))
		requireClean(t, pool)
	})
}

// A savepoint cannot undo a conflict: it reaches the call, whatever the function and
// the savepoint did with it.
func TestConflictBehindCommitOfASavepoint(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *dbtest.DB) {
		accounts(t, db)
		var codes []string
		attempts, err := txn.RunInTx(t.Context(), db, func(ctx context.Context, tx *txn.Tx) (int, error) {
			n, err := read(ctx, tx, 1)
			if err != nil {
				return 0, err
			}
			if tx.Attempt() == 1 {
				_, err := db.Exec(ctx, "update accounts set balance = balance + 10 where id = 1")
				require.NoError(t, err)
			}
			err = pgx.BeginFunc(ctx, tx, func(sp pgx.Tx) error {
				_ = write(ctx, sp, 1, n+1)
				return nil
			})
			codes = append(codes, brief(err))
			return tx.Attempt(), err
		})
		require.NoError(t, err)
		require.Equal(t, 2, attempts)
		require.Equal(t, 111, balance(t, db, 1))
		require.True(t, slices.Equal(codes, []string{"25P02", "ok"}) || db.Cockroach(), "%v", codes)
	})
}
