package audit_test

// Faults of who may do what, and of durability.
var rightFixtures = []fixture{
	{
		rule: "RKA13", name: "policies", postgres: 14,
		bad: `create table users (id bigint primary key);
create table notes (id bigint primary key, user_id bigint not null references users);
alter table notes enable row level security;
alter table notes force row level security;
create policy everybody on notes using (true);
create policy readers on notes for select using (true);
create policy writers on notes for insert with check (true)`,
		want: []string{"notes", "notes", "notes?"},
		good: `create table users (id bigint primary key);
create table notes (id bigint primary key, user_id bigint not null references users);
alter table notes enable row level security;
create policy own on notes using (user_id::text = current_setting('app.user_id'));
create policy strict on notes as restrictive using (true);
create table countries (id bigint primary key);
alter table countries enable row level security;
create policy everybody on countries for select using (true)`,
	},
	{
		rule: "RKA13", name: "owner", postgres: 14, role: true,
		bad: `create table notes (id bigint primary key);
alter table notes enable row level security;
alter table notes owner to {role}`,
		want: []string{"notes"},
		good: `create table notes (id bigint primary key);
alter table notes enable row level security;
alter table notes force row level security;
alter table notes owner to {role};
create table others (id bigint primary key);
alter table others enable row level security;
create table open_to_all (id bigint primary key);
alter table open_to_all owner to {role}`,
	},
	{
		rule: "RKA13", name: "bypass", postgres: 14, role: true,
		bad: `create table notes (id bigint primary key);
alter table notes enable row level security;
alter role {role} bypassrls`,
		want: []string{"role {schema}_service"},
		good: `create table notes (id bigint primary key);
alter role {role} bypassrls`,
	},
	{
		rule: "RKA13", name: "views", postgres: 15, role: true,
		bad: `create table notes (id bigint primary key);
alter table notes enable row level security;
create view plain as select id from notes;
create view through as select id from plain;
create materialized view stored as select id from notes;
grant select on plain, through, stored to {role}`,
		want: []string{"plain", "stored?", "through"},
		good: `create table notes (id bigint primary key);
alter table notes enable row level security;
create view invoker with (security_invoker = true) as select id from notes;
create view unread as select id from notes;
create view other as select 1 as id;
grant select on invoker, other to {role};
create view own as select id from notes;
alter view own owner to {role}`,
	},
	{
		rule: "RKA13", name: "views before 15", postgres: 14,
		bad: `create table notes (id bigint primary key);
alter table notes enable row level security;
create view plain as select id from notes;
grant select on plain to public`,
		want: []string{"plain"},
	},
	{
		rule: "RKA14", name: "owner", role: true,
		bad: `grant create on schema {schema} to {role};
create table notes (id bigint primary key);
alter table notes owner to {role}`,
		want: []string{"role {schema}_service"},
		good: `create table notes (id bigint primary key);
grant select, insert, update, delete on table notes to {role};
create table schema_migrations (id bigint primary key)`,
	},
	{
		rule: "RKA14", name: "truncate and functions", postgres: 14, role: true,
		bad: `create table notes (id bigint primary key);
create table files (id bigint primary key);
grant truncate on notes to public;
grant all on files to {role};
create function count_notes(a bigint) returns bigint language sql security definer as 'select count(*) + a from notes'`,
		want: []string{"count_notes(a bigint)", "role {schema}_service"},
		good: `create table notes (id bigint primary key);
grant select on notes to {role};
create function safe() returns bigint language sql security definer set search_path = pg_catalog as 'select 1::bigint';
create function hidden() returns bigint language sql security definer as 'select 1::bigint';
revoke execute on function hidden() from public;
create function own() returns bigint language sql as 'select 1::bigint'`,
	},
	{
		rule: "RKA14", name: "superuser", role: true, postgres: 14,
		bad: `create table notes (id bigint primary key);
alter role {role} superuser`,
		want: []string{"role {schema}_service"},
	},
	{
		rule: "RKA14", name: "truncate on CockroachDB", role: true,
		bad: `create table notes (id bigint primary key);
grant all on table notes to {role}`,
		want: []string{"role {schema}_service"},
	},
}
