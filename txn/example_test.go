package txn_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"os"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/rowkeeper/rowkeeper/txn"
)

// bank connects to the database and creates accounts 1 and 2 with 100 each. The function
// that it returns drops them.
func bank(ctx context.Context) (pool *pgxpool.Pool, drop func()) {
	pool, err := pgxpool.New(ctx, os.Getenv("DATABASE_URL"))
	if err != nil {
		log.Fatal(err)
	}
	_, err = pool.Exec(ctx, `create table accounts (id bigint primary key, balance bigint not null);
		insert into accounts values (1, 100), (2, 100)`)
	if err != nil {
		log.Fatal(err)
	}
	return pool, func() {
		if _, err := pool.Exec(ctx, "drop table accounts"); err != nil {
			log.Fatal(err)
		}
		pool.Close()
	}
}

func ExampleRunInTx() {
	ctx := context.Background()
	pool, drop := bank(ctx)
	defer drop()

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
	ctx := context.Background()
	pool, drop := bank(ctx)
	defer drop()

	err := txn.Run(ctx, pool, func(ctx context.Context, tx *txn.Tx) error {
		if _, err := tx.Exec(ctx, "insert into accounts values (3, 0)"); err != nil {
			return err
		}
		return errors.New("changed my mind") // rolls back
	})
	fmt.Println(err)

	var n int
	err = pool.QueryRow(ctx, "select count(*) from accounts").Scan(&n)
	fmt.Println(n, "accounts", err)
	// Output:
	// changed my mind
	// 2 accounts <nil>
}

// A function that can run alone joins a transaction if it is given one.
func ExampleRun_join() {
	ctx := context.Background()
	pool, drop := bank(ctx)
	defer drop()

	add := func(ctx context.Context, db txn.DB, id, amount int) error {
		return txn.Run(ctx, db, func(ctx context.Context, tx *txn.Tx) error {
			_, err := tx.Exec(ctx, "update accounts set balance = balance + $2 where id = $1", id, amount)
			return err
		})
	}

	err := txn.Run(ctx, pool, func(ctx context.Context, tx *txn.Tx) error {
		if err := add(ctx, tx, 1, -30); err != nil {
			return err
		}
		return add(ctx, tx, 2, 30)
	})
	fmt.Println(err)
	// Output: <nil>
}

// The write travels with COMMIT: two round trips instead of three.
func ExampleTx_Queue() {
	ctx := context.Background()
	pool, drop := bank(ctx)
	defer drop()

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
	ctx := context.Background()
	pool, drop := bank(ctx)
	defer drop()

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
	ctx := context.Background()
	pool, drop := bank(ctx)
	defer drop()

	err := txn.Run(ctx, pool, func(ctx context.Context, tx *txn.Tx) error {
		tx.Queue("insert into accounts values (3, 0)")
		tx.OnCommit(func(ctx context.Context) { fmt.Println("mail sent") })
		fmt.Println("account opened")
		return nil
	})
	fmt.Println(err)
	// Output:
	// account opened
	// mail sent
	// <nil>
}

// Another transaction wins the first conflict, so the function runs again.
func ExampleTx_Attempt() {
	ctx := context.Background()
	pool, drop := bank(ctx)
	defer drop()

	err := txn.Run(ctx, pool, func(ctx context.Context, tx *txn.Tx) error {
		var balance int
		if err := tx.QueryRow(ctx, "select balance from accounts where id = 1").Scan(&balance); err != nil {
			return err
		}
		fmt.Println("attempt", tx.Attempt(), "reads", balance)
		if tx.Attempt() == 1 { // somebody else is faster
			if _, err := pool.Exec(ctx, "update accounts set balance = 90 where id = 1"); err != nil {
				return err
			}
		}
		_, err := tx.Exec(ctx, "update accounts set balance = $1 where id = 1", balance-30)
		return err
	})
	fmt.Println(err)
	// Output:
	// attempt 1 reads 100
	// attempt 2 reads 90
	// <nil>
}

