package txn_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"os"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/rowkeeper/rowkeeper/txn"
)

// shop connects to the database and creates a table of what is in stock: three pens. The
// function that it returns drops it.
func shop(ctx context.Context) (pool *pgxpool.Pool, drop func()) {
	pool, err := pgxpool.New(ctx, os.Getenv("DATABASE_URL"))
	if err != nil {
		log.Fatal(err)
	}
	_, err = pool.Exec(ctx, "create table stock (item text primary key, n bigint not null); insert into stock values ('pen', 3)")
	if err != nil {
		log.Fatal(err)
	}
	return pool, func() {
		if _, err := pool.Exec(ctx, "drop table stock"); err != nil {
			log.Fatal(err)
		}
		pool.Close()
	}
}

// The error of a call says what became of the transaction.
func ExampleOutcomeUnknownError() {
	ctx := context.Background()
	pool, drop := shop(ctx)
	defer drop()

	sell := func(item string, n int) error {
		return txn.Run(ctx, pool, func(ctx context.Context, tx *txn.Tx) error {
			var left int
			err := tx.QueryRow(ctx, "update stock set n = n - $2 where item = $1 returning n", item, n).Scan(&left)
			if err == nil && left < 0 {
				return errors.New("sold out")
			}
			return err
		})
	}
	for _, n := range []int{2, 5} {
		err := sell("pen", n)
		var unknown *txn.OutcomeUnknownError
		var committed *txn.CommittedError
		switch {
		case err == nil:
			fmt.Println("committed")
		case errors.As(err, &unknown):
			fmt.Println("perhaps committed: look before you sell again") // the answer to COMMIT was lost
		case errors.As(err, &committed):
			fmt.Println("committed, but afterwards:", committed.Err)
		default:
			fmt.Println("nothing was committed:", err)
		}
	}
	// Output:
	// committed
	// nothing was committed: sold out
}

// The callback of a batch fails when the batch is already committed.
func ExampleCommittedError() {
	ctx := context.Background()
	pool, drop := shop(ctx)
	defer drop()

	var b pgx.Batch
	b.Queue("update stock set n = n - 1 where item = 'pen' returning n").QueryRow(func(row pgx.Row) error {
		return errors.New("the cache cannot be reached")
	})
	err := txn.Batch(ctx, pool, &b)
	var committed *txn.CommittedError
	if errors.As(err, &committed) {
		fmt.Println("sold:", committed.Err)
	}
	// Output: sold: callback of query 1: the cache cannot be reached
}

// The error of a queued statement names the statement.
func ExampleQueuedError() {
	ctx := context.Background()
	pool, drop := shop(ctx)
	defer drop()

	err := txn.Run(ctx, pool, func(ctx context.Context, tx *txn.Tx) error {
		tx.Queue("insert into stock values ($1, $2)", "ink", 5)
		tx.Queue("insert into stock values ($1, $2)", "pen", 5)
		return nil
	})
	var queued *txn.QueuedError
	var server *pgconn.PgError
	if errors.As(err, &queued) && errors.As(err, &server) {
		fmt.Println(queued.SQL, server.Code)
	}
	// Output: insert into stock values ($1, $2) 23505
}

// Another transaction wins each conflict until the attempts are used up.
func ExampleExhaustedError() {
	ctx := context.Background()
	pool, drop := shop(ctx)
	defer drop()

	err := txn.Run(ctx, pool, func(ctx context.Context, tx *txn.Tx) error {
		var n int
		if err := tx.QueryRow(ctx, "select n from stock where item = 'pen'").Scan(&n); err != nil {
			return err
		}
		if _, err := pool.Exec(ctx, "update stock set n = n - 1 where item = 'pen'"); err != nil { // somebody else
			return err
		}
		_, err := tx.Exec(ctx, "update stock set n = $1 where item = 'pen'", n-1)
		return err
	}, txn.MaxAttempts(3))

	var exhausted *txn.ExhaustedError
	if errors.As(err, &exhausted) {
		fmt.Println("gave up after", exhausted.Attempts, "attempts:", exhausted.Kind().Code())
	}
	// Output: gave up after 3 attempts: contention
}

// A call that would wait longer than it may is told when to come back.
func ExampleBusyError() {
	// This stands for the error of a call that many others queue ahead of.
	var err error = &txn.BusyError{Name: "sell", Ahead: 40, Wait: 3 * time.Second}

	var busy *txn.BusyError
	if errors.As(err, &busy) {
		fmt.Printf("%s: %d calls are ahead; Retry-After: %.0f\n", busy.Name, busy.Ahead, busy.RetryAfter().Seconds())
	}
	// Output: sell: 40 calls are ahead; Retry-After: 3
}
