package audit_test

// Faults of what a column may hold.
var valueFixtures = []fixture{
	{
		rule: "RKA08", name: "unbounded-balance",
		bad: `create table accounts (id bigint primary key, balance bigint not null);
create table products (id bigint primary key, stock int4 not null, price bigint check (price > 0));
create table wallets (id bigint primary key, available_balance numeric(20, 2) not null)`,
		want: []string{"accounts.balance", "products.stock", "wallets.available_balance"},
		good: `create table accounts (id bigint primary key, balance bigint not null check (balance >= 0));
create table two (id bigint primary key, balance bigint not null, hold bigint not null, check (balance >= hold));
create table ledger_entries (id bigint primary key, balance bigint not null);
create table balance_history (id bigint primary key, balance bigint not null);
create table current_accounts (id bigint primary key, balance bigint not null, overdraft_limit bigint not null);
create table debts (id bigint primary key, balance bigint not null);
create table sheets (id bigint primary key, balance text, opening_balance bigint, stock boolean);
create table changes (id bigint primary key, balance_delta bigint)`,
	},
	{
		rule: "RKA08", name: "by other means", postgres: 14,
		bad: `create table accounts (id bigint primary key, balance bigint not null);
create trigger watch before update on accounts for each row execute function suppress_redundant_updates_trigger()`,
		want: []string{"accounts.balance?"},
		good: `create domain cents as bigint check (value >= 0);
create table accounts (id bigint primary key, balance cents not null);
create table sums (id bigint primary key, a bigint, balance bigint generated always as (a) stored)`,
	},
	{
		rule: "RKA09", name: "float-money",
		bad: `create table invoices (id bigint primary key, total_amount float8 not null);
create table products (id bigint primary key, price float4 not null);
create table gifts (id bigint primary key, amount float8, currency text);
create table doses (id bigint primary key, amount float8)`,
		want: []string{"doses.amount?", "gifts.amount", "invoices.total_amount", "products.price"},
		good: `create table invoices (id bigint primary key, total_amount numeric(20, 4), price_cents bigint);
create table taxes (id bigint primary key, tax_rate float8, price_ratio float8, fee_percent float8, discount_percentage float8);
create table scores (id bigint primary key, price_score float8, average_cost float8, temperature float8, weight float8)`,
	},
	{
		rule: "RKA15", name: "running-out",
		bad: `create sequence events_seq;
create table events (id int4 primary key default nextval('events_seq'));
create table parts (id bigint primary key, event_id int4 references events);
select setval('events_seq', 1600000000);
create sequence short maxvalue 1000;
select setval('short', 900)`,
		want: []string{"events.id", "short"},
		good: `create sequence events_seq;
create table events (id bigint primary key default nextval('events_seq'));
select setval('events_seq', 1600000000);
create sequence fresh;
create table fresh_events (id int4 primary key default nextval('fresh'));
create sequence half maxvalue 1000;
select setval('half', 600)`,
	},
	{
		rule: "RKA15", name: "cycle", postgres: 14,
		bad: `create sequence shards_seq as smallint cycle;
create table shards (id smallint primary key default nextval('shards_seq'));
select setval('shards_seq', 32000);
create table serials (id serial primary key);
select setval('serials_id_seq', 2000000000);
create table made (id integer generated always as identity primary key);
select setval('made_id_seq', 2000000000)`,
		want: []string{"made.id", "serials.id", "shards.id"},
		good: `create sequence shards_seq as smallint cycle;
create table shards (id bigint primary key, shard smallint default nextval('shards_seq'));
select setval('shards_seq', 32000);
create sequence alone cycle maxvalue 10;
select setval('alone', 9)`,
	},
	{
		rule: "RKA17", name: "status", noSQL: true,
		bad: `create table users (id bigint primary key, role text not null);
create table orders (id bigint primary key, status text not null);
create table charges (id bigint primary key, status text not null, payment_provider_id text)`,
		want: []string{"charges.status?", "orders.status", "users.role"},
		good: `create type state as enum ('on', 'off');
create table statuses (name text primary key);
create table orders (id bigint primary key, status text not null check (status in ('a', 'b')));
create table switches (id bigint primary key, status state, account_type text);
create table refers (id bigint primary key, status text references statuses);
create table addresses (id bigint primary key, state text, role text);
create table numbers (id bigint primary key, status int4);
create table import_logs (id bigint primary key, status text)`,
	},
	{
		rule: "RKA17", name: "times",
		bad:  `create table orders (id bigint primary key, created_at timestamptz, updated_at timestamptz, paid_at timestamp)`,
		want: []string{"{schema}"},
		good: `create table orders (id bigint primary key, created_at timestamp, paid_at timestamp, day date)`,
	},
	{
		rule: "RKA18", name: "card-data",
		bad: `create table cards (id bigint primary key, card_number text, cvv text);
create table swipes (id bigint primary key, track2 text, pin_block bytea);
create table payments (id bigint primary key, pan text);
create table taxpayers (id bigint primary key, pan text)`,
		want: []string{"cards.card_number", "cards.cvv", "payments.pan", "swipes.pin_block", "swipes.track2", "taxpayers.pan?"},
		good: `create table cards (id bigint primary key, last4 text, bin text, masked_card_number text, card_token text, card_fingerprint text, card_number_hash text);
create table checks (id bigint primary key, cvc_check text, cvv_result text, cvv boolean, security_code text);
create table library_cards (id bigint primary key, card_number text);
create table gift_cards (id bigint primary key, card_number text);
create table vaulted (id bigint primary key, card_number bytea);
create table songs (id bigint primary key, track text, track_number int4)`,
	},
}
