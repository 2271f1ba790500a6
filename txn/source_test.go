package txn_test

import (
	"context"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	"github.com/rowkeeper/rowkeeper/internal/devdb/dbtest"
	"github.com/rowkeeper/rowkeeper/txn"
)

type embedsPool struct{ *pgxpool.Pool }

// wrapper is a database that exposes only Begin and BeginTx, as a mock does.
type wrapper struct{ pool *pgxpool.Pool }

func (w wrapper) Begin(ctx context.Context) (pgx.Tx, error) { return w.pool.Begin(ctx) }
func (w wrapper) BeginTx(ctx context.Context, o pgx.TxOptions) (pgx.Tx, error) {
	tx, err := w.pool.BeginTx(ctx, o)
	return hiddenConn{tx}, err
}

type hiddenConn struct{ pgx.Tx }

func (hiddenConn) Conn() *pgx.Conn { return nil }

// openWrapper exposes the connection, which Commit and Rollback give back.
type openWrapper struct{ wrapper }

func (w openWrapper) BeginTx(ctx context.Context, o pgx.TxOptions) (pgx.Tx, error) {
	return w.pool.BeginTx(ctx, o)
}

type onlyAcquire struct{ onlyBegin }

func (onlyAcquire) Acquire(context.Context) (*pgxpool.Conn, error) { panic("not to be called") }

type onlyBegin struct{}

func (onlyBegin) Begin(context.Context) (pgx.Tx, error) { panic("not to be called") }

func TestEveryKindOfDatabase(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *dbtest.DB) {
		accounts(t, db)
		pooled, err := db.Acquire(t.Context())
		require.NoError(t, err)
		defer pooled.Release()
		single, err := db.Acquire(t.Context())
		require.NoError(t, err)
		defer single.Release()
		want := 111
		for name, d := range map[string]txn.DB{
			"pool":             db.Pool,
			"struct with pool": embedsPool{db.Pool},
			"pool connection":  pooled,
			"connection":       single.Conn(),
			"runner":           txn.New(db, txn.Name("r")),
			"runner of runner": txn.New(txn.New(db)),
			"wrapper":          wrapper{db.Pool},
			"open wrapper":     openWrapper{wrapper{db.Pool}},
		} {
			for hidden, handle := range map[string]func(error) error{"returned": asIs, "swallowed": func(error) error { return nil }} {
				attempts, err := txn.RunInTx(t.Context(), d, collide(db, handle))
				require.NoError(t, err, "%s, %s", name, hidden)
				require.Equal(t, 2, attempts, "%s, %s", name, hidden)
				require.Equal(t, want, balance(t, db, 1), "%s, %s", name, hidden)
				want += 11
			}
		}
	})
}

func TestWrapperForgetsWhatASavepointUndid(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *dbtest.DB) {
		accounts(t, db)
		require.NoError(t, txn.Run(t.Context(), wrapper{db.Pool}, func(ctx context.Context, tx *txn.Tx) error {
			err := txn.Run(ctx, tx, func(ctx context.Context, tx *txn.Tx) error { return write(ctx, tx, 1, -1) })
			requireCode(t, err, "23514")
			return write(ctx, tx, 2, 7)
		}))
		require.Equal(t, 7, balance(t, db, 2))
	})
}

func TestUnusableDatabasesAreRefused(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		db   txn.DB
		want string
	}{
		"nil":          {nil, "the database is nil"},
		"nil pool":     {(*pgxpool.Pool)(nil), "the database is nil"},
		"nil runner":   {(*txn.Runner)(nil), "the database is nil"},
		"nil Tx":       {(*txn.Tx)(nil), "the database is nil"},
		"no BeginTx":   {onlyBegin{}, "txn_test.onlyBegin has no method BeginTx"},
		"runner of it": {txn.New(onlyBegin{}), "txn_test.onlyBegin has no method BeginTx"},
	} {
		err := txn.Run(t.Context(), test.db, func(context.Context, *txn.Tx) error { t.Error("ran"); return nil })
		require.ErrorContains(t, err, test.want, name)
	}
	_, err := txn.New(nil).Begin(t.Context())
	require.ErrorContains(t, err, "the database is nil")
	_, err = (*txn.Runner)(nil).Begin(t.Context())
	require.ErrorContains(t, err, "the database is nil")
	_, err = new(txn.Runner).Begin(t.Context())
	require.ErrorContains(t, err, "the database is nil")
	require.ErrorContains(t, txn.Run(t.Context(), new(txn.Runner), func(context.Context, *txn.Tx) error { return nil }), "the database is nil")
	_, err = txn.New(onlyAcquire{}).Begin(t.Context())
	require.ErrorContains(t, err, "has no method BeginTx")
}

func TestConnectionInATransactionIsRefused(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *dbtest.DB) {
		ctx := t.Context()
		conn, err := db.Acquire(ctx)
		require.NoError(t, err)
		defer conn.Release()
		tx, err := conn.Begin(ctx)
		require.NoError(t, err)
		defer tx.Rollback(ctx)
		err = txn.Run(ctx, conn, func(context.Context, *txn.Tx) error { t.Error("ran"); return nil })
		require.ErrorContains(t, err, "in a transaction already")
	})
}

func TestRunnerBegins(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *dbtest.DB) {
		accounts(t, db)
		ctx := t.Context()
		tx, err := txn.New(db, txn.ReadOnly()).Begin(ctx)
		require.NoError(t, err)
		defer tx.Rollback(ctx)
		var level string
		require.NoError(t, tx.QueryRow(ctx, "show transaction_isolation").Scan(&level))
		require.Equal(t, "serializable", level)
		requireCode(t, write(ctx, tx, 1, 7), "25006")
		require.NoError(t, tx.Rollback(ctx))

		require.NoError(t, txn.Run(ctx, db, func(ctx context.Context, tx *txn.Tx) error {
			sp, err := txn.New(tx).Begin(ctx)
			require.NoError(t, err)
			require.NoError(t, write(ctx, sp, 1, 7))
			return sp.Rollback(ctx)
		}))
		require.Equal(t, 100, balance(t, db, 1))
	})
}
