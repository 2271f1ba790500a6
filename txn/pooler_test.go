package txn_test

import (
	"context"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	"github.com/rowkeeper/rowkeeper/internal/devdb"
	"github.com/rowkeeper/rowkeeper/internal/devdb/dbtest"
	"github.com/rowkeeper/rowkeeper/txn"
)

// eachPooler runs f behind a PgBouncer that separates the prepared statements of its
// clients, and behind one that does not, with settings, on every engine.
func eachPooler(t *testing.T, settings map[string]string, f func(t *testing.T, db *dbtest.DB, p *devdb.Pooler)) {
	for name, most := range map[string]string{"statements unknown": "0", "statements known": "100"} {
		t.Run(name, func(t *testing.T) {
			dbtest.Each(t, func(t *testing.T, db *dbtest.DB) {
				c := devdb.PoolerConfig{Settings: map[string]string{}}
				for key, value := range settings {
					c.Settings[key] = value
				}
				if devdb.PoolerKnowsStatements() {
					c.Settings["max_prepared_statements"] = most
				} else if most != "0" {
					t.Skip("this PgBouncer has no max_prepared_statements")
				}
				f(t, db, dbtest.Pooler(t, db, c))
			})
		})
	}
}

// behind returns a pool of one connection to a pooler.
func behind(t testing.TB, db *dbtest.DB, p *devdb.Pooler, change ...func(*pgxpool.Config)) *pgxpool.Pool {
	t.Helper()
	through := *db
	through.URL = p.URL
	return poolWith(t, &through, func(c *pgxpool.Config) {
		for _, f := range change {
			f(c)
		}
	})
}

// changing is for a pooler of two sessions: each call of change makes it use the other
// one.
func changing(t testing.TB, db *dbtest.DB, p *devdb.Pooler) (change func()) {
	t.Helper()
	pools := []*pgxpool.Pool{behind(t, db, p), behind(t, db, p)}
	var held pgx.Tx
	release := func() {
		if held != nil {
			require.NoError(t, held.Rollback(context.Background()))
		}
	}
	t.Cleanup(release)
	return func() {
		tx, err := pools[0].Begin(t.Context())
		require.NoError(t, err)
		release()
		held, pools[0], pools[1] = tx, pools[1], pools[0]
	}
}

// A session in which another client prepared its statements executes none of them in
// place of this client's.
func TestStatementIsNotTakenForAnotherClients(t *testing.T) {
	eachPooler(t, map[string]string{"default_pool_size": "2"}, func(t *testing.T, db *dbtest.DB, p *devdb.Pooler) {
		accounts(t, db)
		update := func(pool *pgxpool.Pool) {
			require.NoError(t, txn.Run(t.Context(), pool, func(ctx context.Context, tx *txn.Tx) error {
				tx.Queue("update accounts set balance = balance + $2 where id = $1", 1, 1)
				return nil
			}))
		}
		a, b := behind(t, db, p), behind(t, db, p)
		change := changing(t, db, p)
		change()
		update(a) // prepares in one session
		change()
		require.NoError(t, txn.Run(t.Context(), b, func(ctx context.Context, tx *txn.Tx) error {
			tx.Queue("delete from accounts where id = $1 and balance >= $2", 2, 1)
			return nil
		})) // prepares in the other
		update(a) // in that one
		require.Equal(t, 102, balance(t, db, 1))
		require.Equal(t, 1, rowsIn(t, db), "and only the other row is deleted")
	})
}
