package txn_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/rowkeeper/rowkeeper/internal/devdb/dbtest"
	"github.com/rowkeeper/rowkeeper/txn"
)

// exampleDB stands for the *pgxpool.Pool of a service.
func exampleDB(sql ...string) (*dbtest.DB, context.Context) {
	ctx := context.Background()
	db := dbtest.Example()
	for _, s := range sql {
		if _, err := db.Exec(ctx, s); err != nil {
			panic(err)
		}
	}
	return db, ctx
}

func ExampleRunInTx() {
	pool, ctx := exampleDB(
		"create table accounts (id bigint primary key, balance bigint)",
		"insert into accounts values (1, 100)",
	)
	defer pool.Close()

	left, err := txn.RunInTx(ctx, pool, func(ctx context.Context, tx *txn.Tx) (int, error) {
		var balance int
		if err := tx.QueryRow(ctx, "select balance from accounts where id = $1", 1).Scan(&balance); err != nil {
			return 0, err
		}
		balance -= 30
		_, err := tx.Exec(ctx, "update accounts set balance = $2 where id = $1", 1, balance)
		return balance, err
	})
	fmt.Println(left, err)
	// Output: 70 <nil>
}

func ExampleRun() {
	pool, ctx := exampleDB("create table notes (text text)")
	defer pool.Close()

	err := txn.Run(ctx, pool, func(ctx context.Context, tx *txn.Tx) error {
		if _, err := tx.Exec(ctx, "insert into notes values ('first')"); err != nil {
			return err
		}
		return errors.New("changed my mind") // rolls back
	})
	fmt.Println(err)

	var n int
	_ = pool.QueryRow(ctx, "select count(*) from notes").Scan(&n)
	fmt.Println(n, "notes")
	// Output:
	// changed my mind
	// 0 notes
}

// A function that can run alone joins a transaction if it is given one.
func ExampleRun_join() {
	pool, ctx := exampleDB("create table log (line text)")
	defer pool.Close()

	write := func(ctx context.Context, db txn.DB, line string) error {
		return txn.Run(ctx, db, func(ctx context.Context, tx *txn.Tx) error {
			_, err := tx.Exec(ctx, "insert into log values ($1)", line)
			return err
		})
	}

	err := txn.Run(ctx, pool, func(ctx context.Context, tx *txn.Tx) error {
		if err := write(ctx, tx, "one"); err != nil {
			return err
		}
		return write(ctx, tx, "two")
	})
	var n int
	_ = pool.QueryRow(ctx, "select count(*) from log").Scan(&n)
	fmt.Println(n, err)
	// Output: 2 <nil>
}

// The write travels with COMMIT: two round trips instead of three.
func ExampleTx_Queue() {
	pool, ctx := exampleDB(
		"create table accounts (id bigint primary key, balance bigint)",
		"insert into accounts values (1, 100)",
	)
	defer pool.Close()

	left, err := txn.RunInTx(ctx, pool, func(ctx context.Context, tx *txn.Tx) (int, error) {
		var balance int
		if err := tx.QueryRow(ctx, "select balance from accounts where id = $1", 1).Scan(&balance); err != nil {
			return 0, err
		}
		balance -= 30
		tx.Queue("update accounts set balance = $2 where id = $1", 1, balance)
		return balance, nil
	})
	fmt.Println(left, err)
	// Output: 70 <nil>
}

// A write that must find its row is checked by the database.
func ExampleTx_QueueExpect() {
	pool, ctx := exampleDB("create table accounts (id bigint primary key, balance bigint)")
	defer pool.Close()

	err := txn.Run(ctx, pool, func(ctx context.Context, tx *txn.Tx) error {
		tx.QueueExpect(1, "update accounts set balance = balance + $2 where id = $1", 7, 30)
		return nil
	})
	var unexpected *txn.UnexpectedRowsError
	if errors.As(err, &unexpected) {
		fmt.Println("expected", unexpected.Want, "row, changed", unexpected.Got)
	}
	// Output: expected 1 row, changed 0
}