// A savepoint undoes a part of the transaction.
func ExampleTx_Begin() {
	ctx := context.Background()
	pool, drop := bank(ctx)
	defer drop()

	open := func(ctx context.Context, tx pgx.Tx, id int) error {
		savepoint, err := tx.Begin(ctx)
		if err != nil {
			return err
		}
		_, err = savepoint.Exec(ctx, "insert into accounts values ($1, 0)", id)
		var taken *pgconn.PgError
		switch {
		case err == nil:
			return savepoint.Commit(ctx)
		case errors.As(err, &taken) && taken.Code == "23505":
			fmt.Println(id, "is taken")
			return savepoint.Rollback(ctx)
		default:
			return err
		}
	}
	err := txn.Run(ctx, pool, func(ctx context.Context, tx *txn.Tx) error {
		return errors.Join(open(ctx, tx, 2), open(ctx, tx, 3))
	})
	fmt.Println(err)

	var n int
	err = pool.QueryRow(ctx, "select count(*) from accounts").Scan(&n)
	fmt.Println(n, "accounts", err)
	// Output:
	// 2 is taken
	// <nil>
	// 3 accounts <nil>
}

// A Tx is a pgx.Tx, so what works with one works with it.
func ExampleTx_Query() {
	ctx := context.Background()
	pool, drop := bank(ctx)
	defer drop()

	type account struct{ ID, Balance int64 }
	accounts, err := txn.RunInTx(ctx, pool, func(ctx context.Context, tx *txn.Tx) ([]account, error) {
		rows, err := tx.Query(ctx, "select id, balance from accounts order by id")
		if err != nil {
			return nil, err
		}
		return pgx.CollectRows(rows, pgx.RowToStructByPos[account])
	})
	fmt.Println(accounts, err)
	// Output: [{1 100} {2 100}] <nil>
}

// The rows are read anew by each run of the function.
func ExampleTx_CopyFrom() {
	ctx := context.Background()
	pool, drop := bank(ctx)
	defer drop()

	rows := [][]any{{3, 50}, {4, 70}}
	copied, err := txn.RunInTx(ctx, pool, func(ctx context.Context, tx *txn.Tx) (int64, error) {
		return tx.CopyFrom(ctx, pgx.Identifier{"accounts"}, []string{"id", "balance"}, pgx.CopyFromRows(rows))
	})
	fmt.Println(copied, err)
	// Output: 2 <nil>
}

// A batch within a transaction takes one round trip.
func ExampleTx_SendBatch() {
	ctx := context.Background()
	pool, drop := bank(ctx)
	defer drop()

	err := txn.Run(ctx, pool, func(ctx context.Context, tx *txn.Tx) error {
		var b pgx.Batch
		for _, id := range []int{1, 2} {
			b.Queue("select balance from accounts where id = $1", id).QueryRow(func(row pgx.Row) error {
				var balance int
				err := row.Scan(&balance)
				fmt.Println(id, balance)
				return err
			})
		}
		return tx.SendBatch(ctx, &b).Close()
	})
	fmt.Println(err)
	// Output:
	// 1 100
	// 2 100
	// <nil>
}

// All queries run from BEGIN to COMMIT in one round trip.
func ExampleBatch() {
	ctx := context.Background()
	pool, drop := bank(ctx)
	defer drop()

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

// A Runner is given to code that begins its transactions itself.
func ExampleRunner_Begin() {
	ctx := context.Background()
	pool, drop := bank(ctx)
	defer drop()

	reader := txn.New(pool, txn.ReadOnly())
	tx, err := reader.Begin(ctx)
	if err != nil {
		log.Fatal(err)
	}
	defer func() { _ = tx.Rollback(ctx) }()
	_, err = tx.Exec(ctx, "update accounts set balance = 0")
	var refused *pgconn.PgError
	fmt.Println(errors.As(err, &refused), refused.Code) // read_only_sql_transaction
	// Output: true 25006
}

// A statement that bypasses the transaction is refused.
func ExampleGuardPool() {
	ctx := context.Background()
	config, err := pgxpool.ParseConfig(os.Getenv("DATABASE_URL"))
	if err != nil {
		log.Fatal(err)
	}
	txn.GuardPool(config, nil)
	pool, err := pgxpool.NewWithConfig(ctx, config)
	if err != nil {
		log.Fatal(err)
	}
	defer pool.Close()

	var inside, outside int
	err = txn.Run(ctx, pool, func(ctx context.Context, tx *txn.Tx) error {
		if err := tx.QueryRow(ctx, "select 1").Scan(&inside); err != nil {
			return err
		}
		return pool.QueryRow(ctx, "select 2").Scan(&outside) // tx was meant
	})
	fmt.Println(inside, outside, err != nil)
	// Output: 1 0 true
}
