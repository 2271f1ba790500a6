package txn_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"log/slog"
	"os"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/rowkeeper/rowkeeper/txn"
	"github.com/rowkeeper/rowkeeper/txn/trace"
)

// library connects to the database and creates a table of books. The function that it
// returns drops it.
func library(ctx context.Context) (pool *pgxpool.Pool, drop func()) {
	pool, err := pgxpool.New(ctx, os.Getenv("DATABASE_URL"))
	if err != nil {
		log.Fatal(err)
	}
	_, err = pool.Exec(ctx, `create table books (id bigint primary key, title text not null, lent bigint not null default 0);
		insert into books values (1, 'Emma'), (2, 'Ulysses')`)
	if err != nil {
		log.Fatal(err)
	}
	return pool, func() {
		if _, err := pool.Exec(ctx, "drop table books"); err != nil {
			log.Fatal(err)
		}
		pool.Close()
	}
}

// The options of all reports. Each call may add its own.
func ExampleNew() {
	ctx := context.Background()
	pool, drop := library(ctx)
	defer drop()

	reports := txn.New(pool, txn.ReadOnly(), txn.Isolation(pgx.RepeatableRead), txn.MaxElapsed(time.Minute))

	books, err := txn.RunInTx(ctx, reports, func(ctx context.Context, tx *txn.Tx) (n int, err error) {
		return n, tx.QueryRow(ctx, "select count(*) from books").Scan(&n)
	}, txn.Name("books"))
	fmt.Println(books, err)
	// Output: 2 <nil>
}

// A job at night tries more patiently than a request, which somebody waits for.
func ExampleBackoff() {
	ctx := context.Background()
	pool, drop := library(ctx)
	defer drop()

	requests := txn.New(pool, txn.MaxElapsed(2*time.Second))
	jobs := txn.New(pool, txn.MaxElapsed(time.Hour), txn.Backoff(10*time.Millisecond, 10*time.Second))

	lend := func(ctx context.Context, tx *txn.Tx) error {
		_, err := tx.Exec(ctx, "update books set lent = lent + 1 where id = 1")
		return err
	}
	fmt.Println(txn.Run(ctx, requests, lend), txn.Run(ctx, jobs, lend))
	// Output: <nil> <nil>
}

// Calls that begin with different statements change the same row at the end, so they
// queue for it together when they conflict.
func ExampleKey() {
	ctx := context.Background()
	pool, drop := library(ctx)
	defer drop()

	add := func(id int, title string) error {
		return txn.Run(ctx, pool, func(ctx context.Context, tx *txn.Tx) error {
			if _, err := tx.Exec(ctx, "insert into books values ($1, $2)", id, title); err != nil {
				return err
			}
			_, err := tx.Exec(ctx, "update books set lent = lent + 1 where id = 1")
			return err
		}, txn.Key("book", 1))
	}
	var all sync.WaitGroup
	for id := 3; id <= 8; id++ {
		all.Go(func() {
			if err := add(id, fmt.Sprint("volume ", id)); err != nil {
				log.Print(err)
			}
		})
	}
	all.Wait()

	var lent int
	err := pool.QueryRow(ctx, "select lent from books where id = 1").Scan(&lent)
	fmt.Println(lent, err)
	// Output: 6 <nil>
}

// A health check waits for nobody and is not repeated.
func ExampleNoAdmission() {
	ctx := context.Background()
	pool, drop := library(ctx)
	defer drop()

	health := txn.New(pool, txn.NoAdmission(), txn.MaxAttempts(1))
	err := txn.Run(ctx, health, func(ctx context.Context, tx *txn.Tx) error {
		_, err := tx.Exec(ctx, "update books set lent = lent where id = 1")
		return err
	})
	fmt.Println("healthy:", err == nil)
	// Output: healthy: true
}

// To insert a row that may be there already does no harm, however late it happens. So
// the call runs again if the answer to its COMMIT is lost.
func ExampleIdempotent() {
	ctx := context.Background()
	pool, drop := library(ctx)
	defer drop()

	err := txn.Run(ctx, pool, func(ctx context.Context, tx *txn.Tx) error {
		_, err := tx.Exec(ctx, "insert into books values (3, 'Dune') on conflict (id) do nothing")
		return err
	}, txn.Idempotent())
	fmt.Println(err)
	// Output: <nil>
}

