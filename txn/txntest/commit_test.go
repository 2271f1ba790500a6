package txntest_test

import (
	"context"
	"io"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	"github.com/rowkeeper/rowkeeper/internal/devdb/dbtest"
	"github.com/rowkeeper/rowkeeper/txn"
	"github.com/rowkeeper/rowkeeper/txn/txntest"
)

// Rerun exists to reveal a function that changes variables outside itself.
func TestRerunShowsAFunctionThatIsNotPure(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *dbtest.DB) {
		accounts(t, db)
		ids := func(db txn.DB, pure bool) (ids []int) {
			require.NoError(t, txn.Run(t.Context(), db, func(ctx context.Context, tx *txn.Tx) error {
				if pure {
					ids = nil
				}
				rows, err := tx.Query(ctx, "select id from accounts order by id")
				if err != nil {
					return err
				}
				ids, err = pgx.AppendRows(ids, rows, pgx.RowTo[int])
				return err
			}))
			return ids
		}
		require.Equal(t, []int{1, 2}, ids(db, false), "nobody notices")
		for name, faulty := range map[string]*txntest.DB{
			"Rerun":            txntest.Rerun(t, db),
			"ConflictAtCommit": txntest.New(t, db, txntest.ConflictAtCommit()),
		} {
			require.Equal(t, []int{1, 2, 1, 2}, ids(faulty, false), name)
		}
		require.Equal(t, []int{1, 2}, ids(txntest.Rerun(t, db), true))
		requireClean(t, db)
	})
}

func TestRerunHoldsForEveryCall(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *dbtest.DB) {
		accounts(t, db)
		faulty := txntest.Rerun(t, db)
		for range 3 {
			attempts, err := move(t.Context(), faulty, 10)
			require.NoError(t, err)
			require.Equal(t, 2, attempts)
			_, err = move(t.Context(), faulty, 1000)
			require.ErrorIs(t, err, errPoor, "an error that the function returns at once needs no second run")
		}
		requireBalances(t, db, 70, 130)
		requireClean(t, db)
	})
}

// The DB may wrap a single connection, and a Runner may wrap the DB.
func TestEveryKindOfDatabase(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *dbtest.DB) {
		accounts(t, db)
		pooled, err := db.Acquire(t.Context())
		require.NoError(t, err)
		single, err := db.Acquire(t.Context())
		require.NoError(t, err)
		for name, d := range map[string]txn.DB{
			"pool":            txntest.Rerun(t, db.Pool),
			"pool connection": txntest.Rerun(t, pooled),
			"connection":      txntest.Rerun(t, single.Conn()),
			"another DB":      txntest.Rerun(t, txntest.New(t, db, txntest.ConflictAt(1))),
			"a mock":          txntest.Rerun(t, hidden{db.Pool}),
			"before it":       txn.New(txntest.Rerun(t, db), txn.Name("r")),
		} {
			attempts, err := move(t.Context(), d, 5)
			require.NoError(t, err, name)
			require.GreaterOrEqual(t, attempts, 2, name)
		}
		requireBalances(t, db, 70, 130)
		single.Release()
		pooled.Release()
		requireClean(t, db)
	})
}

// hidden hides the connection, as a mock does.
type hidden struct{ pool *pgxpool.Pool }

func (h hidden) BeginTx(ctx context.Context, o pgx.TxOptions) (pgx.Tx, error) {
	tx, err := h.pool.BeginTx(ctx, o)
	return hiddenConn{tx}, err
}

type hiddenConn struct{ pgx.Tx }

func (hiddenConn) Conn() *pgx.Conn { return nil }

func TestIsolationReachesTheDatabase(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *dbtest.DB) {
		level, err := txn.RunInTx(t.Context(), txntest.Rerun(t, db), func(ctx context.Context, tx *txn.Tx) (level string, err error) {
			return level, tx.QueryRow(ctx, "show transaction_isolation").Scan(&level)
		})
		require.NoError(t, err)
		require.Equal(t, "serializable", level)
	})
}

