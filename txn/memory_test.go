package txn_test

import (
	"context"
	"runtime"
	"strings"
	"sync"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	"github.com/rowkeeper/rowkeeper/internal/devdb/dbtest"
	"github.com/rowkeeper/rowkeeper/txn"
)

// A connection does not keep the arguments that were sent on it. This test is not
// parallel, so that no other test takes or frees memory meanwhile.
func TestArgumentsAreNotKept(t *testing.T) {
	db := dbtest.First(t)
	const connections, large = 4, 1 << 20
	for _, mode := range execModes() {
		t.Run(mode.String(), func(t *testing.T) {
			pool := poolWith(t, db, func(c *pgxpool.Config) {
				c.MaxConns, c.ConnConfig.DefaultQueryExecMode = connections, mode
			})
			send := func(size int) {
				var all, each sync.WaitGroup
				all.Add(connections)
				for range connections {
					each.Go(func() {
						_ = txn.Run(t.Context(), pool, func(ctx context.Context, tx *txn.Tx) error {
							if tx.Conn() == nil { // or the pool is not as it should be
								t.Error("no connection")
							}
							all.Done()
							all.Wait() // each has a connection of its own
							for range 7 {
								tx.Queue("select length($1::text)", strings.Repeat("x", size))
							}
							var n int
							err := tx.QueryRow(ctx, "select length($1::text)", pgx.QueryResultFormats{0}, strings.Repeat("x", size)).Scan(&n)
							if err != nil || n != size {
								t.Error(n, err)
							}
							return err
						}, txn.NoAdmission())
					})
				}
				each.Wait()
			}
			send(1)
			before := heap()
			send(large)
			kept := int64(heap()) - int64(before)
			const sent = connections * 8 * large
			require.Less(t, kept, int64(sent/4), "of %d bytes that were sent", sent)
			require.EqualValues(t, connections, pool.Stat().TotalConns())
		})
	}
}

// heap returns the memory in use after everything that can be freed has been.
func heap() uint64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}
