package txn_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rowkeeper/rowkeeper/internal/devdb"
	"github.com/rowkeeper/rowkeeper/internal/devdb/dbtest"
	"github.com/rowkeeper/rowkeeper/txn"
)

// startStandby starts a hot standby of p, or skips the test.
func startStandby(t *testing.T, source devdb.Source, url string, settings ...string) (*devdb.Durable, *dbtest.DB) {
	t.Helper()
	srv, err := source.StartStandby(t.Context(), url, settings...)
	if errors.Is(err, devdb.ErrNoStandby) {
		t.Skip(err)
	}
	require.NoError(t, err)
	t.Cleanup(srv.Stop)
	db := &dbtest.DB{Engine: srv.Engine, URL: srv.URL, Schema: "public"}
	db.Pool = poolWith(t, db, func(c *pgxpool.Config) { c.MaxConns = 8 })
	return srv, db
}

// readOnStandby are the options of a transaction on a hot standby.
var readOnStandby = []txn.Option{txn.ReadOnly(), txn.Isolation(pgx.RepeatableRead)}

// A hot standby has no SERIALIZABLE. The error suggests the alternative.
func TestSerializableOnAHotStandby(t *testing.T) {
	skipIfShort(t)
	ownPostgres(t, func(t *testing.T, source devdb.Source, p *primary) {
		_, standby := startStandby(t, source, p.URL)
		for _, mode := range execModes() {
			pool := poolWith(t, standby, func(c *pgxpool.Config) { c.ConnConfig.DefaultQueryExecMode = mode })
			count := func(opts ...txn.Option) (int, error) {
				runs := 0
				n, err := txn.RunInTx(t.Context(), pool, func(ctx context.Context, tx *txn.Tx) (n int, err error) {
					runs++
					return n, tx.QueryRow(ctx, "select count(*) from effects").Scan(&n)
				}, opts...)
				assert.Equal(t, 1, runs)
				return n, err
			}
			for _, opts := range [][]txn.Option{nil, {txn.ReadOnly()}} {
				_, err := count(opts...)
				requireCode(t, err, "0A000")
				require.ErrorContains(t, err, "ReadOnly and Isolation(pgx.RepeatableRead)")
			}
			_, err := count(readOnStandby...)
			require.NoError(t, err)
			_, err = txn.RunInTx(t.Context(), pool, shapes["all in one packet"](1), txn.Isolation(pgx.RepeatableRead))
			requireStatus(t, 503, err, "the primary may be back soon")
			require.Equal(t, rolledBack, claimOf(err))
			_, err = txn.RunInTx(t.Context(), pool, shapes["all in one packet"](1), readOnStandby...)
			requireStatus(t, 500, err, "it writes nowhere")
			requireClean(t, pool)
		}
	})
}

// A hot standby may end a transaction that reads, by an ERROR in a statement, or with
// its session while nothing is sent. Both run again.
func TestConflictWithRecovery(t *testing.T) {
	skipIfShort(t)
	ownPostgres(t, func(t *testing.T, source devdb.Source, p *primary) {
		_, standby := startStandby(t, source, p.URL, "-c", "max_standby_streaming_delay=0", "-c", "hot_standby_feedback=off")
		for _, mode := range execModes() {
			for _, idle := range []bool{true, false} {
				table := fmt.Sprintf("%s_%t", strings.ReplaceAll(mode.String(), " ", "_"), idle)
				_, err := p.Exec(t.Context(), "create table "+table+" as select 1 as n")
				require.NoError(t, err)
				require.Eventually(t, func() bool {
					return standby.QueryRow(t.Context(), "select count(*) from "+table).Scan(new(int)) == nil
				}, eventually, tick)
				pool := poolWith(t, standby, func(c *pgxpool.Config) {
					c.ConnConfig.DefaultQueryExecMode = mode
					c.ConnConfig.RuntimeParams["application_name"] = table
				})
				var first error
				attempt, err := txn.RunInTx(t.Context(), pool, func(ctx context.Context, tx *txn.Tx) (int, error) {
					if tx.Attempt() > 1 {
						return tx.Attempt(), tx.QueryRow(ctx, "select 1").Scan(new(int))
					}
					if err := tx.QueryRow(ctx, "select count(*) from "+table).Scan(new(int)); err != nil {
						return 0, err
					}
					// Its lock on the standby conflicts with the earlier read.
					drop := make(chan error, 1)
					go func() {
						if !idle {
							require.Eventually(t, func() bool {
								var n int
								return standby.QueryRow(ctx, "select count(*) from pg_stat_activity where application_name = $1 and query like '%pg_sleep%' and state = 'active'", table).Scan(&n) == nil && n > 0
							}, eventually, tick)
						}
						_, err := p.Exec(ctx, "drop table "+table)
						drop <- err
					}()
					if idle {
						require.NoError(t, <-drop)
						require.Eventually(t, func() bool {
							var n int
							return standby.QueryRow(ctx, "select count(*) from pg_stat_activity where application_name = $1", table).Scan(&n) == nil && n == 0
						}, eventually, tick, "the session is ended")
						_, first = tx.Exec(ctx, "select 2")
						return 0, first
					}
					_, first = tx.Exec(ctx, "select pg_sleep(60)")
					require.NoError(t, <-drop)
					return 0, first
				}, readOnStandby...)
				require.NoError(t, err, table)
				require.Equal(t, 2, attempt, table)
				if idle && !errors.As(first, new(*pgconn.PgError)) {
					continue // the socket was closed before its last words were read
				}
				pe := serverError(t, first)
				require.Contains(t, []string{"40001", "40P01", "57P01"}, pe.Code, table)
				require.Equal(t, map[bool]string{true: "FATAL", false: "ERROR"}[idle], pe.Severity, table)
			}
		}
	})
}