// The writes of the inner call stay, whatever becomes of the outer one.
func ExampleRequiresNew() {
	ctx := context.Background()
	pool, drop := library(ctx)
	defer drop()

	count := func(ctx context.Context) error {
		return txn.Run(ctx, pool, func(ctx context.Context, tx *txn.Tx) error {
			_, err := tx.Exec(ctx, "update books set lent = lent + 1 where id = 1")
			return err
		}, txn.RequiresNew())
	}
	err := txn.Run(ctx, pool, func(ctx context.Context, tx *txn.Tx) error {
		if _, err := tx.Exec(ctx, "delete from books where id = 2"); err != nil {
			return err
		}
		if err := count(ctx); err != nil {
			return err
		}
		return errors.New("changed my mind")
	})
	fmt.Println(err)

	var books, lent int
	err = pool.QueryRow(ctx, "select count(*), sum(lent)::bigint from books").Scan(&books, &lent)
	fmt.Println(books, lent, err)
	// Output:
	// changed my mind
	// 2 1 <nil>
}

// Log names the transaction and counts its attempts.
func ExampleTrace() {
	ctx := context.Background()
	pool, drop := library(ctx)
	defer drop()

	logger := slog.New(slog.NewTextHandler(os.Stdout, &slog.HandlerOptions{
		Level: slog.LevelDebug, // for what committed
		ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
			if a.Key == slog.TimeKey || a.Key == "elapsed" { // which differ each time
				return slog.Attr{}
			}
			return a
		},
	}))
	err := txn.Run(ctx, pool, func(ctx context.Context, tx *txn.Tx) error {
		_, err := tx.Exec(ctx, "update books set lent = lent + 1 where id = 1")
		return err
	}, txn.Name("lend"), txn.Trace(trace.Log{Logger: logger}))
	fmt.Println(err)
	// Output:
	// level=DEBUG msg="transaction committed" transaction=lend attempts=1
	// <nil>
}

// A policy of row-level security reads who the user is. Settings end with the
// transaction; CockroachDB has them since v21.2.
func ExampleSetting() {
	ctx := context.Background()
	pool, drop := library(ctx)
	defer drop()

	user, err := txn.RunInTx(ctx, pool, func(ctx context.Context, tx *txn.Tx) (user string, err error) {
		return user, tx.QueryRow(ctx, "select current_setting('app.user_id')").Scan(&user)
	}, txn.Setting("app.user_id", "42"))
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(user) // 42
}

// The server ends what takes too long. CockroachDB can since v21.2.
func ExampleTimeouts() {
	ctx := context.Background()
	pool, drop := library(ctx)
	defer drop()

	err := txn.Run(ctx, pool, func(ctx context.Context, tx *txn.Tx) error {
		_, err := tx.Exec(ctx, "update books set lent = lent + 1 where id = 1")
		return err
	}, txn.Timeouts{Statement: 5 * time.Second, Lock: time.Second})
	if err != nil {
		log.Fatal(err)
	}
}

// On CockroachDB, all pages of a report show the same moment, and meet no conflicts.
func ExampleAsOf() {
	ctx := context.Background()
	pool, err := pgxpool.New(ctx, os.Getenv("DATABASE_URL"))
	if err != nil {
		log.Fatal(err)
	}
	defer pool.Close()

	moment := time.Now().Add(-10 * time.Second)
	for page := range 3 {
		titles, err := txn.RunInTx(ctx, pool, func(ctx context.Context, tx *txn.Tx) ([]string, error) {
			rows, err := tx.Query(ctx, "select title from books order by id limit 100 offset $1", 100*page)
			if err != nil {
				return nil, err
			}
			return pgx.CollectRows(rows, pgx.RowTo[string])
		}, txn.AsOf(moment))
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(titles)
	}
}

// On CockroachDB, the nearest replica answers with data that is some seconds old.
func ExampleFollowerRead() {
	ctx := context.Background()
	pool, err := pgxpool.New(ctx, os.Getenv("DATABASE_URL"))
	if err != nil {
		log.Fatal(err)
	}
	defer pool.Close()

	n, err := txn.RunInTx(ctx, pool, func(ctx context.Context, tx *txn.Tx) (n int, err error) {
		return n, tx.QueryRow(ctx, "select count(*) from books").Scan(&n)
	}, txn.FollowerRead())
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(n)
}

// On CockroachDB, a job at night gives way to everybody, and everybody to a return that
// must be noted.
func ExampleLowPriority() {
	ctx := context.Background()
	pool, drop := library(ctx)
	defer drop()

	err := txn.Run(ctx, pool, func(ctx context.Context, tx *txn.Tx) error {
		_, err := tx.Exec(ctx, "delete from books where title = ''")
		return err
	}, txn.LowPriority())
	if err != nil {
		log.Fatal(err)
	}

	err = txn.Run(ctx, pool, func(ctx context.Context, tx *txn.Tx) error {
		_, err := tx.Exec(ctx, "update books set lent = lent - 1 where id = 1")
		return err
	}, txn.HighPriority())
	if err != nil {
		log.Fatal(err)
	}
}
