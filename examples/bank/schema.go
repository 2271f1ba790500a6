package main

import (
	"context"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/rowkeeper/rowkeeper/txn/once"
)

// schema is the same for CockroachDB and PostgreSQL. Keys begin with the owner, so
// a transfer can only refer to accounts of its own user.
const schema = `
create table users (
	id         uuid  not null default gen_random_uuid(),
	name       text  not null,
	token_hash bytea not null,
	constraint users_pkey primary key (id),
	constraint users_token_hash_key unique (token_hash)
);
create table accounts (
	user_id    uuid        not null,
	id         uuid        not null default gen_random_uuid(),
	name       text        not null,
	balance    bigint      not null default 0,
	created_at timestamptz not null default now(),
	constraint accounts_pkey primary key (user_id, id),
	constraint accounts_user_id_fkey foreign key (user_id) references users (id),
	constraint accounts_name_key unique (user_id, name),
	constraint accounts_balance_check check (balance >= 0),
	constraint accounts_balance_limit check (balance <= 1000000000000000)
);
create table transfers (
	user_id    uuid        not null,
	id         uuid        not null default gen_random_uuid(),
	from_id    uuid        not null,
	to_id      uuid        not null,
	amount     bigint      not null,
	created_at timestamptz not null default now(),
	constraint transfers_pkey primary key (user_id, id),
	constraint transfers_from_fkey foreign key (user_id, from_id) references accounts (user_id, id),
	constraint transfers_to_fkey foreign key (user_id, to_id) references accounts (user_id, id),
	constraint transfers_amount_check check (amount > 0),
	constraint transfers_accounts_check check (from_id <> to_id)
);
`

func createSchema(ctx context.Context, pool *pgxpool.Pool) error {
	_, err := pool.Exec(ctx, schema+once.Schema)
	return err
}
