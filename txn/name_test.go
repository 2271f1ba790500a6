package txn_test

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"maps"
	"slices"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	"github.com/rowkeeper/rowkeeper/internal/devdb/dbtest"
	"github.com/rowkeeper/rowkeeper/txn"
)

// serverName returns the name under which a statement is prepared.
func serverName(sql string) string {
	digest := sha256.Sum256([]byte(sql))
	return "rowkeeper_" + hex.EncodeToString(digest[:24])
}

const beginSerializable = "begin isolation level serializable"

// The name of a prepared statement identifies the statement in every session.
func TestNamesAreMadeOfTheText(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *dbtest.DB) {
		accounts(t, db)
		pool := poolWith(t, db, func(*pgxpool.Config) {})
		for range 2 { // the first time BEGIN goes ahead, by itself
			require.NoError(t, txn.Run(t.Context(), pool, func(ctx context.Context, tx *txn.Tx) error {
				tx.Queue(setBalance, 1, 7)
				return nil
			}))
		}
		rows, err := pool.Query(t.Context(), "select name, statement from pg_prepared_statements where name like 'rowkeeper%'", pgx.QueryExecModeSimpleProtocol)
		require.NoError(t, err)
		named := map[string]string{}
		var name, sql string
		_, err = pgx.ForEachRow(rows, []any{&name, &sql}, func() error { named[name] = sql; return nil })
		require.NoError(t, err)
		want := []string{serverName(beginSerializable), serverName(setBalance), serverName("commit")}
		require.ElementsMatch(t, want, slices.Collect(maps.Keys(named)))
	})
}

// A server that already knows a name, as behind a pooler, costs one attempt. From then
// on no names are sent on the connection.
func TestNameThatIsTaken(t *testing.T) {
	const other = "select 0"
	for _, sql := range []string{beginSerializable, setBalance, "commit"} {
		t.Run(sql, func(t *testing.T) {
			dbtest.Each(t, func(t *testing.T, db *dbtest.DB) {
				if sql == "commit" && !db.Cockroach() {
					t.Skip("PostgreSQL is sent COMMIT as text")
				}
				accounts(t, db)
				pool := poolWith(t, db, func(*pgxpool.Config) {})
				_, err := pool.Exec(t.Context(), "prepare "+serverName(sql)+" as "+other)
				require.NoError(t, err)
				runs := 0
				for i := range 3 {
					require.NoError(t, txn.Run(t.Context(), pool, func(ctx context.Context, tx *txn.Tx) error {
						runs++
						tx.Queue(setBalance, 1, 10+i)
						return nil
					}))
					require.Equal(t, 10+i, balance(t, db, 1))
				}
				require.Equal(t, 4, runs, "it was learned")
				requireClean(t, pool)
			})
		})
	}
}

// A statement is dropped and prepared again under the same name, including BEGIN.
func TestNameThatIsUsedAgain(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *dbtest.DB) {
		accounts(t, db)
		pool := poolWith(t, db, func(c *pgxpool.Config) { c.ConnConfig.StatementCacheCapacity = 3 })
		for i := range 4 {
			for _, sql := range []string{setBalance, "update accounts set balance = $2 + 0 where id = $1", "update accounts set balance = $2 + 1 - 1 where id = $1"} {
				for _, access := range [][]txn.Option{nil, {txn.Isolation(pgx.RepeatableRead)}, {txn.ReadOnly()}} {
					runs := 0
					err := txn.Run(t.Context(), pool, func(ctx context.Context, tx *txn.Tx) error {
						runs++
						tx.Queue(sql, 1, 100+i)
						_, err := tx.Exec(ctx, "update accounts set balance = -1 where id = $1 and balance = -2", 1)
						return err
					}, access...)
					if len(access) > 0 && err != nil {
						require.Equal(t, "25006", serverError(t, err).Code)
					} else {
						require.NoError(t, err)
					}
					require.Equal(t, 1, runs)
				}
				require.Equal(t, 100+i, balance(t, db, 1))
			}
		}
		requireClean(t, pool)
	})
}

// A name that is in use again is not closed by an earlier request to close it.
func TestNameThatIsUsedAgainStays(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *dbtest.DB) {
		accounts(t, db)
		pool := poolWith(t, db, func(c *pgxpool.Config) { c.ConnConfig.StatementCacheCapacity = 3 })
		const other = "update accounts set balance = $2 + 0 where id = $1"
		runs := 0
		run := func(sql string, opts ...txn.Option) {
			require.NoError(t, txn.Run(t.Context(), pool, func(ctx context.Context, tx *txn.Tx) error {
				runs++
				tx.Queue(sql, 1, 7)
				return nil
			}, opts...))
		}
		run(setBalance)
		run(setBalance)
		run(setBalance, txn.Isolation(pgx.RepeatableRead)) // its BEGIN drops the other one
		run(setBalance)                                    // which is named again
		run(other)                                         // what was dropped is closed
		run(other)
		require.Equal(t, 6, runs)
	})
}
