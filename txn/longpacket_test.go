package txn_test

import (
	"context"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	"github.com/rowkeeper/rowkeeper/internal/devdb/dbtest"
	"github.com/rowkeeper/rowkeeper/txn"
)

// A packet and its answers are longer than all buffers between client and server, so
// that neither end can write all of its part before it reads.
func TestPacketsLongerThanTheBuffers(t *testing.T) {
	eachMode(t, func(t *testing.T, db *dbtest.DB, pool *pgxpool.Pool) {
		long := strings.Repeat("x", 32<<10)
		const statements = 400
		queue := func(tx *txn.Tx) {
			for range statements {
				tx.Queue("select $1::text || repeat('y', 32768)", long)
			}
			tx.Queue(setBalance, 1, 7)
		}
		require.NoError(t, txn.Run(t.Context(), pool, func(ctx context.Context, tx *txn.Tx) error {
			queue(tx)
			return nil // with COMMIT
		}))
		require.Equal(t, 7, balance(t, db, 1))

		got, err := txn.RunInTx(t.Context(), pool, func(ctx context.Context, tx *txn.Tx) (got string, err error) {
			queue(tx)
			err = tx.QueryRow(ctx, "select repeat($1::text, 2)", long).Scan(&got) // with an answer
			return got, err
		})
		require.NoError(t, err)
		require.Equal(t, long+long, got)

		err = txn.Run(t.Context(), pool, func(ctx context.Context, tx *txn.Tx) error {
			tx.Queue("select 1 / (0 * length($1::text))", long)
			queue(tx)
			return nil
		})
		require.ErrorAs(t, err, new(*txn.QueuedError))
		require.Equal(t, rolledBack, claimOf(err))
		requireGivenBack(t, pool)
	})
}
