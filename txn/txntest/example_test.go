package txntest_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/rowkeeper/rowkeeper/txn"
	"github.com/rowkeeper/rowkeeper/txn/txntest"
)

// withdraw is the function of a service that the examples test.
func withdraw(ctx context.Context, db txn.DB, amount int) (left int, err error) {
	return txn.RunInTx(ctx, db, func(ctx context.Context, tx *txn.Tx) (left int, err error) {
		if _, err := tx.Exec(ctx, "update savings set balance = balance - $1", amount); err != nil {
			return 0, err
		}
		err = tx.QueryRow(ctx, "select balance from savings").Scan(&left)
		return left, err
	})
}

// test stands for the *testing.T of a test. It prints what the test reports.
type test struct {
	testing.TB
	cleanups []func()
}

func (t *test) Helper()                           {}
func (t *test) Cleanup(f func())                  { t.cleanups = append(t.cleanups, f) }
func (t *test) Failed() bool                      { return false }
func (t *test) Skipped() bool                     { return false }
func (t *test) Errorf(format string, args ...any) { fmt.Printf(format+"\n", args...) }
func (t *test) Fatalf(format string, args ...any) { panic(fmt.Sprintf(format, args...)) }

// end ends the test.
func (t *test) end() {
	for i := range t.cleanups {
		t.cleanups[len(t.cleanups)-1-i]()
	}
}

// savings connects to the database and creates an account with 100, for the time of a
// test.
func savings(t testing.TB) *pgxpool.Pool {
	t.Helper()
	ctx := context.Background()
	pool := txntest.Pool(t, os.Getenv("DATABASE_URL"))
	if _, err := pool.Exec(ctx, "create table savings (balance bigint not null); insert into savings values (100)"); err != nil {
		t.Fatalf("%v", err)
	}
	t.Cleanup(func() {
		if _, err := pool.Exec(ctx, "drop table savings"); err != nil {
			t.Errorf("%v", err)
		}
	})
	return pool
}

// A conflict at the second statement: the function starts again, and the amount is
// withdrawn only once.
func ExampleNew() {
	t := new(test)
	defer t.end()
	db := txntest.New(t, savings(t), txntest.ConflictAt(2))

	left, err := withdraw(context.Background(), db, 30)
	fmt.Println(left, err)
	// Output: 70 <nil>
}

// Each transaction meets a fault of its own: the first a conflict at COMMIT, the second
// one at its first statement, and the third none.
func ExampleConflictAtCommit() {
	t := new(test)
	defer t.end()
	db := txntest.New(t, savings(t), txntest.ConflictAtCommit(), txntest.ConflictAt(1))

	left, err := withdraw(context.Background(), db, 30)
	fmt.Println(left, err)
	// Output: 70 <nil>
}

// A function with a side effect: it sends its mail from inside the transaction.
func ExampleRerun() {
	t := new(test)
	defer t.end()
	db := txntest.Rerun(t, savings(t))

	var mails []string
	err := txn.Run(context.Background(), db, func(ctx context.Context, tx *txn.Tx) error {
		_, err := tx.Exec(ctx, "update savings set balance = balance - 30")
		mails = append(mails, "30 withdrawn")
		return err
	})
	fmt.Println(mails, err)
	// Output: [30 withdrawn 30 withdrawn] <nil>
}

// The answer to COMMIT is lost, although the transaction has committed.
func ExampleUnknownAtCommit() {
	t := new(test)
	defer t.end()
	pool := savings(t)
	db := txntest.New(t, pool, txntest.UnknownAtCommit(true))

	_, err := withdraw(context.Background(), db, 30)
	var unknown *txn.OutcomeUnknownError
	fmt.Println(errors.As(err, &unknown))

	var balance int
	err = pool.QueryRow(context.Background(), "select balance from savings").Scan(&balance)
	fmt.Println(balance, err)
	// Output:
	// true
	// 70 <nil>
}

// The function is given a conflict at each of its statements and at COMMIT, one after
// the other.
func ExampleEachConflict() {
	testWithdraw := func(t *testing.T) { // TestWithdraw of a service
		pool := savings(t)
		txntest.EachConflict(t, pool, func(t *testing.T, db *txntest.DB) {
			if _, err := pool.Exec(t.Context(), "update savings set balance = 100"); err != nil {
				t.Fatal(err)
			}
			left, err := withdraw(t.Context(), db, 30)
			if err != nil {
				t.Fatal(err)
			}
			if left != 70 {
				t.Errorf("%d are left, not 70", left)
			}
		})
	}
	_ = testWithdraw // go test runs it
}

// A statement that is sent on the pool, where the transaction was meant.
func ExamplePool() {
	t := new(test)
	defer t.end()
	pool := savings(t)

	err := txn.Run(context.Background(), pool, func(ctx context.Context, tx *txn.Tx) error {
		var balance int
		if err := tx.QueryRow(ctx, "select balance from savings").Scan(&balance); err != nil {
			return err
		}
		return pool.QueryRow(ctx, "select balance from savings").Scan(&balance)
	})
	fmt.Println(err)
	// Output:
	// txntest: txn: "select balance from savings" goes past the transaction of this call: inside its function use the *txn.Tx, or a call with the option RequiresNew to run beside it
	// <nil>
}

// counted is a database of a service that counts its transactions. Faults go between it
// and the code under test.
type counted struct {
	txntest.Beginner
	begun int
}

func (c *counted) BeginTx(ctx context.Context, o pgx.TxOptions) (pgx.Tx, error) {
	c.begun++
	return c.Beginner.BeginTx(ctx, o)
}

func ExampleBeginner() {
	t := new(test)
	defer t.end()
	service := &counted{Beginner: savings(t)}
	db := txntest.New(t, service, txntest.ConflictAt(1), txntest.ConflictAt(2))

	left, err := withdraw(context.Background(), db, 30)
	fmt.Println(left, err, "in transaction", service.begun)
	// Output: 70 <nil> in transaction 3
}

// Code that begins transactions itself, and does not repeat them, takes a DB too.
func ExampleDB_Begin() {
	t := new(test)
	defer t.end()
	ctx := context.Background()
	db := txntest.New(t, savings(t), txntest.ConflictAt(1))

	tx, err := db.Begin(ctx)
	if err != nil {
		t.Fatalf("%v", err)
	}
	defer func() { _ = tx.Rollback(ctx) }()
	_, err = tx.Exec(ctx, "update savings set balance = 0")
	var conflict *pgconn.PgError
	if errors.As(err, &conflict) {
		fmt.Println(conflict.Code)
	}
	// Output: 40001
}
