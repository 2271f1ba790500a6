package txntest_test

import (
	"context"
	"errors"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	"github.com/rowkeeper/rowkeeper/internal/devdb/dbtest"
	"github.com/rowkeeper/rowkeeper/txn"
	"github.com/rowkeeper/rowkeeper/txn/txntest"
)

// A fault that is not met has shown nothing, so the test must not pass.
func TestFaultThatIsNotMetFailsTheTest(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *dbtest.DB) {
		accounts(t, db)
		call := func(amount int, want error) func(txn.DB) {
			return func(db txn.DB) {
				_, err := move(t.Context(), db, amount)
				require.ErrorIs(t, err, want)
			}
		}
		scripted := func(faults ...txntest.Fault) func(testing.TB) *txntest.DB {
			return func(t testing.TB) *txntest.DB { return txntest.New(t, db, faults...) }
		}
		rerun := func(t testing.TB) *txntest.DB { return txntest.Rerun(t, db) }
		for name, test := range map[string]struct {
			make func(testing.TB) *txntest.DB
			use  func(txn.DB)
			want []string
		}{
			"few statements": {scripted(txntest.ConflictAt(4)), call(10, nil),
				[]string{"txntest: transaction 1 did not meet ConflictAt(4): it ended after 3 statements"}},
			"few transactions": {scripted(txntest.ConflictAt(3), txntest.ConflictAtCommit(), txntest.ConflictAt(4), txntest.ConflictAt(1)), call(10, nil),
				[]string{"txntest: transaction 3 did not meet ConflictAt(4): it ended after 3 statements",
					"txntest: transaction 4 did not meet ConflictAt(1): it was not begun through the DB"}},
			"no COMMIT": {scripted(txntest.UnknownAtCommit(false)), call(1000, errPoor),
				[]string{"txntest: transaction 1 did not meet UnknownAtCommit(false): it did not come to COMMIT"}},
			"each of them": {scripted(txntest.ConflictAtCommit(), txntest.ConflictAt(2)), call(1000, errPoor),
				[]string{"txntest: transaction 1 did not meet ConflictAtCommit(): it did not come to COMMIT",
					"txntest: transaction 2 did not meet ConflictAt(2): it was not begun through the DB"}},
			"past the DB": {rerun, func(txn.DB) { call(10, nil)(db) },
				[]string{"txntest: nothing was run again: 0 transactions were begun through the DB, and none came to COMMIT"}},
			"only errors": {rerun, call(1000, errPoor),
				[]string{"txntest: nothing was run again: 1 transactions were begun through the DB, and none came to COMMIT"}},
			"met":         {scripted(txntest.ConflictAt(3)), call(10, nil), nil},
			"met by each": {rerun, call(10, nil), nil},
		} {
			rec := &recorder{}
			test.use(test.make(rec))
			require.Equal(t, test.want, rec.end(), name)
		}
		rec := &recorder{failed: true}
		txntest.New(rec, db, txntest.ConflictAt(1))
		require.Empty(t, rec.end(), "a test that fails has told what matters")
	})
}

func TestMisuseFailsTheTestAtOnce(t *testing.T) {
	t.Parallel()
	conn := new(pgx.Conn)
	for name, test := range map[string]struct {
		make func(t testing.TB)
		want string
	}{
		"nil":        {func(t testing.TB) { txntest.New(t, nil, txntest.ConflictAt(1)) }, "txntest.New: the database is nil"},
		"nil pool":   {func(t testing.TB) { txntest.Rerun(t, (*pgxpool.Pool)(nil)) }, "txntest.Rerun: the database is nil"},
		"no fault":   {func(t testing.TB) { txntest.New(t, conn) }, "txntest.New: there is no fault: name one, or use Rerun"},
		"statement":  {func(t testing.TB) { txntest.New(t, conn, txntest.ConflictAt(0)) }, "txntest.New: fault 1: ConflictAt(0): statements are counted from 1"},
		"zero value": {func(t testing.TB) { txntest.New(t, conn, txntest.Fault{}) }, "txntest.New: fault 1: Fault{} is no fault: use ConflictAt, ConflictAtCommit or UnknownAtCommit"},
		"all of it": {func(t testing.TB) { txntest.New(t, nil, txntest.ConflictAt(1), txntest.ConflictAt(-1)) },
			"txntest.New: the database is nil; fault 2: ConflictAt(-1): statements are counted from 1"},
	} {
		require.Equal(t, test.want, fatalOf(test.make), name)
	}
	for _, db := range []*txntest.DB{nil, new(txntest.DB)} {
		_, err := db.Begin(t.Context())
		require.ErrorContains(t, err, "not one that New or Rerun made")
	}
}

type failing struct{ err error }

func (f failing) BeginTx(context.Context, pgx.TxOptions) (pgx.Tx, error) { return nil, f.err }

// failsOnce fails to begin the first transaction.
type failsOnce struct {
	*dbtest.DB
	failed bool
}

func (f *failsOnce) BeginTx(ctx context.Context, o pgx.TxOptions) (pgx.Tx, error) {
	if !f.failed {
		f.failed = true
		return failing{errors.New("no connection")}.BeginTx(ctx, o)
	}
	return f.DB.BeginTx(ctx, o)
}

func TestTransactionThatFailsToBeginDoesNotCount(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *dbtest.DB) {
		accounts(t, db)
		faulty := txntest.New(t, &failsOnce{DB: db}, txntest.ConflictAt(3))
		_, err := move(t.Context(), faulty, 10)
		require.ErrorContains(t, err, "no connection")
		attempts, err := move(t.Context(), faulty, 10)
		require.NoError(t, err)
		require.Equal(t, 2, attempts)
	})
}

// both is a struct that a service may have: it is the pool for reads, and begins its
// transactions on the DB.
type both struct {
	*pgxpool.Pool
	*txntest.DB
}

func (b both) Begin(ctx context.Context) (pgx.Tx, error) { return b.DB.Begin(ctx) }
func (b both) BeginTx(ctx context.Context, o pgx.TxOptions) (pgx.Tx, error) {
	return b.DB.BeginTx(ctx, o)
}

func TestStructWithAPoolAndADBBeginsOnTheDB(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *dbtest.DB) {
		accounts(t, db)
		attempts, err := move(t.Context(), both{db.Pool, txntest.New(t, db, txntest.ConflictAt(3))}, 10)
		require.NoError(t, err)
		require.Equal(t, 2, attempts)
		requireBalances(t, db, 90, 110)
	})
}
