package txntest_test

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/stretchr/testify/require"

	"github.com/rowkeeper/rowkeeper/internal/devdb/dbtest"
	"github.com/rowkeeper/rowkeeper/txn"
	"github.com/rowkeeper/rowkeeper/txn/txntest"
)

func TestEachConflict(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *dbtest.DB) {
		accounts(t, db)
		var names []string
		txntest.EachConflict(t, db, func(t *testing.T, faulty *txntest.DB) {
			names = append(names, t.Name()[strings.LastIndex(t.Name(), "/")+1:])
			_, err := db.Exec(t.Context(), "update accounts set balance = 100")
			require.NoError(t, err)
			attempts, err := move(t.Context(), faulty, 30)
			require.NoError(t, err)
			require.Equal(t, 2, attempts)
			requireBalances(t, db, 70, 130)
			requireClean(t, db)
		})
		require.Equal(t, []string{"COMMIT", "statement_1", "statement_2", "statement_3"}, names)
	})
}

// The right outcome may be an error, without a COMMIT.
func TestEachConflictOfACallThatFails(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *dbtest.DB) {
		accounts(t, db)
		runs := 0
		txntest.EachConflict(t, db, func(t *testing.T, faulty *txntest.DB) {
			runs++
			_, err := move(t.Context(), faulty, 1000)
			require.ErrorIs(t, err, errPoor)
		})
		require.Equal(t, 2, runs)
	})
}

func TestEachConflictRefusesNil(t *testing.T) {
	t.Parallel()
	out := child(t, "^TestChildNil$")
	require.Contains(t, out, "txntest.EachConflict: the database is nil; the test is nil")
}

func TestEachConflictRefusesParallel(t *testing.T) {
	t.Parallel()
	out := child(t, "^TestChildParallel$")
	require.Contains(t, out, "txntest.EachConflict: the test calls t.Parallel")
}

func TestEachConflictFailsWhereNothingIsBegun(t *testing.T) {
	t.Parallel()
	out := child(t, "^TestChildIdle$")
	require.Contains(t, out, "transaction 1 did not meet ConflictAtCommit(): it was not begun through the DB")
	require.NotContains(t, out, "statement_1")
}

func TestEachConflictRunsOneSubtestByItsName(t *testing.T) {
	t.Parallel()
	out := child(t, "^TestChildSubtest$/^statement_2$")
	require.NotContains(t, out, "COMMIT")
	require.Contains(t, out, "--- FAIL: TestChildSubtest/statement_2")
	require.Contains(t, out, "met 40001 at statement 2")
	require.Equal(t, 1, strings.Count(out, "--- FAIL: TestChildSubtest/"))
}

// A failing subtest fails its parents, so such tests run in a separate process, which
// needs no database.
func child(t *testing.T, run string) string {
	t.Helper()
	program, err := os.Executable()
	require.NoError(t, err)
	c := exec.CommandContext(t.Context(), program, "-test.run="+run)
	c.Env = append(os.Environ(), childEnv+"=1")
	out, err := c.CombinedOutput()
	var failed *exec.ExitError
	require.ErrorAs(t, err, &failed, "%s", out)
	return string(out)
}

const childEnv = "ROWKEEPER_TXNTEST_CHILD"

func inChild(t *testing.T) {
	if os.Getenv(childEnv) == "" {
		t.Skip("is run by another test")
	}
}

func TestChildNil(t *testing.T) {
	inChild(t)
	txntest.EachConflict(t, nil, nil)
}

func TestChildParallel(t *testing.T) {
	inChild(t)
	txntest.EachConflict(t, mock{}, func(t *testing.T, _ *txntest.DB) { t.Parallel() })
}

func TestChildIdle(t *testing.T) {
	inChild(t)
	txntest.EachConflict(t, mock{}, func(*testing.T, *txntest.DB) {})
}

func TestChildSubtest(t *testing.T) {
	inChild(t)
	txntest.EachConflict(t, mock{}, func(t *testing.T, db *txntest.DB) {
		n := 0
		err := txn.Run(t.Context(), db, func(ctx context.Context, tx *txn.Tx) error {
			for n = 1; n <= 3; n++ {
				if _, err := tx.Exec(ctx, "select 1"); err != nil {
					return err
				}
			}
			return nil
		}, txn.MaxAttempts(1))
		var pe *pgconn.PgError
		if errors.As(err, &pe) {
			t.Errorf("met %s at statement %d", pe.Code, n)
		}
	})
}

// mock accepts everything.
type mock struct{}

func (mock) BeginTx(context.Context, pgx.TxOptions) (pgx.Tx, error) { return mockTx{}, nil }

type mockTx struct{ pgx.Tx }

func (mockTx) Conn() *pgx.Conn                { return nil }
func (mockTx) Commit(context.Context) error   { return nil }
func (mockTx) Rollback(context.Context) error { return nil }
func (mockTx) Exec(context.Context, string, ...any) (pgconn.CommandTag, error) {
	return pgconn.CommandTag{}, nil
}