func TestUnknownAtCommit(t *testing.T) {
	for applied, balances := range map[bool][2]int{true: {70, 130}, false: {100, 100}} {
		t.Run(txntest.UnknownAtCommit(applied).String(), func(t *testing.T) {
			dbtest.Each(t, func(t *testing.T, db *dbtest.DB) {
				accounts(t, db)
				faulty := txntest.New(t, db, txntest.UnknownAtCommit(applied))
				_, err := move(t.Context(), faulty, 30)
				var unknown *txn.OutcomeUnknownError
				require.ErrorAs(t, err, &unknown)
				require.Equal(t, 1, unknown.Attempts)
				require.ErrorIs(t, err, io.ErrUnexpectedEOF)
				requireBalances(t, db, balances[0], balances[1])
				attempts, err := move(t.Context(), faulty, 0)
				require.NoError(t, err)
				require.Equal(t, 1, attempts, "so that the caller may look")
				requireClean(t, db)
			})
		})
	}
}

func TestUnknownAtCommitAfterARerun(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *dbtest.DB) {
		accounts(t, db)
		_, err := move(t.Context(), txntest.New(t, db, txntest.ConflictAt(2), txntest.UnknownAtCommit(true)), 30)
		var unknown *txn.OutcomeUnknownError
		require.ErrorAs(t, err, &unknown)
		require.Equal(t, 2, unknown.Attempts)
		requireBalances(t, db, 70, 130)
	})
}

// A COMMIT that the database refuses is not unknown: the answer shows that.
func TestRefusedCommitIsNotMadeUnknown(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *dbtest.DB) {
		if db.Cockroach() {
			t.Skip("CockroachDB has no deferred constraints")
		}
		_, err := db.Exec(t.Context(), "create table d (id bigint unique deferrable initially deferred)")
		require.NoError(t, err)
		rec := &recorder{}
		err = txn.Run(t.Context(), txntest.New(rec, db, txntest.UnknownAtCommit(true)), func(ctx context.Context, tx *txn.Tx) error {
			_, err := tx.Exec(ctx, "insert into d values (1), (1)")
			return err
		})
		require.ErrorContains(t, err, "23505")
		findings := rec.end()
		require.Len(t, findings, 1)
		require.Contains(t, findings[0], "transaction 1 did not meet UnknownAtCommit(true): COMMIT failed by itself: ERROR: duplicate key")
		requireClean(t, db)
	})
}

// The connection of a transaction that has ended may be in another one.
func TestTransactionThatHasEndedMeetsNothing(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *dbtest.DB) {
		ctx := t.Context()
		conn, err := db.Acquire(ctx)
		require.NoError(t, err)
		defer conn.Release()
		for name, end := range map[string]func(pgx.Tx) error{
			"by Rollback": func(tx pgx.Tx) error { return tx.Rollback(ctx) },
			"by Commit":   func(tx pgx.Tx) error { require.ErrorContains(t, tx.Commit(ctx), "40001"); return nil },
		} {
			ended, err := txntest.New(&recorder{}, conn, txntest.ConflictAtCommit()).Begin(ctx)
			require.NoError(t, err)
			require.NoError(t, end(ended), name)
			other, err := conn.Begin(ctx)
			require.NoError(t, err)
			require.ErrorIs(t, ended.Commit(ctx), pgx.ErrTxClosed, name)
			require.ErrorIs(t, ended.Rollback(ctx), pgx.ErrTxClosed, name)
			require.NoError(t, other.Commit(ctx), name)
		}
	})
}

func TestCallsAtTheSameTime(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *dbtest.DB) {
		accounts(t, db)
		faulty := txntest.Rerun(t, db)
		const workers, each = 4, 5
		var runs atomic.Int64
		var wg sync.WaitGroup
		for range workers {
			wg.Go(func() {
				for range each {
					err := txn.Run(t.Context(), faulty, func(ctx context.Context, tx *txn.Tx) error {
						runs.Add(1)
						if err := add(ctx, tx, 1, -1); err != nil {
							return err
						}
						return add(ctx, tx, 2, 1)
					})
					if err != nil {
						t.Error(err)
					}
				}
			})
		}
		wg.Wait()
		require.GreaterOrEqual(t, runs.Load(), int64(2*workers*each), "as many conflicts as calls")
		requireBalances(t, db, 100-workers*each, 100+workers*each)
		requireClean(t, db)
	})
}
