package ownerkit

import "testing"

// The owners whose rows the tables hold.
const (
	Alice = 42
	Bob   = 43
)

// AccountsDDL creates the table of accounts, AccountRows fills it: 1 and 2 are
// Alice's, 3 and 4 are Bob's, with the same names.
const (
	AccountsDDL = `create sequence account_ids start 5000;
create table accounts (id bigint primary key default nextval('account_ids'), user_id bigint not null,
	name text not null, nick text, balance bigint not null default 0, created_at timestamptz not null default now())`
	AccountRows = `insert into accounts (id, user_id, name, nick, balance) values
	(1, 42, 'savings', 'pig', 100), (2, 42, 'checking', null, 200),
	(3, 43, 'savings', 'pig', 100), (4, 43, 'checking', null, 200)`
)

// CountriesDDL creates and fills a table that everybody may read.
const CountriesDDL = `create table countries (code text primary key, name text not null);
insert into countries values ('at', 'Austria'), ('ch', 'Switzerland')`

// ShopDDL creates the tables of a [Shop], ShopRows fills them: orders 1 and 2 are
// Alice's, 3 is Bob's.
const (
	ShopDDL = CountriesDDL + `; create sequence shop_ids start 5000;
create table coupons (id int8 primary key default nextval('shop_ids'), user_id int8 not null, code text not null);
create table orders (id int8 primary key default nextval('shop_ids'), user_id int8 not null, number int4 not null,
	title text not null, total int8 not null, secret text not null, coupon_id int8 references coupons, country text not null references countries,
	version int8 not null, unique (user_id, number));
create table lines (order_id int8 not null references orders on delete cascade, n int4 not null, text text not null, price int8 not null, primary key (order_id, n))`
	ShopRows = `insert into coupons values (10, 42, 'A'), (12, 43, 'B');
insert into orders values (1, 42, 1, 'one', 100, 's1', 10, 'at', 1), (2, 42, 2, 'two', 200, 's2', null, 'ch', 5), (3, 43, 1, 'his', 300, 's3', 12, 'at', 1);
insert into lines values (1, 1, 'pen', 40), (1, 2, 'ink', 60), (2, 1, 'paper', 200), (3, 1, 'axe', 300)`
)

// DraftsDDL creates the table of [Draft].
const DraftsDDL = `create table drafts (tenant_id int4, user_id int8 not null, id int8, text text not null, primary key (tenant_id, id))`

// CreateAccounts creates and fills the table of accounts.
func CreateAccounts(t testing.TB, db Execer) {
	t.Helper()
	MustExec(t, db, AccountsDDL)
	MustExec(t, db, AccountRows)
}

// CreateShop creates and fills the tables of a [Shop].
func CreateShop(t testing.TB, db Execer) {
	t.Helper()
	MustExec(t, db, ShopDDL)
	MustExec(t, db, ShopRows)
}
