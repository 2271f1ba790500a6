package txn

import (
	"context"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	"github.com/rowkeeper/rowkeeper/internal/devdb/dbtest"
)

type depthKey int

// guardCosts calls f with the work of the guard for a statement: outside a call, with
// ten values in the context, and inside a call, on its connection.
func guardCosts(t testing.TB, f func(name string, statement func())) {
	config, err := pgxpool.ParseConfig(dbtest.First(t).URL)
	require.NoError(t, err)
	GuardPool(config, nil)
	g := config.ConnConfig.Tracer
	pool, err := pgxpool.NewWithConfig(t.Context(), config)
	require.NoError(t, err)
	defer pool.Close()
	data := pgx.TraceQueryStartData{SQL: "select 1"}
	ctx := t.Context()
	for i := range 10 {
		ctx = context.WithValue(ctx, depthKey(i), i)
	}
	require.NoError(t, Run(ctx, pool, func(inside context.Context, tx *Tx) error {
		conn := tx.Conn()
		f("outside", func() { g.TraceQueryEnd(g.TraceQueryStart(ctx, conn, data), conn, pgx.TraceQueryEndData{}) })
		f("inside", func() { g.TraceQueryEnd(g.TraceQueryStart(inside, conn, data), conn, pgx.TraceQueryEndData{}) })
		return nil
	}))
}

func TestGuardAllocatesNothingForAStatement(t *testing.T) {
	guardCosts(t, func(name string, statement func()) {
		require.Zero(t, testing.AllocsPerRun(100, statement), name)
	})
}

func BenchmarkGuardAlone(b *testing.B) {
	guardCosts(b, func(name string, statement func()) {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				statement()
			}
		})
	})
}
