package across_test

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/stretchr/testify/require"

	"github.com/rowkeeper/rowkeeper/internal/devdb/dbtest"
	"github.com/rowkeeper/rowkeeper/owner/across"
	"github.com/rowkeeper/rowkeeper/owner/internal/ownerkit"
	"github.com/rowkeeper/rowkeeper/txn"
)

func hash(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:])
}

const (
	bonusText    = `update accounts set balance = balance + @amount where balance > 0`
	balancesText = `select user_id, sum(balance)::int8 from accounts group by user_id order by user_id`
)

func TestRecord(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *dbtest.DB) {
		ctx := t.Context()
		createAudited(t, db)
		var before, after time.Time
		require.NoError(t, db.QueryRow(ctx, `select clock_timestamp()`).Scan(&before))
		tx := mustBegin(t, db)
		n, err := Bonus.Exec(ctx, tx, "job:bonus", "yearly bonus", across.Args{"amount": 2})
		require.NoError(t, err)
		require.EqualValues(t, 3, n)
		totals, err := across.Query(ctx, tx, Balances, "ann'); --", "an auditor asked", nil, pgx.RowToStructByPos[total])
		require.NoError(t, err)
		require.Equal(t, []total{{42, 304}, {43, 302}}, totals)
		require.NoError(t, tx.Commit(ctx))
		require.NoError(t, db.QueryRow(ctx, `select clock_timestamp()`).Scan(&after))

		require.Equal(t, []entry{
			{"job:bonus", "yearly bonus", "bonus", hash(bonusText), 3},
			{"ann'); --", "an auditor asked", "balances", hash(balancesText), 2},
		}, records(t, db))
		requireSum(t, db, 606)
		var within int
		require.NoError(t, db.QueryRow(ctx, `select count(*) from owner_audit where at between $1 and $2`, before, after).Scan(&within))
		require.Equal(t, 2, within, "by the database's clock")
	})
}

// A rollback leaves neither work nor record; a retry leaves one of each.
func TestRecordGoesWithTheTransaction(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *dbtest.DB) {
		ctx := t.Context()
		createAudited(t, db)
		tx := mustBegin(t, db)
		_, err := Bonus.Exec(ctx, tx, "job", "yearly bonus", across.Args{"amount": 2})
		require.NoError(t, err)
		require.NoError(t, tx.Rollback(ctx))
		require.Empty(t, records(t, db))
		requireSum(t, db, 600)

		n, err := txn.RunInTx(ctx, db, func(ctx context.Context, tx *txn.Tx) (int64, error) {
			n, err := Bonus.Exec(ctx, tx, "job", "yearly bonus", across.Args{"amount": 2})
			if err == nil && tx.Attempt() == 1 {
				require.NoError(t, tx.Conn().Close(ctx))
				_, err = tx.Exec(ctx, "select 1")
			}
			return n, err
		})
		require.NoError(t, err)
		require.EqualValues(t, 3, n)
		require.Len(t, records(t, db), 1)
		requireSum(t, db, 606)
	})
}

// A statement that fails leaves no record, even if the caller continues and commits.
func TestFailedStatementLeavesNothing(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *dbtest.DB) {
		ctx := t.Context()
		createAudited(t, db)
		tx := mustBegin(t, db)
		_, err := Collide.Exec(ctx, tx, "ann", "a test", across.Args{"id": 9})
		var pgErr *pgconn.PgError
		require.ErrorAs(t, err, &pgErr)
		require.Equal(t, "23505", pgErr.Code)
		require.Regexp(t, `^across: statement "collide" by "ann" for "a test": `, err.Error())
		_, err = across.Query(ctx, tx, Missing, "ann", "a test", nil, pgx.RowTo[int])
		require.ErrorAs(t, err, &pgErr)
		require.Equal(t, "42P01", pgErr.Code)
		// Errors that only the driver detects.
		_, err = Bonus.Exec(ctx, tx, "ann", "a test", across.Args{"amount": make(chan int)})
		require.Error(t, err)
		rows, err := across.Query(ctx, tx, Balances, "ann", "a test", nil, func(pgx.CollectableRow) (int, error) { return 0, errors.New("unreadable") })
		require.ErrorContains(t, err, "unreadable")
		require.Nil(t, rows)

		n, err := Bonus.Exec(ctx, tx, "ann", "the one that counts", across.Args{"amount": 2})
		require.NoError(t, err)
		require.EqualValues(t, 3, n)
		require.NoError(t, tx.Commit(ctx))
		require.Len(t, records(t, db), 1)
		requireSum(t, db, 606)
	})
}

