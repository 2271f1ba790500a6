package txn_test

import (
	"context"
	"errors"
	"sync"
	"testing"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	"github.com/rowkeeper/rowkeeper/internal/devdb/dbtest"
	"github.com/rowkeeper/rowkeeper/txn"
)

// A type that is dropped and created again is a new type to the server. Statements
// prepared for the old one are prepared again, on every connection.
func TestEnumThatIsMadeAnew(t *testing.T) {
	functions := map[string]func(ctx context.Context, tx *txn.Tx) error{
		"a parameter": func(ctx context.Context, tx *txn.Tx) error {
			return tx.QueryRow(ctx, "select ($1::mood)::text", "ok").Scan(new(string))
		},
		"a parameter, later": func(ctx context.Context, tx *txn.Tx) error {
			return errors.Join(tx.QueryRow(ctx, "select id from feelings where id = $1", 1).Scan(new(int)),
				tx.QueryRow(ctx, "select ($1::mood)::text", "bad").Scan(new(string)))
		},
		"a column": func(ctx context.Context, tx *txn.Tx) error {
			return tx.QueryRow(ctx, "select id from feelings where m = $1 and id = $2", "ok", 1).Scan(new(int))
		},
		"a column, later": func(ctx context.Context, tx *txn.Tx) error {
			return errors.Join(tx.QueryRow(ctx, "select id from feelings where id = $1", 1).Scan(new(int)),
				tx.QueryRow(ctx, "select id from feelings where m <> $1 and id = $2", "bad", 1).Scan(new(int)))
		},
		"a result": func(ctx context.Context, tx *txn.Tx) error {
			return tx.QueryRow(ctx, "select m, id from feelings where id = $1", 1).Scan(new(string), new(int))
		},
		"queued": func(ctx context.Context, tx *txn.Tx) error {
			tx.Queue("select $1::mood, count(*) from feelings where m = $1", "ok")
			return nil
		},
	}
	eachMode(t, func(t *testing.T, db *dbtest.DB, given *pgxpool.Pool) {
		const connections = 3
		pool := poolLike(t, db, given, func(c *pgxpool.Config) { c.MaxConns = connections })
		exec := func(texts ...string) {
			for _, sql := range texts {
				_, err := db.Exec(t.Context(), sql)
				require.NoError(t, err)
			}
		}
		create := []string{"create type mood as enum ('ok', 'bad')", "create table feelings (id bigint primary key, m mood)", "insert into feelings values (1, 'ok'), (2, 'bad')"}
		exec(create...)
		for round := range 2 {
			var wg sync.WaitGroup
			for name, f := range functions {
				for range 2 * connections {
					wg.Go(func() {
						if err := txn.Run(t.Context(), pool, f, txn.NoAdmission()); err != nil {
							t.Errorf("%d, %s: %v", round, name, err)
						}
					})
				}
			}
			wg.Wait()
			exec("drop table feelings", "drop type mood")
			exec(create...)
		}
		require.LessOrEqual(t, pool.Stat().NewConnsCount(), int64(connections), "no connection was lost")
	})
}
