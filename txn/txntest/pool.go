package txntest

import (
	"context"
	"testing"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/rowkeeper/rowkeeper/txn"
)

// Pool returns a pool for a test, as pgxpool.New does, and closes it at the end of the
// test. The test fails for each statement that bypasses a transaction on the pool, as
// reported by txn.GuardPool: one that the function of a call, or code called by it,
// sends on the pool instead of the Tx. The statement itself proceeds.
//
// It is recognized by the function's context. So a test that acts as another client
// inside a function, for example to cause a conflict, must do so with its own context,
// and a function that uses its caller's context by mistake is not detected. The test
// ends at once if the connection string is invalid.
//
// Only a pool made by Pool detects this. For a pool with a configuration of its own
// use txn.GuardPool.
func Pool(t testing.TB, connString string) *pgxpool.Pool {
	t.Helper()
	config, err := pgxpool.ParseConfig(connString)
	if err != nil {
		t.Fatalf("txntest.Pool: %v", err)
	}
	txn.GuardPool(config, func(_ context.Context, err error) { t.Errorf("txntest: %v", err) })
	pool, err := pgxpool.NewWithConfig(context.Background(), config)
	if err != nil {
		t.Fatalf("txntest.Pool: %v", err)
	}
	t.Cleanup(pool.Close)
	return pool
}
