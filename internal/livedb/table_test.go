package livedb_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rowkeeper/rowkeeper/internal/devdb/dbtest"
)

func TestReadTables(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *dbtest.DB) {
		run(t, db, `create table t (n bigint); comment on table t is 'it''s one'; create view v as select n from t`)
		if !db.Cockroach() {
			run(t, db, `create materialized view m as select n from t;
				create table p (n bigint) partition by range (n);
				alter table t enable row level security; alter table t force row level security`)
		}
		s := read(t, db)
		table := tableOf(t, s, "t")
		require.Equal(t, "r", table.Kind)
		require.Equal(t, db.Schema, table.Schema)
		require.Equal(t, "it's one", table.Comment)
		require.True(t, table.IsOrdinary())
		require.False(t, table.IsView())
		require.Equal(t, "n", table.Column("n").Name)
		require.Nil(t, table.Column("m"))
		view := tableOf(t, s, "v")
		require.Equal(t, "v", view.Kind)
		require.True(t, view.IsView())
		require.False(t, view.IsOrdinary())
		require.NotNil(t, view.Column("n"))
		require.False(t, view.RowSecurity || view.Forced || view.Invoker)
		if db.Cockroach() {
			require.Len(t, s.Tables, 2)
			return
		}
		require.Equal(t, []string{"m", "p", "t", "v"}, namesOf(s.Tables))
		require.True(t, tableOf(t, s, "m").IsView())
		require.True(t, tableOf(t, s, "p").IsOrdinary())
		require.True(t, table.RowSecurity && table.Forced && table.Owned && table.Truncates)
		require.False(t, tableOf(t, s, "p").RowSecurity)
	})
}

// An extension's tables and domains are not the application's. pg_depend is the same for a
// table that is added to one, for which no privilege to create an extension is needed.
func TestReadLeavesOutExtensions(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *dbtest.DB) {
		if db.Cockroach() {
			t.Skip("it has no extensions")
		}
		tx, err := db.Begin(t.Context())
		require.NoError(t, err)
		defer tx.Rollback(context.WithoutCancel(t.Context()))
		_, err = tx.Exec(t.Context(), `
			create table t (n bigint); create table own (n bigint);
			create domain d as bigint constraint d_check check (value > 0);
			create domain own_d as bigint constraint own_check check (value > 0);
			alter extension plpgsql add table t; alter extension plpgsql add domain d`)
		require.NoError(t, err)
		s := read(t, tx)
		require.NoError(t, s.ReadDomainChecks(t.Context(), tx))
		require.Equal(t, []string{"own"}, namesOf(s.Tables))
		require.Len(t, s.DomainChecks, 1)
		require.Equal(t, "own_check", s.DomainChecks[0].Name)
	})
}

func TestReadParents(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *dbtest.DB) {
		if db.Cockroach() {
			t.Skip("its partitions are no tables")
		}
		tx, err := db.Begin(t.Context())
		require.NoError(t, err)
		defer tx.Rollback(context.WithoutCancel(t.Context()))
		parts := db.Schema + "_parts"
		_, err = tx.Exec(t.Context(), `
			create table p (id bigint) partition by range (id);
			create schema `+parts+`;
			create table `+parts+`.p_1 partition of p for values from (0) to (10) partition by range (id);
			create table `+parts+`.p_1a partition of `+parts+`.p_1 for values from (0) to (5);
			create table p_2 partition of p for values from (10) to (20);
			create table a (n bigint);
			create table b () inherits (a); create table c () inherits (a);
			create table d () inherits (b, c)`)
		require.NoError(t, err)
		s := read(t, tx)
		require.Equal(t, []string{"a", "b", "c", "d", "p", "p_2", "p_1", "p_1a"}, namesOf(s.Tables), "by schema and name")

		p := tableOf(t, s, "p")
		require.Empty(t, p.Parents)
		require.Equal(t, []string{"p_2", "p_1", "p_1a"}, namesOf(s.Children(p)))
		require.Equal(t, []int64{p.ID}, s.Find("p_1", parts).Parents)
		require.Equal(t, []int64{s.Find("p_1", parts).ID}, s.Find("p_1a", parts).Parents)

		require.Equal(t, []string{"b", "d", "c"}, namesOf(s.Children(tableOf(t, s, "a"))), "each once")
		require.Equal(t, []int64{tableOf(t, s, "b").ID, tableOf(t, s, "c").ID}, tableOf(t, s, "d").Parents)
	})
}
