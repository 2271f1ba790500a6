package once_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"os"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/rowkeeper/rowkeeper/txn"
	"github.com/rowkeeper/rowkeeper/txn/once"
)

// bank connects to the database and creates the ledger and an account with 100. The
// function that it returns drops them.
func bank(ctx context.Context) (pool *pgxpool.Pool, drop func()) {
	pool, err := pgxpool.New(ctx, os.Getenv("DATABASE_URL"))
	if err != nil {
		log.Fatal(err)
	}
	_, err = pool.Exec(ctx, once.Schema+`;
		create table accounts (id bigint primary key, balance bigint not null);
		insert into accounts values (1, 100)`)
	if err != nil {
		log.Fatal(err)
	}
	return pool, func() {
		if _, err := pool.Exec(ctx, "drop table accounts, rowkeeper_ledger"); err != nil {
			log.Fatal(err)
		}
		pool.Close()
	}
}

// The request is made twice, as by a client that got no answer, and is executed once.
func ExampleKey() {
	ctx := context.Background()
	pool, drop := bank(ctx)
	defer drop()

	type withdrawal struct{ Account, Amount int }
	withdraw := func(user, key string, w withdrawal) (left int, err error) {
		return txn.RunInTx(ctx, pool, func(ctx context.Context, tx *txn.Tx) (left int, err error) {
			err = tx.QueryRow(ctx, "update accounts set balance = balance - $2 where id = $1 returning balance", w.Account, w.Amount).Scan(&left)
			return left, err
		}, once.Key("withdrawals/"+user, key, w))
	}
	fmt.Println(withdraw("alice", "k1", withdrawal{1, 30}))
	fmt.Println(withdraw("alice", "k1", withdrawal{1, 30}))
	fmt.Println(withdraw("alice", "k2", withdrawal{1, 30}))
	_, err := withdraw("alice", "k1", withdrawal{1, 50})
	fmt.Println(errors.Is(err, once.ErrKeyReused))
	// Output:
	// 70 <nil>
	// 70 <nil>
	// 40 <nil>
	// true
}

// Keys are kept for a week, and a request that is made again while it is executed is
// refused.
func ExampleLedger() {
	ctx := context.Background()
	pool, drop := bank(ctx)
	defer drop()

	ledger := once.Ledger{Retention: 7 * 24 * time.Hour, NoWait: true}
	pay := func(month string, executing func()) error {
		return txn.Run(ctx, pool, func(ctx context.Context, tx *txn.Tx) error {
			_, err := tx.Exec(ctx, "update accounts set balance = balance + 10")
			executing()
			return err
		}, ledger.Key("payouts", month, nil))
	}

	err := pay("2026-12", func() {
		again := pay("2026-12", func() {})
		fmt.Println(errors.Is(again, once.ErrInFlight))
	})
	fmt.Println(err)
	// Output:
	// true
	// <nil>
}

// A job that runs now and then.
func ExampleClean() {
	ctx := context.Background()
	pool, drop := bank(ctx)
	defer drop()
	_, err := pool.Exec(ctx, `insert into rowkeeper_ledger (namespace, key, attempt, request, expires_at)
		values ('orders', 'old', 'a', '', now() - interval '1 hour'), ('orders', 'new', 'b', '', now() + interval '1 hour')`)
	if err != nil {
		log.Fatal(err)
	}

	deleted, err := once.Clean(ctx, pool)
	fmt.Println(deleted, err)
	// Output: 1 <nil>
}

// The key comes from a client, who is told what is wrong with it.
func ExampleKeyError() {
	ctx := context.Background()
	pool, drop := bank(ctx)
	defer drop()

	err := txn.Run(ctx, pool, func(ctx context.Context, tx *txn.Tx) error {
		_, err := tx.Exec(ctx, "update accounts set balance = balance + 10 where id = 1")
		return err
	}, once.Key("deposits/alice", "", nil))
	var invalid *once.KeyError
	if errors.As(err, &invalid) {
		fmt.Println(invalid.Kind().Status(), invalid.Fields()[0].Detail)
	}
	// Output: 400 The idempotency key is empty.
}

func ExampleResultTooLargeError() {
	ctx := context.Background()
	pool, drop := bank(ctx)
	defer drop()

	_, err := txn.RunInTx(ctx, pool, func(context.Context, *txn.Tx) ([]byte, error) {
		return make([]byte, 1<<20), nil
	}, once.Key("reports", "2026", nil))
	var large *once.ResultTooLargeError
	if errors.As(err, &large) {
		fmt.Println("the result takes", large.Size, "bytes: return its address instead")
	}
	// Output: the result takes 1398106 bytes: return its address instead
}
