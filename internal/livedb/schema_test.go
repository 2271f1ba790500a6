package livedb_test

import (
	"context"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"
	"github.com/stretchr/testify/require"

	"github.com/rowkeeper/rowkeeper/internal/devdb/dbtest"
	"github.com/rowkeeper/rowkeeper/internal/livedb"
)

func TestReadServer(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *dbtest.DB) {
		s := read(t, db)
		require.Equal(t, db.Cockroach(), s.Cockroach)
		require.Contains(t, s.Version, map[bool]string{true: "CockroachDB", false: "PostgreSQL"}[db.Cockroach()])
		require.Equal(t, []string{db.Schema}, s.SearchPath)
		require.Equal(t, db.Config().ConnConfig.User, s.User)
		require.Empty(t, s.Tables)
	})
}

// The types are those of the connection when it was read.
func TestReadKnowsTypes(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *dbtest.DB) {
		conn, err := pgx.ConnectConfig(t.Context(), db.Config().ConnConfig)
		require.NoError(t, err)
		defer conn.Close(context.WithoutCancel(t.Context()))
		conn.TypeMap().RegisterType(&pgtype.Type{Name: "before", OID: 1 << 30, Codec: pgtype.TextCodec{}})
		s := read(t, conn)
		conn.TypeMap().RegisterType(&pgtype.Type{Name: "after", OID: 1<<30 + 1, Codec: pgtype.TextCodec{}})
		_, before := s.Types.TypeForOID(1 << 30)
		_, after := s.Types.TypeForOID(1<<30 + 1)
		require.True(t, before)
		require.False(t, after)
	})
}

func TestReadInEveryMode(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *dbtest.DB) {
		run(t, db, `create table a (id bigint primary key, n bigint constraint n_check check (n > 0));
			create table b (id bigint primary key, a bigint constraint b_a references a (id)); create view v as select n from a`)
		all := func(q livedb.Querier) *livedb.Schema {
			s := read(t, q, "is_not_there")
			require.NoError(t, s.ReadDomainChecks(t.Context(), q))
			require.NoError(t, s.ReadRowSecurity(t.Context(), q))
			s.Types = nil
			return s
		}
		want := all(db)
		require.Equal(t, []string{"a", "b", "v"}, namesOf(want.Tables))
		for _, mode := range []pgx.QueryExecMode{
			pgx.QueryExecModeCacheStatement, pgx.QueryExecModeCacheDescribe, pgx.QueryExecModeDescribeExec,
			pgx.QueryExecModeExec, pgx.QueryExecModeSimpleProtocol,
		} {
			config := db.Config().ConnConfig.Copy()
			config.DefaultQueryExecMode = mode
			conn, err := pgx.ConnectConfig(t.Context(), config)
			require.NoError(t, err)
			require.Equal(t, want, all(conn), "%v", mode)
			require.NoError(t, conn.Close(t.Context()))
		}
	})
}

// Tables of a schema that is not in the search_path are read if it is asked for.
func TestReadOtherSchemas(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *dbtest.DB) {
		other := db.Schema + "_other"
		run(t, db, `create schema `+other)
		t.Cleanup(func() {
			_, err := db.Exec(context.WithoutCancel(t.Context()), `drop schema `+other+` cascade`)
			require.NoError(t, err)
		})
		run(t, db, `create table here (n bigint); create table both_ (n bigint);
			create table `+other+`.both_ (n bigint); create table `+other+`.there (n bigint)`)
		require.Equal(t, []string{"both_", "here"}, namesOf(read(t, db).Tables))

		s := read(t, db, other, other, "is_not_there")
		require.Equal(t, []string{"both_", "here", "both_", "there"}, namesOf(s.Tables))
		require.Equal(t, db.Schema, s.Find("both_", db.Schema, other).Schema)
		require.Equal(t, other, s.Find("both_", other, db.Schema).Schema)
		require.Equal(t, other, s.Find("there", db.Schema, other).Schema)
		require.Nil(t, s.Find("there", db.Schema))
		require.Nil(t, s.ByID(0))
	})
}

func TestReadFails(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *dbtest.DB) {
		s := read(t, db)
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		_, err := livedb.Read(ctx, db)
		require.ErrorIs(t, err, context.Canceled)
		if !db.Cockroach() { // which is not asked for these
			require.ErrorIs(t, s.ReadDomainChecks(ctx, db), context.Canceled)
			require.ErrorIs(t, s.ReadRowSecurity(ctx, db), context.Canceled)
		}

		config := db.Config().ConnConfig.Copy()
		config.RuntimeParams["search_path"] = "is_not_there"
		conn, err := pgx.ConnectConfig(t.Context(), config)
		require.NoError(t, err)
		defer conn.Close(context.WithoutCancel(t.Context()))
		s = read(t, conn)
		require.Empty(t, s.SearchPath)
		require.Empty(t, s.Tables)
	})
}
