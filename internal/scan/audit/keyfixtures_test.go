package audit_test

// Faults of keys and references.
var keyFixtures = []fixture{
	{
		rule: "RKA06", name: "key-not-unique",
		bad: `create table users (id bigint primary key, email text not null);
create index on users (email);
create table sessions (id bigint primary key, user_id bigint not null references users, token_hash bytea not null);
create table payments (id bigint primary key, user_id bigint not null references users, idempotency_key text not null);
create index on payments (user_id, idempotency_key);
create table requests (id bigint primary key, idempotency_key text not null);
create table invitations (id bigint primary key, token text not null default '');
insert into invitations (id) values (1), (2)`,
		want: []string{"invitations.token", "payments.idempotency_key", "requests.idempotency_key", "sessions.token_hash", "users.email"},
		good: `create table users (id bigint primary key, email text not null, username text not null unique);
create table tenants (id bigint primary key, email text);
create table sessions (id bigint primary key, user_id bigint not null references users, token text not null, unique (user_id, token));
create table integrations (id bigint primary key, user_id bigint not null references users, access_token text, refresh_token text);
create table payments (id bigint primary key, user_id bigint not null references users, idempotency_key text not null, unique (user_id, idempotency_key));
create table products (id bigint primary key, code text, number text, reference text);
create table contacts (id bigint primary key, email text);
create table request_logs (id bigint primary key, idempotency_key text, token text);
create table api_keys (id bigint primary key, key_hash text, token text, deleted_at timestamptz);
create unique index on api_keys (token) where deleted_at is null`,
	},
	{
		rule: "RKA06", name: "expression", postgres: 14,
		bad:  `create table app_users (id bigint primary key, login text); create index on app_users (lower(login))`,
		want: []string{"app_users.login"},
		good: `create table users (id bigint primary key, email text); create unique index on users (lower(email))`,
	},
	{
		rule: "RKA07", name: "no-identity",
		bad: `create table users (id bigint primary key);
create table orgs (id bigint primary key);
create table memberships (org_id bigint not null references orgs, user_id bigint not null references users);
create table pings (host text, at timestamptz);
create table loose (id bigint not null, name text);
create table maybe (id bigint unique, name text);
create table access_logs (line text);
create table part (name text not null, gone boolean not null);
create unique index on part (name) where not gone`,
		want: []string{"access_logs", "loose", "maybe", "memberships", "part", "pings"},
		good: `create table users (id bigint primary key);
create table memberships (org_id bigint not null, user_id bigint not null references users, primary key (org_id, user_id));
create table settings (name text not null unique, value text);
create table indexed (name text not null);
create unique index on indexed (name);
create table goose_db_version (version_id bigint)`,
	},
	{
		rule: "RKA07", name: "partitions", postgres: 14,
		bad:  `create table points (at timestamptz not null, n bigint) partition by range (at); create table points_1 partition of points default`,
		want: []string{"points"}, noSQL: true,
		good: `create table points (at timestamptz not null, n bigint not null, primary key (at, n)) partition by range (at);
create table points_1 partition of points default`,
	},
	{
		rule: "RKA10", name: "missing-fk",
		bad: `create table orders (id bigint primary key);
create table companies (id uuid primary key);
create table items (id bigint primary key, order_id bigint not null, company_id uuid)`,
		want: []string{"items.company_id", "items.order_id"},
		good: `create table orders (id bigint primary key);
create table items (id bigint primary key, order_id bigint not null references orders);
create table keyed (id bigint not null, shop_id bigint not null, primary key (shop_id, id));
create table lines (id bigint primary key, keyed_id bigint);
create table texts (id bigint primary key, order_id text);
create table comments (id bigint primary key, order_id bigint, order_type text);
create table order_events (id bigint primary key, order_id bigint not null);
create table order_archive (id bigint primary key, order_id bigint not null);
create table payments (id bigint primary key, provider_id bigint, external_order_id bigint)`,
	},
	{
		rule: "RKA11", name: "fk-type",
		bad: `create table orders (id bigint primary key);
create table items (id bigint primary key, order_id int4 references orders);
create table small (id int4 primary key, unique (id));
create table smaller (id bigint primary key, small_id int2 references small)`,
		want: []string{"items.order_id", "smaller.small_id"},
		good: `create table orders (id bigint primary key);
create table items (id int4 primary key, order_id bigint references orders);
create table wide (id bigint primary key, item_id bigint references items);
create table named (name varchar(40) primary key);
create table refers (id bigint primary key, name varchar(20) references named)`,
	},
	{
		rule: "RKA12", name: "not valid",
		bad: `create table orders (id bigint primary key);
create table items (id bigint primary key, order_id bigint, n bigint);
alter table items add constraint items_n check (n > 0) not valid;
alter table items add constraint items_order foreign key (order_id) references orders not valid`,
		want: []string{"items", "items"},
		good: `create table orders (id bigint primary key);
create table items (id bigint primary key, order_id bigint, n bigint);
alter table items add constraint items_n check (n > 0) not valid;
alter table items validate constraint items_n;
alter table items add constraint items_order foreign key (order_id) references orders`,
	},
	{
		rule: "RKA12", name: "switched off", postgres: 14,
		bad: `create table orders (id bigint primary key, n bigint);
create table items (id bigint primary key, order_id bigint references orders);
create table quiet (id bigint primary key, n bigint);
create table secured (id bigint primary key);
create policy p on secured using (id > 0);
create trigger loud before update on quiet for each row execute function suppress_redundant_updates_trigger();
alter table quiet disable trigger loud;
alter table items disable trigger all;
create unique index broken on orders (n);
create index slow on orders (n, id);
update pg_catalog.pg_index set indisvalid = false where indexrelid in ('broken'::regclass, 'slow'::regclass)`,
		want: []string{"items", "orders", "orders", "quiet", "secured"},
		good: `create table orders (id bigint primary key, n bigint unique);
create table items (id bigint primary key, order_id bigint references orders);
create table secured (id bigint primary key);
create policy p on secured using (id > 0);
alter table secured enable row level security;
create trigger quiet before update on items for each row execute function suppress_redundant_updates_trigger();
alter table items enable always trigger quiet`,
	},
	{
		rule: "RKA12", name: "not enforced", postgres: 18,
		bad: `create table orders (id bigint primary key);
create table items (id bigint primary key, n bigint check (n > 0) not enforced, order_id bigint references orders not enforced)`,
		want: []string{"items", "items"},
		good: `create table items (id bigint primary key, n bigint check (n > 0) enforced)`,
	},
}
