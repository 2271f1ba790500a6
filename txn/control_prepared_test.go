package txn_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	"github.com/rowkeeper/rowkeeper/internal/devdb/dbtest"
	"github.com/rowkeeper/rowkeeper/txn"
)

// The name of a prepared statement hides what it does, so that only the server's answer
// shows it.
func TestPreparedStatementThatEndsTheTransaction(t *testing.T) {
	batch := func(texts ...string) func(ctx context.Context, tx *txn.Tx) error {
		return func(ctx context.Context, tx *txn.Tx) error {
			var b pgx.Batch
			for _, sql := range texts {
				b.Queue(sql)
			}
			return tx.SendBatch(ctx, &b).Close()
		}
	}
	exec := func(name string) func(ctx context.Context, tx *txn.Tx) error {
		return func(ctx context.Context, tx *txn.Tx) error {
			_, err := tx.Exec(ctx, name)
			return err
		}
	}
	set := "update accounts set balance = 8 where id = 1"
	for name, test := range map[string]struct {
		f    func(ctx context.Context, tx *txn.Tx) error
		want claim
		only bool // on PostgreSQL
	}{
		"commit":             {exec("ends"), committed, false},
		"rollback":           {exec("undoes"), rolledBack, false},
		"commit and chain":   {exec("chains"), committed, true},
		"rollback and chain": {exec("undoes_and_chains"), rolledBack, true},
		"rows": {func(ctx context.Context, tx *txn.Tx) error {
			rows, err := tx.Query(ctx, "ends")
			rows.Close()
			return errors.Join(err, rows.Err())
		}, committed, false},
		"queued": {func(ctx context.Context, tx *txn.Tx) error {
			tx.Queue(set)
			tx.Queue("ends")
			tx.Queue("insert into accounts values (10, 1)")
			return nil
		}, committed, false},
		"commit in a batch":              {batch(set, "ends"), committed, false},
		"commit and more in a batch":     {batch(set, "ends", "starts"), committed, false},
		"rollback and more in a batch":   {batch(set, "undoes", "insert into accounts values (10, 1)"), unknown, false},
		"rollback, begin in a batch":     {batch(set, "undoes", "starts"), unknown, false},
		"rollback and chain in a batch":  {batch(set, "undoes_and_chains"), rolledBack, true},
		"rollback, chain and more there": {batch(set, "undoes_and_chains", set), unknown, true},
		"past the Tx": {func(ctx context.Context, tx *txn.Tx) error {
			_, err := tx.Conn().Exec(ctx, "commit")
			return err
		}, unknown, false},
	} {
		t.Run(name, func(t *testing.T) {
			dbtest.Each(t, func(t *testing.T, db *dbtest.DB) {
				if test.only && db.Cockroach() {
					t.Skip("CockroachDB has no AND CHAIN")
				}
				accounts(t, db)
				pool := poolWith(t, db, func(c *pgxpool.Config) {
					c.AfterConnect = func(ctx context.Context, conn *pgx.Conn) error {
						for name, sql := range map[string]string{"ends": "commit", "undoes": "rollback", "starts": "begin",
							"chains": "commit and chain", "undoes_and_chains": "rollback and chain"} {
							if _, err := conn.Prepare(ctx, name, sql); err != nil && !(db.Cockroach() && strings.Contains(sql, "chain")) {
								return err
							}
						}
						return nil
					}
				})
				runs := 0
				got, err := txn.RunInTx(t.Context(), pool, func(ctx context.Context, tx *txn.Tx) (int, error) {
					runs++
					require.NoError(t, write(ctx, tx, 1, 7))
					if err := test.f(ctx, tx); err != nil {
						return 0, err
					}
					if name != "queued" {
						require.ErrorContains(t, write(ctx, tx, 2, 7), "ended it itself", "it would be autocommitted")
					}
					return 42, nil
				})
				require.ErrorContains(t, err, "the transaction belongs to the call")
				require.NotContains(t, err.Error(), "<nil>")
				require.Equal(t, test.want, claimOf(err), "%v", err)
				require.Equal(t, 1, runs)
				require.Equal(t, 100, balance(t, db, 2))
				switch test.want {
				case committed:
					require.Equal(t, 42, got)
					require.NotEqual(t, 100, balance(t, db, 1))
				case rolledBack:
					require.Equal(t, 100, balance(t, db, 1))
				}
				requireClean(t, pool)
			})
		})
	}
}

func TestCommitThatWasSeenIsNotForgotten(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *dbtest.DB) {
		if db.Cockroach() {
			t.Skip("CockroachDB has no pg_terminate_backend")
		}
		accounts(t, db)
		pool := poolWith(t, db, func(c *pgxpool.Config) {
			c.AfterConnect = func(ctx context.Context, conn *pgx.Conn) error {
				_, err := conn.Prepare(ctx, "ends", "commit")
				return err
			}
		})
		err := txn.Run(t.Context(), pool, func(ctx context.Context, tx *txn.Tx) error {
			var b pgx.Batch
			b.Queue("update accounts set balance = 8 where id = 1")
			b.Queue("ends")
			b.Queue("select pg_terminate_backend(pg_backend_pid())")
			return tx.SendBatch(ctx, &b).Close()
		})
		require.ErrorAs(t, err, new(*txn.CommittedError))
		require.Equal(t, 8, balance(t, db, 1))
	})
}

// rewritesTo is a pgx.QueryRewriter.
type rewritesTo string

func (r rewritesTo) RewriteQuery(context.Context, *pgx.Conn, string, []any) (string, []any, error) {
	return string(r), nil, nil
}

func TestRewriterThatEndsTheTransaction(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *dbtest.DB) {
		accounts(t, db)
		for _, f := range []func(ctx context.Context, tx *txn.Tx) error{
			func(ctx context.Context, tx *txn.Tx) error {
				_, err := tx.Exec(ctx, "select 1", rewritesTo("commit"))
				return err
			},
			func(ctx context.Context, tx *txn.Tx) error {
				tx.Queue("select 1", rewritesTo("/* */ rollback"))
				return nil
			},
		} {
			err := txn.Run(t.Context(), db, f)
			require.ErrorContains(t, err, "the query was rewritten to")
			require.Equal(t, rolledBack, claimOf(err))
		}
		err := txn.Run(t.Context(), db, func(ctx context.Context, tx *txn.Tx) error {
			require.NoError(t, write(ctx, tx, 1, 7))
			rows, err := tx.Query(ctx, "select 1", rewritesTo("commit")) // pgx sends this one
			rows.Close()
			return err
		})
		require.ErrorAs(t, err, new(*txn.CommittedError))
		require.Equal(t, 7, balance(t, db, 1))
	})
}
