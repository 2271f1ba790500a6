package chaos

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/rowkeeper/rowkeeper/txn/once"
)

const (
	accounts       = 4_000
	openingBalance = 100
)

// Effects have no key, so that an effect that happens twice shows as two rows.
const schema = `
create table accounts (
	id      bigint primary key,
	balance bigint not null
);
create table effects (
	call    bigint not null,
	attempt bigint not null,
	nonce   text   not null,
	debit   bigint not null,
	credit  bigint not null,
	amount  bigint not null
);
create table lists (
	key   bigint primary key,
	elems bigint[] not null
)`

// No constraint keeps balances from being negative: the clients must, and the judge
// checks it.

const (
	insertEffect = "insert into effects (call, attempt, nonce, debit, credit, amount) values ($1, $2, $3, $4, $5, $6)"
	readBalance  = "select balance from accounts where id = $1"
	writeBalance = "update accounts set balance = $2 where id = $1"
	addBalance   = "update accounts set balance = balance + $2 where id = $1"
	readList     = "select elems from lists where key = $1"
	appendList   = "insert into lists (key, elems) values ($1, array[$2::bigint]) " +
		"on conflict (key) do update set elems = array_append(lists.elems, $2::bigint)"
)

func createSchema(ctx context.Context, pool *pgxpool.Pool) error {
	for _, sql := range []string{schema, once.Schema} {
		if _, err := pool.Exec(ctx, sql); err != nil {
			return fmt.Errorf("create the schema: %w", err)
		}
	}
	_, err := pool.CopyFrom(ctx, pgx.Identifier{"accounts"}, []string{"id", "balance"}, pgx.CopyFromSlice(accounts, func(i int) ([]any, error) {
		return []any{int64(i + 1), int64(openingBalance)}, nil
	}))
	return err
}
