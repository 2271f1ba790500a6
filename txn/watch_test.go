package txn_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	"github.com/rowkeeper/rowkeeper/internal/devdb/dbtest"
	"github.com/rowkeeper/rowkeeper/txn"
)

// A statement ends with the call even if it was given a context that does not.
func TestStatementsEndWithTheCall(t *testing.T) {
	for name, statement := range map[string]func(ctx context.Context, tx *txn.Tx, sleeps string) error{
		"Exec": func(ctx context.Context, tx *txn.Tx, sleeps string) error {
			_, err := tx.Exec(ctx, sleeps)
			return err
		},
		"QueryRow": func(ctx context.Context, tx *txn.Tx, sleeps string) error {
			return tx.QueryRow(ctx, sleeps).Scan(new(any))
		},
		"Query": func(ctx context.Context, tx *txn.Tx, sleeps string) error {
			rows, _ := tx.Query(ctx, sleeps)
			_, err := pgx.CollectRows(rows, pgx.RowTo[any])
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			dbtest.Each(t, func(t *testing.T, db *dbtest.DB) {
				accounts(t, db)
				pool := poolWith(t, db, func(c *pgxpool.Config) { c.ConnConfig.RuntimeParams["application_name"] = db.Schema })
				for _, first := range []bool{true, false} {
					sleeps := fmt.Sprintf("select pg_sleep(3600) /* %s %t */", name, first)
					ctx, cancel := context.WithCancel(t.Context())
					ended := make(chan error, 1)
					go func() {
						ended <- txn.Run(ctx, pool, func(ctx context.Context, tx *txn.Tx) error {
							if !first {
								if err := write(ctx, tx, 1, 7); err != nil {
									return err
								}
							}
							return statement(context.Background(), tx, sleeps)
						})
					}()
					requireRunning(t, db, sleeps)
					cancel()
					err := <-ended
					require.Error(t, err)
					if name != "Query" { // whose rows pgx reads, which does not know of the call's context
						require.ErrorIs(t, err, context.Canceled)
					}
					require.Equal(t, rolledBack, claimOf(err))
					requireGivenBack(t, pool)
					require.Equal(t, 100, balance(t, db, 1))
				}
			})
		})
	}
}
