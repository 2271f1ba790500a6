package schema_test

import (
	"context"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	"github.com/rowkeeper/rowkeeper/errs"
	"github.com/rowkeeper/rowkeeper/errs/schema"
	"github.com/rowkeeper/rowkeeper/internal/devdb/dbtest"
)

// Objects of other schemas and of extensions are not the application's.
func TestVerifyLeavesOthersAlone(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *dbtest.DB) {
		other := db.Schema + "_other"
		quoted := pgx.Identifier{other}.Sanitize()
		_, err := db.Exec(t.Context(), `create schema `+quoted)
		require.NoError(t, err)
		t.Cleanup(func() {
			config, err := pgx.ParseConfig(db.URL)
			require.NoError(t, err)
			conn, err := pgx.ConnectConfig(context.Background(), config)
			require.NoError(t, err)
			defer conn.Close(context.Background())
			_, err = conn.Exec(context.Background(), `drop schema `+quoted+` cascade`)
			require.NoError(t, err)
		})
		_, err = db.Exec(t.Context(), `create table `+quoted+`.t (n bigint constraint t_n_check check (n > 0))`)
		require.NoError(t, err)
		none, err := schema.Verify(t.Context(), db, errs.NewCatalog())
		require.NoError(t, err)
		require.Empty(t, none)

		config := db.Config()
		config.ConnConfig.RuntimeParams["search_path"] = db.Schema + "," + other
		both, err := pgxpool.NewWithConfig(t.Context(), config)
		require.NoError(t, err)
		defer both.Close()
		// The same table in both schemas is one finding.
		_, err = db.Exec(t.Context(), `create table t (n bigint constraint t_n_check check (n > 0))`)
		require.NoError(t, err)
		found, err := schema.Verify(t.Context(), both, errs.NewCatalog())
		require.NoError(t, err)
		require.Len(t, found, 1)

		if db.Cockroach() {
			return
		}
		// An extension's table, without the privilege to create an extension:
		// pg_depend has the same content.
		tx, err := db.Begin(t.Context())
		require.NoError(t, err)
		defer tx.Rollback(context.Background())
		_, err = tx.Exec(t.Context(), `
			create domain d as bigint constraint d_check check (value > 0);
			alter extension plpgsql add table t;
			alter extension plpgsql add domain d`)
		require.NoError(t, err)
		none, err = schema.Verify(t.Context(), tx, errs.NewCatalog())
		require.NoError(t, err)
		require.Empty(t, none)
	})
}

// Partitions count in every schema.
func TestVerifyFollowsPartitionsToOtherSchemas(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *dbtest.DB) {
		if db.Cockroach() {
			t.Skip("its partitions are no tables")
		}
		tx, err := db.Begin(t.Context())
		require.NoError(t, err)
		defer tx.Rollback(context.Background())
		other := pgx.Identifier{db.Schema + "_parts"}.Sanitize()
		_, err = tx.Exec(t.Context(), `
			create table m (id bigint, constraint m_key unique (id)) partition by range (id);
			create schema `+other+`;
			create table `+other+`.m_1 partition of m for values from (0) to (10)`)
		require.NoError(t, err)
		found, err := schema.Verify(t.Context(), tx, errs.NewCatalog())
		require.NoError(t, err)
		require.Len(t, found, 1)
		require.Equal(t, `errs.Constraint("m_1_id_key").Code("id_taken").Field("/id"),`, found[0].Add)
	})
}

func TestVerifyInEveryMode(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *dbtest.DB) {
		_, err := db.Exec(t.Context(), `
			create table customers (
				id bigint primary key, email text not null, credit bigint,
				constraint customers_email_key unique (email), constraint customers_credit_check check (credit >= 0));
			create table orders (id bigint primary key, customer bigint, constraint orders_customer_fkey foreign key (customer) references customers (id))`)
		require.NoError(t, err)
		want, err := schema.Verify(t.Context(), db, nil)
		require.NoError(t, err)
		require.GreaterOrEqual(t, len(want), 3)
		for _, mode := range []pgx.QueryExecMode{
			pgx.QueryExecModeCacheStatement, pgx.QueryExecModeCacheDescribe, pgx.QueryExecModeDescribeExec,
			pgx.QueryExecModeExec, pgx.QueryExecModeSimpleProtocol,
		} {
			config := db.Config().ConnConfig.Copy()
			config.DefaultQueryExecMode = mode
			conn, err := pgx.ConnectConfig(t.Context(), config)
			require.NoError(t, err)
			got, err := schema.Verify(t.Context(), conn, new(errs.Catalog))
			require.NoError(t, err, "%v", mode)
			require.Equal(t, want, got, "%v", mode)
			require.NoError(t, conn.Close(t.Context()))
		}
	})
}

func TestVerifyErrors(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *dbtest.DB) {
		_, err := schema.Verify(t.Context(), nil, errs.NewCatalog())
		require.EqualError(t, err, "errs/schema: the database is nil")
		_, err = schema.Verify(t.Context(), (*pgxpool.Pool)(nil), errs.NewCatalog())
		require.EqualError(t, err, "errs/schema: the database is nil")

		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		_, err = schema.Verify(ctx, db, errs.NewCatalog())
		require.ErrorIs(t, err, context.Canceled)

		config := db.Config().ConnConfig.Copy()
		config.RuntimeParams["search_path"] = "is_not_there"
		conn, err := pgx.ConnectConfig(t.Context(), config)
		require.NoError(t, err)
		defer conn.Close(context.Background())
		_, err = schema.Verify(t.Context(), conn, errs.NewCatalog())
		require.ErrorContains(t, err, "no schema of the search_path is there")
	})
}

func TestFindingString(t *testing.T) {
	t.Parallel()
	f := schema.Finding{Kind: schema.SharedName, Table: "a, b", Name: "n", Problem: "they share it", Drop: "x", Add: "y,\nz,"}
	require.Equal(t, "shared name: a, b: n: they share it\n\tdrop x\n\tadd  y,\n\t     z,", f.String())
	require.Equal(t, "stale rule: n: gone", schema.Finding{Kind: schema.StaleRule, Name: "n", Problem: "gone"}.String())
	require.Equal(t, "FindingKind(0)", schema.FindingKind(0).String())
}
