package txn_test

import (
	"context"
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

func balance(t testing.TB, db *dbtest.DB, id int) (n int) {
	t.Helper()
	require.NoError(t, db.QueryRow(t.Context(), "select balance from accounts where id = $1", id).Scan(&n))
	return n
}

func rowsIn(t testing.TB, db *dbtest.DB) (n int) {
	t.Helper()
	require.NoError(t, db.QueryRow(t.Context(), "select count(*) from accounts").Scan(&n))
	return n
}

func read(ctx context.Context, q interface {
	QueryRow(context.Context, string, ...any) pgx.Row
}, id int) (n int, err error) {
	err = q.QueryRow(ctx, "select balance from accounts where id = $1", id).Scan(&n)
	return n, err
}

func write(ctx context.Context, tx pgx.Tx, id, balance int) error {
	_, err := tx.Exec(ctx, "update accounts set balance = $2 where id = $1", id, balance)
	return err
}

// collide returns a function whose first run conflicts: another transaction writes the
// row between its read and its write. It returns what handle makes of the error of that
// write.
func collide(db *dbtest.DB, handle func(error) error) func(context.Context, *txn.Tx) (int, error) {
	return func(ctx context.Context, tx *txn.Tx) (int, error) {
		n, err := read(ctx, tx, 1)
		if err != nil {
			return 0, err
		}
		if tx.Attempt() == 1 {
			if _, err := db.Exec(ctx, "update accounts set balance = balance + 10 where id = 1"); err != nil {
				return 0, err
			}
		}
		if err := write(ctx, tx, 1, n+1); err != nil {
			return 0, handle(err)
		}
		return tx.Attempt(), nil
	}
}

func asIs(err error) error { return err }