// Without a record there is no work and there are no rows, even if the caller
// continues and commits.
func TestFailsClosed(t *testing.T) {
	breaks := map[string]string{
		"no table":  `drop table owner_audit`,
		"no column": `alter table owner_audit drop column row_count`,
		"violated":  `alter table owner_audit add check (actor <> 'ann')`,
		"swallowed": `create rule swallow as on insert to owner_audit do instead nothing`,
	}
	dbtest.Each(t, func(t *testing.T, db *dbtest.DB) {
		ctx := t.Context()
		createAudited(t, db)
		for name, ddl := range breaks {
			if name == "swallowed" && db.Cockroach() {
				continue // it has no rules
			}
			ownerkit.MustExec(t, db, `drop table if exists owner_audit; `+Audit.SQL()+`; `)
			ownerkit.MustExec(t, db, ddl)
			tx := mustBegin(t, db)
			n, err := Bonus.Exec(ctx, tx, "ann", "a test", across.Args{"amount": 2})
			require.ErrorContains(t, err, "the record was not written", name)
			require.Zero(t, n, name)
			rows, err := across.Query(ctx, tx, Balances, "ann", "a test", nil, pgx.RowToStructByPos[total])
			require.ErrorContains(t, err, "the record was not written", name)
			require.Nil(t, rows, name)
			require.NoError(t, tx.Commit(ctx), name)
			requireSum(t, db, 600, name)
		}

		ownerkit.MustExec(t, db, `drop table if exists owner_audit; `+Audit.SQL())
		tx, err := db.BeginTx(ctx, pgx.TxOptions{AccessMode: pgx.ReadOnly})
		require.NoError(t, err)
		rows, err := across.Query(ctx, tx, Balances, "ann", "a test", nil, pgx.RowToStructByPos[total])
		require.ErrorContains(t, err, "the record was not written")
		require.Nil(t, rows)
		require.NoError(t, tx.Rollback(ctx))
	})
}

// hooked is a transaction that calls a function before each statement, except those
// of savepoints.
type hooked struct {
	pgx.Tx
	before func(sql string)
}

func (h hooked) Begin(ctx context.Context) (pgx.Tx, error) {
	tx, err := h.Tx.Begin(ctx)
	return hooked{tx, h.before}, err
}

func (h hooked) Exec(ctx context.Context, sql string, args ...any) (pgconn.CommandTag, error) {
	h.before(sql)
	return h.Tx.Exec(ctx, sql, args...)
}

// A context that ends between the work and its record does not leave the work alone,
// although the driver then sends nothing and the connection stays.
func TestCanceledBeforeTheRecord(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *dbtest.DB) {
		createAudited(t, db)
		tx := mustBegin(t, db)
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		sent := 0
		_, err := Bonus.Exec(ctx, hooked{tx, func(string) {
			if sent++; sent == 2 { // the record
				cancel()
			}
		}}, "ann", "a test", across.Args{"amount": 2})
		require.ErrorIs(t, err, context.Canceled)
		require.Equal(t, 2, sent)
		require.NoError(t, tx.Commit(t.Context()))
		require.Empty(t, records(t, db))
		requireSum(t, db, 600)
	})
}

// The same if it ends right after the record.
func TestCanceledAfterTheRecord(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *dbtest.DB) {
		createAudited(t, db)
		tx := mustBegin(t, db)
		ctx := &fused{Context: t.Context()}
		_, err := Bonus.Exec(ctx, hooked{tx, func(sql string) { ctx.lit = sql[:6] == "insert" }}, "ann", "a test", across.Args{"amount": 2})
		require.ErrorIs(t, err, context.Canceled)
		require.NoError(t, tx.Commit(t.Context()))
		require.Empty(t, records(t, db))
		requireSum(t, db, 600)
	})
}

// fused is a context whose end only Err reports.
type fused struct {
	context.Context
	lit bool
}

func (f *fused) Err() error {
	if f.lit {
		return context.Canceled
	}
	return f.Context.Err()
}

// A panic while a row is read undoes the statement too.
func TestPanicWhileReading(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *dbtest.DB) {
		createAudited(t, db)
		tx := mustBegin(t, db)
		raise := Audit.MustStatement("raise", `update accounts set balance = balance + 1 returning id`)
		require.PanicsWithValue(t, "row", func() {
			_, _ = across.Query(t.Context(), tx, raise, "ann", "a test", nil, func(pgx.CollectableRow) (int, error) { panic("row") })
		})
		require.NoError(t, tx.Commit(t.Context()))
		require.Empty(t, records(t, db))
		requireSum(t, db, 600)
	})
}

func TestReturningCounts(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *dbtest.DB) {
		createAudited(t, db)
		tx := mustBegin(t, db)
		raise := Audit.MustStatement("raise", `update accounts set balance = balance + 1 where id > @id returning id`)
		got, err := across.Query(t.Context(), tx, raise, "ann", "a test", across.Args{"id": 1}, pgx.RowTo[int64])
		require.NoError(t, err)
		require.ElementsMatch(t, []int64{2, 3}, got)
		got, err = across.Query(t.Context(), tx, raise, "ann", "nothing", across.Args{"id": 9}, pgx.RowTo[int64])
		require.NoError(t, err)
		require.Empty(t, got)
		require.NoError(t, tx.Commit(t.Context()))
		all := records(t, db)
		require.Len(t, all, 2)
		require.EqualValues(t, 2, all[0].Rows)
		require.EqualValues(t, 0, all[1].Rows)
	})
}

func TestOddNames(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *dbtest.DB) {
		ctx := t.Context()
		odd := across.MustAudit(db.Schema + `.Odd "Name; --`)
		ownerkit.MustExec(t, db, ddl+odd.SQL())
		tx := mustBegin(t, db)
		_, err := odd.MustStatement("bonus", bonusText).Exec(ctx, tx, "ann", "a test", across.Args{"amount": 2})
		require.NoError(t, err)
		require.NoError(t, tx.Commit(ctx))
		var n int
		require.NoError(t, db.QueryRow(ctx, `select count(*) from "Odd ""Name; --"`).Scan(&n))
		require.Equal(t, 1, n)
	})
}
