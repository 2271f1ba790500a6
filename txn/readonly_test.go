package txn_test

import (
	"context"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	"github.com/rowkeeper/rowkeeper/errs"
	"github.com/rowkeeper/rowkeeper/internal/devdb/dbtest"
	"github.com/rowkeeper/rowkeeper/txn"
)

// requireStatus requires an error of a read-only transaction, and the response to it.
func requireStatus(t *testing.T, status int, err error, what string) {
	t.Helper()
	requireCode(t, err, "25006")
	var e *errs.Error
	require.ErrorAs(t, errs.NewCatalog().Translate(err), &e)
	require.Equal(t, status, e.Status(), "%s: %v", what, err)
}

// forbiddenWrites are functions that write although they must not.
var forbiddenWrites = map[string]func(ctx context.Context, tx *txn.Tx) error{
	"first statement": func(ctx context.Context, tx *txn.Tx) error { return write(ctx, tx, 1, 7) },
	"a later statement": func(ctx context.Context, tx *txn.Tx) error {
		if _, err := read(ctx, tx, 1); err != nil {
			return err
		}
		return write(ctx, tx, 1, 7)
	},
	"query": func(ctx context.Context, tx *txn.Tx) error {
		return tx.QueryRow(ctx, "update accounts set balance = 7 where id = 1 returning id").Scan(new(int))
	},
	"ignored": func(ctx context.Context, tx *txn.Tx) error { _ = write(ctx, tx, 1, 7); return nil },
	"undone by a savepoint": func(ctx context.Context, tx *txn.Tx) error {
		return pgx.BeginFunc(ctx, tx, func(tx pgx.Tx) error { return write(ctx, tx, 1, 7) })
	},
	"joined call": func(ctx context.Context, tx *txn.Tx) error {
		return txn.Run(ctx, tx, func(ctx context.Context, tx *txn.Tx) error { return write(ctx, tx, 1, 7) })
	},
	"queued": func(ctx context.Context, tx *txn.Tx) error { tx.Queue(setBalance, 1, 7); return nil },
	"queued behind a read": func(ctx context.Context, tx *txn.Tx) error {
		_, err := read(ctx, tx, 1)
		tx.Queue(setBalance, 1, 7)
		return err
	},
	"batch": func(ctx context.Context, tx *txn.Tx) error {
		var b pgx.Batch
		b.Queue(setBalance, 1, 7)
		return tx.SendBatch(ctx, &b).Close()
	},
}

// A write in a call with ReadOnly is a fault of the service, whatever the server is.
func TestReadOnlyRefusesWrites(t *testing.T) {
	eachMode(t, func(t *testing.T, db *dbtest.DB, pool *pgxpool.Pool) {
		for name, write := range forbiddenWrites {
			for _, d := range []txn.DB{pool, wrapper{pool}} {
				err := txn.Run(t.Context(), d, write, txn.ReadOnly(), txn.Name("report"))
				requireStatus(t, 500, err, name)
				require.ErrorContains(t, err, "txn report: the call is ReadOnly", name)
			}
		}
		require.Equal(t, 100, balance(t, db, 1))
		requireClean(t, pool)
	})
}

// A session that is read-only by itself may be at the wrong server: later it may be at
// another one.
func TestSessionThatIsReadOnly(t *testing.T) {
	eachMode(t, func(t *testing.T, db *dbtest.DB, pool *pgxpool.Pool) {
		readOnly := poolLike(t, db, pool, func(c *pgxpool.Config) {
			c.ConnConfig.RuntimeParams["default_transaction_read_only"] = "on"
		})
		for name, write := range forbiddenWrites {
			requireStatus(t, 503, txn.Run(t.Context(), readOnly, write), name)
		}
	})
}

// The database of another pool may be a standby, whatever this call is.
func TestReadOnlyAndTheErrorOfAnotherConnection(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *dbtest.DB) {
		accounts(t, db)
		other, err := db.BeginTx(t.Context(), pgx.TxOptions{AccessMode: pgx.ReadOnly})
		require.NoError(t, err)
		foreign := write(t.Context(), other, 1, 7)
		require.NoError(t, other.Rollback(t.Context()))
		requireCode(t, foreign, "25006")
		for _, writes := range []bool{false, true} {
			err := txn.Run(t.Context(), db, func(ctx context.Context, tx *txn.Tx) error {
				if writes {
					_ = write(ctx, tx, 1, 7)
				}
				return foreign
			}, txn.ReadOnly())
			require.Same(t, foreign, err)
		}
	})
}
