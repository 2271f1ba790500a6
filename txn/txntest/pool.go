package txntest

import (
	"context"
	"testing"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/rowkeeper/rowkeeper/txn"
)

// Pool makes a pool for a test, as pgxpool.New does, and closes it at the test's
// end. The test fails for each statement that goes past a transaction on the pool,
// as txn.GuardPool tells them: sent on the pool by the function of a call, or by
// what that calls, instead of on the Tx. The statement itself goes ahead.
//
// A test that plays somebody else's part inside a function, to make a conflict say,
// sends that with its own context. The test ends at once if the connection string
// makes no sense.
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
