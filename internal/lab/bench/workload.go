package main

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"
)

// The workload is one transaction in three sizes. Each adds 1 to a balance, and
// each statement except the first needs the answer to the one before it, so nothing
// is saved by sending independent statements together.

const schema = `
create table accounts (
	id      bigint primary key,
	partner bigint not null,
	balance bigint not null
)`

const (
	increment    = "update accounts set balance = balance + 1 where id = $1"
	readPartner  = "select partner from accounts where id = $1"
	readBalance  = "select balance from accounts where id = $1"
	writeBalance = "update accounts set balance = $2 where id = $1"
)

// body is the work of a transaction.
type body int

const (
	write         body = iota // add 1 to the balance
	readWrite                 // read the balance, write it plus 1
	readReadWrite             // read who the partner is, read the partner's balance, write it plus 1
	bodies        = iota
)

// statements returns the number of statements between BEGIN and COMMIT.
func (b body) statements() int { return int(b) + 1 }

// String returns the body's name in benchmarks and in JSON.
func (b body) String() string {
	return [bodies]string{"write", "read-write", "read-read-write"}[b]
}

// transaction runs a body once, on the account with that id.
type transaction func(ctx context.Context, id int64) error

// queryRow is the method by which a body reads.
type queryRow interface {
	QueryRow(ctx context.Context, sql string, args ...any) pgx.Row
}

func read(ctx context.Context, q queryRow, sql string, id int64) (n int64, err error) {
	err = q.QueryRow(ctx, sql, id).Scan(&n)
	return n, err
}

// pgxBody is a body for the libraries that give the function a pgx.Tx.
type pgxBody func(ctx context.Context, tx pgx.Tx, id int64) error

var pgxBodies = [bodies]pgxBody{
	write: func(ctx context.Context, tx pgx.Tx, id int64) error {
		_, err := tx.Exec(ctx, increment, id)
		return err
	},
	readWrite: func(ctx context.Context, tx pgx.Tx, id int64) error {
		balance, err := read(ctx, tx, readBalance, id)
		if err != nil {
			return err
		}
		_, err = tx.Exec(ctx, writeBalance, id, balance+1)
		return err
	},
	readReadWrite: func(ctx context.Context, tx pgx.Tx, id int64) error {
		partner, err := read(ctx, tx, readPartner, id)
		if err != nil {
			return err
		}
		balance, err := read(ctx, tx, readBalance, partner)
		if err != nil {
			return err
		}
		_, err = tx.Exec(ctx, writeBalance, partner, balance+1)
		return err
	},
}

// account is two rows, each the partner of the other, that nobody else uses.
type account struct{ id, partner int64 }

// open creates a new account. A new one for each figure keeps old versions of rows,
// which CockroachDB must skip, from slowing the later figures.
func (b *fixture) open(ctx context.Context) (account, error) {
	b.opened += 2
	a := account{b.opened - 1, b.opened}
	_, err := b.admin.Exec(ctx, "insert into accounts values ($1, $2, 0), ($2, $1, 0)", a.id, a.partner)
	return a, err
}

// check refuses figures of a library that did not do its work.
func (b *fixture) check(ctx context.Context, a account, want int) error {
	var sum int64
	err := b.admin.QueryRow(ctx, "select sum(balance)::bigint from accounts where id in ($1, $2)", a.id, a.partner).Scan(&sum)
	if err == nil && sum != int64(want) {
		err = fmt.Errorf("%d transactions left a balance of %d", want, sum)
	}
	return err
}
