package livedb_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rowkeeper/rowkeeper/internal/devdb/dbtest"
	"github.com/rowkeeper/rowkeeper/internal/livedb"
)

func TestReadRowSecurity(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *dbtest.DB) {
		if db.Cockroach() {
			s := read(t, db)
			require.NoError(t, s.ReadRowSecurity(t.Context(), db))
			require.Empty(t, s.Roles)
			return
		}
		tx, err := db.Begin(t.Context())
		require.NoError(t, err)
		defer tx.Rollback(context.WithoutCancel(t.Context()))
		role := "app_" + db.Schema
		_, err = tx.Exec(t.Context(), `
			create role `+role+` bypassrls; grant usage on schema `+db.Schema+` to `+role+`;
			create table t (n bigint); create table u (n bigint); grant truncate on u to `+role+`;
			create policy read on t as restrictive for select to `+role+` using (n > 0);
			create policy write on t for all using (n > 1) with check (n > 2);
			create view seen as select n from t; grant select on seen to `+role+`;
			create view hidden as select n from t`)
		require.NoError(t, err)
		if serverVersion(t, db) >= 15 {
			_, err = tx.Exec(t.Context(), `create view asks with (security_invoker = true) as select n from t`)
			require.NoError(t, err)
		}
		_, err = tx.Exec(t.Context(), `set local role `+role)
		require.NoError(t, err)

		s := read(t, tx)
		table := tableOf(t, s, "t")
		require.Empty(t, table.Policies)
		require.False(t, table.Owned || table.Truncates)
		require.False(t, tableOf(t, s, "u").Owned)
		require.True(t, tableOf(t, s, "u").Truncates)
		require.False(t, tableOf(t, s, "seen").Invoker)
		if serverVersion(t, db) >= 15 {
			require.True(t, tableOf(t, s, "asks").Invoker)
		}

		require.NoError(t, s.ReadRowSecurity(t.Context(), tx))
		require.Equal(t, []*livedb.Policy{
			{Table: table.ID, Name: "read", Command: "r", Using: "(n > 0)"},
			{Table: table.ID, Name: "write", Command: "*", Permissive: true, ForAll: true, Using: "(n > 1)", Check: "(n > 2)"},
		}, table.Policies)
		reads := map[string]bool{}
		for _, v := range s.Views {
			if v.Of == table.ID {
				require.True(t, v.Bypasses, "a superuser owns it")
				reads[s.ByID(v.View).Name] = v.Reads
			}
		}
		require.True(t, reads["seen"])
		require.Contains(t, reads, "hidden")
		require.False(t, reads["hidden"])
		login := db.Config().ConnConfig.User
		require.Equal(t, []*livedb.Role{{Name: role, Bypass: true}, {Name: login, Super: true, Bypass: true}}, s.Roles)
	})
}
