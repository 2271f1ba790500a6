package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"time"
)

// hotSchema is created again for each line of the table: CockroachDB gets slower
// with every old version of a hot row. Each page has free space (CockroachDB
// ignores the setting), so that PostgreSQL puts a row's new version beside the old
// one and need not change the index, whose pages SERIALIZABLE watches too.
const hotSchema = `
create table hot_accounts (
	id      bigint primary key,
	balance bigint not null
) with (fillfactor = 10);
create table hot_settings (
	id    bigint primary key,
	value bigint not null
);
insert into hot_settings values (1, 1), (2, 1)`

const (
	hotRead    = "select balance from hot_accounts where id = $1"
	hotWrite   = "update hot_accounts set balance = $2 where id = $1"
	hotSetting = "select value from hot_settings where id = $1"
	hotSeen    = "select count(*) from hot_settings where id = $1"
	hotTouch   = "update hot_settings set value = $2 where id = $1"
	hotOpen    = "insert into hot_accounts select generate_series(1, $1::bigint), 0"
	hotSum     = "select sum(balance)::bigint from hot_accounts"
)

// hotRows is the number of accounts that workers share. Behind them, each worker
// has an account of its own.
const hotRows = 10

func ownRow(worker int) int64 { return hotRows + 1 + int64(worker) }

// hotTx is the interface of a transaction's statements: they are the same for all
// candidates, and only the way to send a write differs.
type hotTx struct {
	queryRow
	write func(ctx context.Context, sql string, args ...any) error
}

// work is the function of a transaction. It adds 1 to the sum of all balances.
type work func(ctx context.Context, tx hotTx) error

// scenario is a kind of contention.
type scenario struct {
	key, name string

	// next returns the worker's next work, and whether it meets others there.
	next func(worker int) (do work, hot bool)

	convoy   time.Duration // a transaction of a convoy lasts so long, give or take a quarter
	deadline time.Duration // of each call; 0: that of the suite
}

// The baseline of mixed.
const withoutHotRow = "own"

var scenarios = append([]scenario{
	{key: "hot", name: "one hot row", next: func(int) (work, bool) { return add(1), true }},
	{key: "ten", name: "ten hot rows", next: func(int) (work, bool) { return add(anyOf(hotRows)), true }},
	{key: "mixed", name: "one hot row in 10% of transactions, otherwise a row of the worker's own", next: func(worker int) (work, bool) {
		if rand.IntN(10) == 0 {
			return add(1), true
		}
		return add(ownRow(worker)), false
	}},
	{key: withoutHotRow, name: "a row of the worker's own, no conflicts", next: func(worker int) (work, bool) { return add(ownRow(worker)), false }},
	{key: "transfers-2", name: "transfers between two accounts, in both orders", next: func(int) (work, bool) { return transfer(2), true }},
	{key: "transfers-10", name: "transfers between two of ten accounts, in both orders", next: func(int) (work, bool) { return transfer(10), true }},
	{key: "innocent", name: "all read one settings row first, then use a row of the worker's own", next: func(worker int) (work, bool) {
		return after(hotSetting, 1, add(ownRow(worker))), false
	}},
	{key: "unique", name: "a first statement that is never the same, then one hot row", next: func(int) (work, bool) {
		return after(hotSeen, 3+rand.Int64N(1<<62), add(1)), true
	}},
}, convoys()...)

func anyOf(n int) int64 { return 1 + rand.Int64N(int64(n)) }

// add reads a balance and writes it plus 1.
func add(id int64) work {
	return func(ctx context.Context, tx hotTx) error {
		balance, err := read(ctx, tx, hotRead, id)
		if err != nil {
			return err
		}
		return tx.write(ctx, hotWrite, id, balance+1)
	}
}

// transfer moves 1 from any of n accounts to any other. The bank adds 1, so
// that here too the sum counts the transactions.
func transfer(n int) work {
	from, to := anyOf(n), anyOf(n-1)
	if to >= from {
		to++
	}
	return func(ctx context.Context, tx hotTx) error {
		less, err := read(ctx, tx, hotRead, from)
		if err != nil {
			return err
		}
		more, err := read(ctx, tx, hotRead, to)
		if err != nil {
			return err
		}
		if err := tx.write(ctx, hotWrite, from, less-1); err != nil {
			return err
		}
		return tx.write(ctx, hotWrite, to, more+2)
	}
}

// after reads a row that nobody writes, then does the rest.
func after(sql string, id int64, do work) work {
	return func(ctx context.Context, tx hotTx) error {
		if _, err := read(ctx, tx, sql, id); err != nil {
			return err
		}
		return do(ctx, tx)
	}
}

// openHot creates the tables of one line, with a row for each worker.
func (b *fixture) openHot(ctx context.Context, workers int) error {
	if _, err := b.admin.Exec(ctx, hotSchema); err != nil {
		return err
	}
	_, err := b.admin.Exec(ctx, hotOpen, max(ownRow(workers), 500))
	return err
}

func (b *fixture) hotSum(ctx context.Context) (sum int, err error) {
	err = b.admin.QueryRow(ctx, hotSum).Scan(&sum)
	return sum, err
}

// scenariosNamed returns the scenario with that name, or all that the name stands
// for.
func scenariosNamed(key string) ([]scenario, error) {
	if key == convoy {
		return convoys(), nil
	}
	s, err := scenarioNamed(key)
	return []scenario{s}, err
}

func scenarioNamed(key string) (s scenario, err error) {
	for _, s := range scenarios {
		if s.key == key {
			return s, nil
		}
	}
	return s, fmt.Errorf("there is no such scenario; there is %s, %s", joined(scenarios, func(s scenario) string { return s.key }), convoy)
}
