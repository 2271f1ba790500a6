package audit_test

// Faults of who owns a row.
var ownerFixtures = []fixture{
	{
		rule: "RKA01", name: "owner-nullable",
		bad: `create table users (id bigint primary key);
create table orgs (id bigint primary key);
create table notes (id bigint primary key, user_id bigint references users);
create table projects (id bigint primary key, org_id bigint references orgs, user_id bigint references users);
create table wallets (user_id bigint not null references users, id bigint not null, primary key (user_id, id));
create table cards (id bigint primary key, user_id bigint, wallet_id bigint not null, foreign key (user_id, wallet_id) references wallets (user_id, id));
create table kept (id bigint primary key, user_id bigint references users on delete set null);
create table audit_logs (id bigint primary key, user_id bigint references users)`,
		want: []string{"audit_logs.user_id?", "cards.user_id", "kept.user_id?", "notes.user_id", "projects.org_id"},
		good: `create table users (id bigint primary key);
create table orgs (id bigint primary key);
create table "groups" (id bigint primary key);
create table notes (id bigint primary key, user_id bigint not null references users);
create table tasks (id bigint primary key, org_id bigint not null references orgs, user_id bigint references users);
create table either_of (id bigint primary key, user_id bigint references users, org_id bigint references orgs, check (user_id is not null or org_id is not null));
create table targets (id bigint primary key, user_id bigint references users, group_id bigint references "groups", check ((user_id is null) <> (group_id is null)));
create table templates (id bigint primary key, user_id bigint references users, name text);
create unique index global_name on templates (name) where user_id is null;
create table posts (id bigint primary key, approved_by bigint references users, author_id bigint references users);
create table lines (id bigint primary key, note_id bigint not null references notes, user_id bigint references users);
create table schema_migrations (id bigint primary key, user_id bigint references users)`,
	},
	{
		rule: "RKA01", name: "configured", owned: map[string]string{"notes": "holder"},
		bad:  `create table notes (id bigint primary key, holder text)`,
		want: []string{"notes.holder"},
		good: `create table notes (id bigint primary key, holder text not null)`,
	},
	{
		rule: "RKA01", name: "not valid", postgres: 18,
		bad: `create table users (id bigint primary key);
create table notes (id bigint primary key, user_id bigint references users);
alter table notes add constraint owner_set not null user_id not valid`,
		want: []string{"notes.user_id"},
	},
	{
		rule: "RKA02", name: "owner-no-fk",
		bad: `create table users (id bigint primary key);
create table tenants (id uuid primary key);
create table notes (id bigint primary key, user_id bigint not null);
create table files (id bigint primary key, tenant_id uuid not null, owner_id bigint)`,
		want: []string{"files.owner_id?", "files.tenant_id", "notes.user_id"},
		good: `create table users (id bigint primary key);
create table notes (id bigint primary key, user_id bigint not null references users);
create table wallets (user_id bigint not null references users, id bigint not null, primary key (user_id, id));
create table moves (id bigint primary key, user_id bigint not null, wallet_id bigint not null, foreign key (user_id, wallet_id) references wallets (user_id, id));
create table login_events (id bigint primary key, user_id bigint not null);
create table notes_history (id bigint primary key, user_id bigint not null);
create table imported (id bigint primary key, user_id text not null);
create table likes (id bigint primary key, user_id bigint not null, user_type text not null);
create table external_users (id bigint primary key, external_user_id bigint not null)`,
	},
	{
		rule: "RKA03", name: "owner-not-first",
		bad: `create table users (id bigint primary key);
create table notes (id bigint primary key, user_id bigint not null references users);
create index notes_id_user on notes (id, user_id);
create table files (id bigint primary key, user_id bigint not null references users, size bigint);
create index large_files on files (user_id) where size > 1000;
create table games (id bigint primary key);
create table players (id bigint primary key, game_id bigint not null references games, user_id bigint not null references users)`,
		want: []string{"files.user_id", "notes.user_id", "players.user_id?"},
		good: `create table users (id bigint primary key);
create table notes (user_id bigint not null references users, id bigint, primary key (user_id, id));
create table files (id bigint primary key, user_id bigint not null references users, name text, unique (user_id, name));
create table lists (id bigint primary key, user_id bigint not null references users, deleted_at timestamptz);
create index living on lists (user_id) where deleted_at is null;
create table posts (id bigint primary key, author_id bigint not null references users);
create table pages (id bigint primary key, note_user bigint not null, note_id bigint not null, foreign key (note_user, note_id) references notes (user_id, id));
create index on pages (note_id, note_user)`,
	},
	{
		rule: "RKA04", name: "cross-owner-fk",
		bad: `create table orgs (id bigint primary key);
create table users (id bigint primary key);
create table customers (id bigint primary key, org_id bigint not null references orgs);
create table invoices (id bigint primary key, org_id bigint not null references orgs, customer_id bigint not null references customers, parent_id bigint references invoices);
create table notes (id bigint primary key, org_id bigint not null references orgs, customer_id bigint references customers);
create table offers (id bigint primary key, org_id bigint not null references orgs);
create table letters (id bigint primary key, org_id bigint not null references orgs, target_offer_id bigint references offers);
create table accounts (id bigint primary key, user_id bigint not null references users);
create table orders (id bigint primary key, user_id bigint not null references users, account_id bigint not null references accounts);
create table photos (id bigint primary key, user_id bigint not null references users);
create table likes (id bigint primary key, user_id bigint not null references users, photo_id bigint not null references photos)`,
		want: []string{"accounts", "customers", "invoices", "offers", "photos?"},
		good: `create table orgs (id bigint primary key);
create table users (id bigint primary key);
create table customers (id bigint not null, org_id bigint not null references orgs, primary key (id), unique (org_id, id));
create table invoices (id bigint primary key, org_id bigint not null references orgs, customer_id bigint not null, foreign key (org_id, customer_id) references customers (org_id, id));
create table both_keys (id bigint primary key, org_id bigint not null references orgs, customer_id bigint not null references customers (id), foreign key (org_id, customer_id) references customers (org_id, id));
create table accounts (id bigint primary key, user_id bigint not null references users);
create table gifts (id bigint primary key, user_id bigint not null references users, to_account_id bigint not null references accounts);
create table lines (id bigint primary key, invoice_id bigint not null references invoices);
create table roles (id bigint primary key, org_id bigint references orgs);
create table members (id bigint primary key, org_id bigint not null references orgs, role_id bigint not null references roles);
create table countries (id bigint primary key);
create table places (id bigint primary key, org_id bigint not null references orgs, country_id bigint not null references countries)`,
	},
	{
		rule: "RKA05", name: "global-unique",
		bad: `create table orgs (id bigint primary key);
create table projects (id bigint primary key, org_id bigint not null references orgs, name text not null, constraint project_name unique (name));
create table invoices (id bigint primary key, org_id bigint not null references orgs, number text not null);
create unique index invoice_number on invoices (number)`,
		want: []string{"invoices.number", "projects.name"},
		good: `create table orgs (id bigint primary key);
create table users (id bigint primary key, org_id bigint not null references orgs, email text not null unique, name text unique);
create table projects (id bigint primary key, org_id bigint not null references orgs, name text not null, unique (org_id, name));
create table keys (id bigint primary key, org_id bigint not null references orgs, token text unique, external_id text unique, uuid uuid unique default gen_random_uuid());
create table sites (id bigint primary key, org_id bigint not null references orgs, domain text unique, slug text unique);
create table folders (id bigint primary key, org_id bigint not null references orgs, project_id bigint not null references projects, name text, unique (project_id, name));
create table currencies (code text primary key, name text unique)`,
	},
}
