package brokenbank

import (
	"context"
	"crypto/sha256"
	"encoding/hex"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/rowkeeper/rowkeeper/txn/once"
)

// schema is the same for both engines. The constraints that faults leave out follow.
const schema = `
create table users (
	id          uuid  not null default gen_random_uuid(),
	name        text  not null,
	token_start text  not null,
	token_hash  bytea not null,
	constraint users_pkey primary key (id),
	constraint users_token_hash_key unique (token_hash)
);
create table notices (
	id      uuid not null default gen_random_uuid(),
	title   text not null,
	constraint notices_pkey primary key (id)
);
create table accounts (
	user_id    uuid        not null,
	id         uuid        not null default gen_random_uuid(),
	name       text        not null,
	balance    bigint      not null default 0,
	version    bigint      not null default 1,
	created_at timestamptz not null default now(),
	constraint accounts_pkey primary key (id),
	constraint accounts_user_id_fkey foreign key (user_id) references users (id),
	constraint accounts_balance_limit check (balance <= 1000000000000000)
);
create index accounts_user_id_idx on accounts (user_id, id);
create table transfers (
	user_id    uuid        not null,
	id         uuid        not null default gen_random_uuid(),
	from_id    uuid        not null,
	to_id      uuid        not null,
	amount     bigint      not null,
	created_at timestamptz not null default now(),
	constraint transfers_pkey primary key (id),
	constraint transfers_from_fkey foreign key (from_id) references accounts (id),
	constraint transfers_to_fkey foreign key (to_id) references accounts (id),
	constraint transfers_amount_check check (amount > 0)
);
create index transfers_user_id_idx on transfers (user_id, id);
`

const (
	nameKey      = `create unique index accounts_name_key on accounts (user_id, name);`
	balanceCheck = `alter table accounts add constraint accounts_balance_check check (balance >= 0);`
)

// CreateSchema creates the bank's tables, without the constraints that would stop the
// fault.
func CreateSchema(ctx context.Context, pool *pgxpool.Pool, fault Fault) error {
	statements := []string{schema, once.Schema}
	if fault != NameRace {
		statements = append(statements, nameKey)
	}
	if fault != WithdrawRace {
		statements = append(statements, balanceCheck)
	}
	for _, s := range statements {
		if _, err := pool.Exec(ctx, s); err != nil {
			return err
		}
	}
	return nil
}

// prefix is how much of a token the fault TokenPrefix compares.
const prefix = 16

// NewUser adds a user with that token.
func NewUser(ctx context.Context, pool *pgxpool.Pool, name, token string) error {
	_, err := pool.Exec(ctx, "insert into users (name, token_start, token_hash) values ($1, $2, $3)", name, token[:prefix], hash(token))
	return err
}

func hash(token string) []byte {
	sum := sha256.Sum256([]byte(token))
	return sum[:]
}

func hexHash(token string) string { return hex.EncodeToString(hash(token)) }