// A mail is sent once, after the commit, however often the function runs.
func ExampleTx_OnCommit() {
	pool, ctx := exampleDB("create table orders (id bigint primary key)")
	defer pool.Close()

	err := txn.Run(ctx, pool, func(ctx context.Context, tx *txn.Tx) error {
		tx.Queue("insert into orders values ($1)", 1)
		tx.OnCommit(func(ctx context.Context) { fmt.Println("mail sent") })
		fmt.Println("order written")
		return nil
	})
	fmt.Println(err)
	// Output:
	// order written
	// mail sent
	// <nil>
}

// All queries run from BEGIN to COMMIT in one round trip.
func ExampleBatch() {
	pool, ctx := exampleDB(
		"create table accounts (id bigint primary key, balance bigint)",
		"insert into accounts values (1, 100), (2, 100)",
	)
	defer pool.Close()

	var b pgx.Batch
	b.Queue("update accounts set balance = balance - $2 where id = $1", 1, 30)
	b.Queue("update accounts set balance = balance + $2 where id = $1", 2, 30)
	b.Queue("select sum(balance)::bigint from accounts").QueryRow(func(row pgx.Row) error {
		var sum int
		err := row.Scan(&sum)
		fmt.Println("in all", sum)
		return err
	})
	fmt.Println(txn.Batch(ctx, pool, &b))
	// Output:
	// in all 200
	// <nil>
}

func ExampleNew() {
	pool, ctx := exampleDB()
	defer pool.Close()

	reports := txn.New(pool, txn.Name("report"), txn.ReadOnly(), txn.Isolation(pgx.RepeatableRead), txn.MaxElapsed(time.Minute))

	answer, err := txn.RunInTx(ctx, reports, func(ctx context.Context, tx *txn.Tx) (n int, err error) {
		return n, tx.QueryRow(ctx, "select 6 * 7").Scan(&n)
	})
	fmt.Println(answer, err)
	// Output: 42 <nil>
}

// A pool that finds the primary again after a failover: it names all hosts and requires
// one that accepts writes, and pgx closes a connection that no longer does.
func Example_failover() {
	config, err := pgxpool.ParseConfig("postgres://app@db1,db2/bank?target_session_attrs=read-write")
	if err != nil {
		log.Fatal(err)
	}
	config.ConnConfig.OnPgError = func(_ *pgconn.PgConn, err *pgconn.PgError) bool {
		return err.Code != "25006" && err.Severity != "FATAL" && err.Severity != "PANIC"
	}
	pool, err := pgxpool.NewWithConfig(context.Background(), config) // which connects when it is used
	if err != nil {
		log.Fatal(err)
	}
	defer pool.Close()
	fmt.Println(len(pool.Config().ConnConfig.Fallbacks) > 0)
	// Output: true
}

// Another transaction wins each conflict until the attempts are used up.
func ExampleExhaustedError() {
	pool, ctx := exampleDB(
		"create table counters (id bigint primary key, n bigint)",
		"insert into counters values (1, 0)",
	)
	defer pool.Close()

	err := txn.Run(ctx, pool, func(ctx context.Context, tx *txn.Tx) error {
		var n int
		if err := tx.QueryRow(ctx, "select n from counters where id = 1").Scan(&n); err != nil {
			return err
		}
		if _, err := pool.Exec(ctx, "update counters set n = n + 1 where id = 1"); err != nil { // somebody else
			return err
		}
		_, err := tx.Exec(ctx, "update counters set n = $1 where id = 1", n+1)
		return err
	}, txn.MaxAttempts(3))

	var exhausted *txn.ExhaustedError
	if errors.As(err, &exhausted) {
		fmt.Println("gave up after", exhausted.Attempts, "attempts:", exhausted.Kind().Code())
	}
	// Output: gave up after 3 attempts: contention
}
