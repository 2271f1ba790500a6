package txntest_test

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/rowkeeper/rowkeeper/internal/devdb/dbtest"
	"github.com/rowkeeper/rowkeeper/txn"
	"github.com/rowkeeper/rowkeeper/txn/txntest"
)

// t stands for the *testing.T of your test.
var t testing.TB = exampleT{}

type exampleT struct{ testing.TB }

func (exampleT) Helper()                           {}
func (exampleT) Cleanup(func())                    {}
func (exampleT) Fatalf(format string, args ...any) { panic(fmt.Sprintf(format, args...)) }

// exampleDB stands for the *pgxpool.Pool of your tests.
func exampleDB() (*dbtest.DB, context.Context) {
	ctx := context.Background()
	db := dbtest.Example()
	for _, sql := range []string{
		"create table accounts (id bigint primary key, balance bigint)",
		"insert into accounts values (1, 100)",
	} {
		if _, err := db.Exec(ctx, sql); err != nil {
			panic(err)
		}
	}
	return db, ctx
}

// A conflict at the second statement: the function starts again, and the amount is
// withdrawn only once.
func ExampleNew() {
	pool, ctx := exampleDB()
	defer pool.Close()
	db := txntest.New(t, pool, txntest.ConflictAt(2))

	runs := 0
	left, err := txn.RunInTx(ctx, db, func(ctx context.Context, tx *txn.Tx) (left int, err error) {
		runs++
		if _, err := tx.Exec(ctx, "update accounts set balance = balance - 30 where id = 1"); err != nil {
			return 0, err
		}
		err = tx.QueryRow(ctx, "select balance from accounts where id = 1").Scan(&left)
		return left, err
	})
	fmt.Println(left, err, "after", runs, "runs")
	// Output: 70 <nil> after 2 runs
}

// A function with a side effect: it sends its mail from inside the transaction.
func ExampleRerun() {
	pool, ctx := exampleDB()
	defer pool.Close()
	db := txntest.Rerun(t, pool)

	var mails []string
	err := txn.Run(ctx, db, func(ctx context.Context, tx *txn.Tx) error {
		_, err := tx.Exec(ctx, "update accounts set balance = balance - 30 where id = 1")
		mails = append(mails, "30 withdrawn")
		return err
	})
	fmt.Println(mails, err)
	// Output: [30 withdrawn 30 withdrawn] <nil>
}

func ExampleUnknownAtCommit() {
	pool, ctx := exampleDB()
	defer pool.Close()
	db := txntest.New(t, pool, txntest.UnknownAtCommit(true))

	err := txn.Run(ctx, db, func(ctx context.Context, tx *txn.Tx) error {
		_, err := tx.Exec(ctx, "update accounts set balance = balance - 30 where id = 1")
		return err
	})
	var unknown *txn.OutcomeUnknownError
	fmt.Println(errors.As(err, &unknown))

	var balance int
	_ = pool.QueryRow(ctx, "select balance from accounts where id = 1").Scan(&balance)
	fmt.Println(balance, "in truth")
	// Output:
	// true
	// 70 in truth
}

func ExampleEachConflict() {
	pool, _ := exampleDB()
	defer pool.Close()
	withdraw := func(ctx context.Context, db txn.DB, amount int) error {
		return txn.Run(ctx, db, func(ctx context.Context, tx *txn.Tx) error {
			_, err := tx.Exec(ctx, "update accounts set balance = balance - $1 where id = 1", amount)
			return err
		})
	}

	_ = func(t *testing.T) { // TestWithdraw
		txntest.EachConflict(t, pool, func(t *testing.T, db *txntest.DB) {
			if _, err := pool.Exec(t.Context(), "update accounts set balance = 100 where id = 1"); err != nil {
				t.Fatal(err)
			}
			if err := withdraw(t.Context(), db, 30); err != nil {
				t.Fatal(err)
			}
			var balance int
			if err := pool.QueryRow(t.Context(), "select balance from accounts where id = 1").Scan(&balance); err != nil || balance != 70 {
				t.Errorf("%d are left, not 70: %v", balance, err)
			}
		})
	}
	// Output:
}
