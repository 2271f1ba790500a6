package txn_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	"github.com/rowkeeper/rowkeeper/internal/devdb/dbtest"
	"github.com/rowkeeper/rowkeeper/internal/faultnet"
	"github.com/rowkeeper/rowkeeper/txn"
)

// The function sends its own COMMIT, whose answer would be lost. It is not sent at all,
// so the function does not run again after an unseen commit.
func TestOwnCommitWhoseAnswerIsLost(t *testing.T) {
	texts := []string{
		"commit", "end", "COMMIT AND CHAIN", "prepare transaction 'r10'", "/* x */ commit work;", "select 1; commit", "commit; begin",
		"release savepoint cockroach_restart",
	}
	send := map[string]func(ctx context.Context, tx *txn.Tx, sql string) error{
		"Exec": func(ctx context.Context, tx *txn.Tx, sql string) error {
			_, err := tx.Exec(ctx, sql)
			return err
		},
		"Query": func(ctx context.Context, tx *txn.Tx, sql string) error {
			rows, err := tx.Query(ctx, sql, pgx.QueryExecModeSimpleProtocol)
			rows.Close()
			return err
		},
		"SendBatch": func(ctx context.Context, tx *txn.Tx, sql string) error {
			var b pgx.Batch
			b.Queue("select 1")
			b.Queue(sql)
			return tx.SendBatch(ctx, &b).Close()
		},
		"savepoint": func(ctx context.Context, tx *txn.Tx, sql string) error {
			return txn.Run(ctx, tx, func(ctx context.Context, tx *txn.Tx) error {
				_, err := tx.Exec(ctx, sql)
				return err
			})
		},
		"Queue": func(ctx context.Context, tx *txn.Tx, sql string) error {
			tx.Queue(sql)
			return nil
		},
	}
	for _, mode := range execModes() {
		t.Run(mode.String(), func(t *testing.T) {
			dbtest.Each(t, func(t *testing.T, db *dbtest.DB) {
				f := withFaults(t, db, func(c *pgxpool.Config) { c.ConnConfig.DefaultQueryExecMode = mode })
				ends := map[string]bool{"COMMIT": true, "PREPARE TRANSACTION": true, "RELEASE": true}
				f.proxy.SetHook(func(m faultnet.Message) faultnet.Action {
					if ends[m.Tag()] {
						return faultnet.CutBefore(faultnet.ResetClient)
					}
					return faultnet.Pass()
				})
				call := 0
				for way, send := range send {
					for _, sql := range texts {
						call++
						runs := 0
						attempt, err := txn.RunInTx(t.Context(), f.pool, func(ctx context.Context, tx *txn.Tx) (int, error) {
							runs++
							if _, err := tx.Exec(ctx, insertEffect, call, tx.Attempt()); err != nil {
								return 0, err
							}
							return tx.Attempt(), send(ctx, tx, sql)
						})
						what := fmt.Sprintf("%s by %s", sql, way)
						require.ErrorContains(t, err, "the function", what)
						require.Equal(t, 1, runs, what)
						require.Equal(t, rolledBack, f.judge(t, call, attempt, err), what)
					}
				}
			})
		})
	}
}
