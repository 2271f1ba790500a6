package once_test

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/rowkeeper/rowkeeper/internal/devdb/dbtest"
	"github.com/rowkeeper/rowkeeper/txn"
	"github.com/rowkeeper/rowkeeper/txn/once"
)

// service stands for the *pgxpool.Pool of a service and its context.
func service(sql ...string) (*dbtest.DB, context.Context) {
	ctx := context.Background()
	db := dbtest.Example()
	for _, s := range sql {
		if _, err := db.Exec(ctx, s); err != nil {
			panic(err)
		}
	}
	return db, ctx
}

// The request is made twice, as by a client that got no answer, and is executed once.
func ExampleKey() {
	pool, ctx := service(
		once.Schema,
		"create table accounts (id bigint primary key, balance bigint)",
		"insert into accounts values (1, 100)",
	)
	defer pool.Close()

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

func ExampleLedger() {
	pool, ctx := service(once.Schema)
	defer pool.Close()

	ledger := once.Ledger{Retention: 7 * 24 * time.Hour, NoWait: true}
	err := txn.Run(ctx, pool, func(ctx context.Context, tx *txn.Tx) error {
		// A second request with the key of a running one would get ErrInFlight.
		return txn.Run(ctx, pool, func(context.Context, *txn.Tx) error { return nil },
			txn.RequiresNew(), ledger.Key("payouts", "2026-11", nil))
	}, once.Key("payouts", "2026-12", nil))
	fmt.Println(err)
	// Output: <nil>
}

func ExampleClean() {
	pool, ctx := service(once.Schema, `insert into rowkeeper_ledger (namespace, key, attempt, request, expires_at)
		values ('orders', 'old', 'a', '', now() - interval '1 hour'), ('orders', 'new', 'b', '', now() + interval '1 hour')`)
	defer pool.Close()

	fmt.Println(once.Clean(ctx, pool))
	// Output: 1 <nil>
}

func ExampleResultTooLargeError() {
	pool, ctx := service(once.Schema)
	defer pool.Close()

	_, err := txn.RunInTx(ctx, pool, func(context.Context, *txn.Tx) ([]byte, error) {
		return make([]byte, 1<<20), nil
	}, once.Key("reports", "2026", nil))
	var large *once.ResultTooLargeError
	fmt.Println(errors.As(err, &large), large.Size)
	// Output: true 1398106
}
