package txntest_test

import (
	"context"
	"net/url"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rowkeeper/rowkeeper/internal/devdb/dbtest"
	"github.com/rowkeeper/rowkeeper/txn"
	"github.com/rowkeeper/rowkeeper/txn/txntest"
)

// inSchema returns the connection string of db with its schema.
func inSchema(t testing.TB, db *dbtest.DB) string {
	t.Helper()
	u, err := url.Parse(db.URL)
	require.NoError(t, err)
	q := u.Query()
	q.Set("search_path", db.Schema)
	u.RawQuery = q.Encode()
	return u.String()
}

func TestPoolFailsTheTestForWhatGoesPastATransaction(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *dbtest.DB) {
		accounts(t, db)
		r := &recorder{}
		pool := txntest.Pool(r, inSchema(t, db))
		careless := func(d txn.DB) error {
			return txn.Run(t.Context(), d, func(ctx context.Context, tx *txn.Tx) error {
				var balance int
				if err := pool.QueryRow(ctx, "select balance from accounts where id = 1").Scan(&balance); err != nil {
					return err
				}
				return add(ctx, tx, 2, balance)
			}, txn.Name("move"))
		}
		require.NoError(t, careless(pool))
		require.NoError(t, careless(txn.New(pool)))
		require.NoError(t, careless(txntest.New(t, pool, txntest.ConflictAtCommit())), "a wrapper, before it has begun")
		require.Len(t, r.errors, 4, "twice in the function that ran again")
		for _, text := range r.errors {
			require.Contains(t, text, `txntest: txn move: "select balance from accounts where id = 1" goes past the transaction of this call: inside its function use the *txn.Tx`)
		}
		requireBalances(t, db, 100, 400)

		r.errors = nil
		for _, d := range []txn.DB{pool, txntest.New(t, pool, txntest.ConflictAt(2)), txntest.Rerun(t, pool)} {
			_, err := move(t.Context(), d, 10)
			require.NoError(t, err)
		}
		require.NoError(t, txn.Run(t.Context(), pool, func(ctx context.Context, tx *txn.Tx) error {
			_, err := pool.Exec(t.Context(), "update accounts set balance = 0 where id = 1") // somebody else's part
			return err
		}))
		require.Empty(t, r.end(), "and the pool is closed")
		require.ErrorContains(t, pool.Ping(t.Context()), "closed pool")
	})
}

func TestPoolRefusesAStringThatMakesNoSense(t *testing.T) {
	t.Parallel()
	require.Contains(t, fatalOf(func(t testing.TB) { txntest.Pool(t, "postgres://host:port") }), "txntest.Pool: ")
}
