package txn_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rowkeeper/rowkeeper/internal/devdb/dbtest"
	"github.com/rowkeeper/rowkeeper/txn"
)

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
