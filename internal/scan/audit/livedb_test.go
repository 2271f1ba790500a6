package audit_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rowkeeper/rowkeeper/cmd/rowkeeper/audit/catalog"
	"github.com/rowkeeper/rowkeeper/internal/devdb/dbtest"
	"github.com/rowkeeper/rowkeeper/internal/livedb"
)

const various = `create table users (id bigint primary key, email varchar(40) not null unique, at timestamptz default now());
create table accounts (user_id bigint not null, id uuid not null default gen_random_uuid(), n int4, amount numeric(20, 2) not null,
	constraint accounts_pkey primary key (user_id, id), constraint accounts_user foreign key (user_id) references users (id),
	constraint accounts_n check (n > 0));
create index on accounts (n, amount);
create unique index living on accounts (n) where amount > 0;
create table transfers (user_id bigint not null, id bigint primary key, from_id uuid,
	constraint transfers_from foreign key (user_id, from_id) references accounts (user_id, id) on delete cascade);
alter table transfers add constraint transfers_id check (id > 0) not valid;
comment on table users is 'people'`

const onlyPostgres = `create domain cents as bigint not null default 0 check (value >= 0);
create type mood as enum ('good', 'bad');
create table parts (id bigint generated always as identity primary key, price cents, twice bigint generated always as (1 + 1) stored, mood mood, name text);
create index on parts (lower(name), price);
create table points (at timestamptz not null, n bigint references parts) partition by range (at);
create table points_1 partition of points default;
alter table parts enable row level security;
create policy p on parts for select using (true)`

// The library reads the same schema for itself. Both must see the same.
func TestCatalogAgreesWithLibrary(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *dbtest.DB) {
		run(t, db.Pool, various)
		if !db.Cockroach() {
			run(t, db.Pool, onlyPostgres)
		}
		theirs, err := livedb.Read(t.Context(), db.Pool)
		require.NoError(t, err)
		require.NoError(t, theirs.ReadRowSecurity(t.Context(), db.Pool))
		ours, err := catalog.Read(t.Context(), db.Pool, catalog.Options{Schemas: []string{db.Schema}})
		require.NoError(t, err)
		require.Equal(t, theirs.Cockroach, ours.Cockroach())
		require.Equal(t, theirs.User, ours.User)

		seen := 0
		for _, want := range theirs.Tables {
			if len(want.Parents) > 0 { // a partition, which audit sees in its parent
				require.Empty(t, ours.Find(want.Schema+"."+want.Name))
				continue
			}
			seen++
			got := ours.Find(want.Schema + "." + want.Name)
			require.Len(t, got, 1, want.Name)
			sameTable(t, want, got[0])
		}
		require.Len(t, ours.Tables, seen)
	})
}

func sameTable(t *testing.T, want *livedb.Table, got *catalog.Table) {
	t.Helper()
	require.Equal(t, want.ID, got.ID)
	require.Equal(t, want.Kind, got.Kind)
	require.Equal(t, want.Comment, got.Comment)
	require.Equal(t, want.RowSecurity, got.RowSecurity)
	require.Equal(t, want.Forced, got.Forced)

	require.Len(t, got.Columns, len(want.Columns))
	for i, w := range want.Columns {
		g := got.Columns[i]
		require.Equal(t, w.Name, g.Name)
		require.Equal(t, w.TypeName, g.Base, "%s.%s", want.Name, w.Name)
		require.Equal(t, w.RefusesNull(), g.NotNull, "%s.%s", want.Name, w.Name)
		require.Equal(t, w.HasDefault && !w.Generated, g.HasDefault, "%s.%s", want.Name, w.Name)
		require.Equal(t, w.Identity != "", g.Identity)
		require.Equal(t, w.Generated, g.Generated)
		if !w.Generated {
			require.Equal(t, w.Default, g.Default)
		}
	}
	require.Len(t, got.Indexes, len(want.Indexes))
	for i, w := range want.Indexes {
		g := got.Indexes[i]
		require.Equal(t, w.Name, g.Name)
		require.Equal(t, w.Columns, g.Columns, w.Name)
		require.Equal(t, []bool{w.Unique, w.Primary, w.Partial, w.Valid, w.Deferrable, w.Exclusion},
			[]bool{g.Unique, g.Primary, g.Predicate != "", g.Valid, g.Deferrable, g.Exclusion}, w.Name)
		require.Equal(t, w.Constraint, g.Constraint, w.Name)
	}
	require.Len(t, got.ForeignKeys, count(want, livedb.ForeignKey))
	require.Len(t, got.Checks, count(want, livedb.Check))
	for _, w := range want.Constraints {
		if w.Type == livedb.ForeignKey {
			sameForeignKey(t, w, got)
		} else {
			sameCheck(t, w, got)
		}
	}
	require.Len(t, got.Policies, len(want.Policies))
	for i, w := range want.Policies {
		g := got.Policies[i]
		require.Equal(t, []any{w.Name, w.Command, w.Permissive, w.Using, w.Check}, []any{g.Name, g.Command, g.Permissive, g.Using, g.Check})
	}
}

func count(t *livedb.Table, typ string) (n int) {
	for _, c := range t.Constraints {
		if c.Type == typ {
			n++
		}
	}
	return n
}

func sameForeignKey(t *testing.T, want *livedb.Constraint, table *catalog.Table) {
	t.Helper()
	for _, got := range table.ForeignKeys {
		if got.Name == want.Name {
			require.Equal(t, []any{want.Columns, want.Referenced, want.To, want.Validated, want.Enforced},
				[]any{got.Columns, got.To, got.ToColumns, got.Validated, got.Enforced}, want.Name)
			return
		}
	}
	require.Fail(t, "there is no such foreign key", want.Name)
}

func sameCheck(t *testing.T, want *livedb.Constraint, table *catalog.Table) {
	t.Helper()
	for _, got := range table.Checks {
		if got.Name == want.Name {
			require.ElementsMatch(t, want.Columns, got.Columns)
			require.Equal(t, []bool{want.Validated, want.Enforced}, []bool{got.Validated, got.Enforced}, want.Name)
			require.Contains(t, got.Definition, "CHECK")
			return
		}
	}
	require.Fail(t, "there is no such check", want.Name)
}
