package txntest_test

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/rowkeeper/rowkeeper/internal/devdb/dbtest"
	"github.com/rowkeeper/rowkeeper/txn"
)

func TestMain(m *testing.M) { dbtest.Main(m) }

// accounts creates the table that the tests here use, with rows 1 and 2.
func accounts(t testing.TB, db *dbtest.DB) {
	t.Helper()
	for _, sql := range []string{
		"create table accounts (id bigint primary key, balance bigint not null check (balance >= 0))",
		"insert into accounts values (1, 100), (2, 100)",
	} {
		_, err := db.Exec(t.Context(), sql)
		require.NoError(t, err)
	}
}

func requireBalances(t testing.TB, db *dbtest.DB, one, two int) {
	t.Helper()
	rows, err := db.Query(t.Context(), "select balance from accounts where id in (1, 2) order by id")
	require.NoError(t, err)
	got, err := pgx.CollectRows(rows, pgx.RowTo[int])
	require.NoError(t, err)
	require.Equal(t, []int{one, two}, got)
}

// requireClean checks connections that were given back, and not closed.
func requireClean(t testing.TB, db *dbtest.DB) {
	t.Helper()
	require.Zero(t, db.Stat().AcquiredConns())
	require.Equal(t, db.Stat().NewConnsCount(), int64(db.Stat().TotalConns()), "no connection was closed")
	for _, c := range db.AcquireAllIdle(t.Context()) {
		require.Equal(t, byte('I'), c.Conn().PgConn().TxStatus())
		c.Release()
	}
}

func add(ctx context.Context, tx pgx.Tx, id, amount int) error {
	_, err := tx.Exec(ctx, "update accounts set balance = balance + $2 where id = $1", id, amount)
	return err
}

// move is a correct function of three statements.
func move(ctx context.Context, db txn.DB, amount int) (attempts int, err error) {
	return txn.RunInTx(ctx, db, func(ctx context.Context, tx *txn.Tx) (int, error) {
		var balance int
		if err := tx.QueryRow(ctx, "select balance from accounts where id = 1").Scan(&balance); err != nil {
			return 0, err
		}
		if balance < amount {
			return 0, errPoor
		}
		if err := add(ctx, tx, 1, -amount); err != nil {
			return 0, err
		}
		return tx.Attempt(), add(ctx, tx, 2, amount)
	})
}

var errPoor = errors.New("not enough")

// treatments are ways in which functions handle an error of the database.
var treatments = map[string]func(error) error{
	"returned":  func(err error) error { return err },
	"wrapped":   func(err error) error { return fmt.Errorf("write: %w", err) },
	"masked":    func(err error) error { return fmt.Errorf("write: %v", err) },
	"swallowed": func(error) error { return nil },
}

// recorder is a testing.TB whose test may fail.
type recorder struct {
	testing.TB
	fatal    string
	errors   []string
	cleanups []func()
	failed   bool
}

func (r *recorder) Helper()          {}
func (r *recorder) Failed() bool     { return r.failed || len(r.errors) > 0 }
func (r *recorder) Skipped() bool    { return false }
func (r *recorder) Cleanup(f func()) { r.cleanups = append(r.cleanups, f) }
func (r *recorder) Errorf(format string, args ...any) {
	r.errors = append(r.errors, fmt.Sprintf(format, args...))
}

func (r *recorder) Fatalf(format string, args ...any) {
	r.fatal = fmt.Sprintf(format, args...)
	panic(r)
}

// end ends its test.
func (r *recorder) end() []string {
	for _, f := range r.cleanups {
		f()
	}
	return r.errors
}

// fatalOf returns the message with which f ends its test.
func fatalOf(f func(t testing.TB)) string {
	r := &recorder{}
	func() {
		defer func() {
			if p := recover(); p != nil && p != any(r) {
				panic(p)
			}
		}()
		f(r)
	}()
	return r.fatal
}
