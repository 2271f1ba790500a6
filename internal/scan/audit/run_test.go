package audit_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/rowkeeper/rowkeeper/cmd/rowkeeper/audit"
	"github.com/rowkeeper/rowkeeper/cmd/rowkeeper/config"
	"github.com/rowkeeper/rowkeeper/cmd/rowkeeper/finding"
	"github.com/rowkeeper/rowkeeper/internal/devdb/dbtest"
)

const shop = `create table users (id bigint primary key, email text not null);
create table accounts (id bigint primary key, user_id bigint references users, balance bigint not null);
create table items (id bigint primary key, account_id bigint not null, price float8);
create table schema_migrations (version bigint)`

// A pool, a connection and a transaction do, in every mode, and none is written to.
func TestRunOnAnyDB(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *dbtest.DB) {
		run(t, db.Pool, shop)
		want, _ := runAudit(t, db, audit.Options{TestDatabase: true})
		opts := audit.Options{TestDatabase: true, Schemas: []string{db.Schema}}
		same := func(on audit.DB) {
			got, _, err := audit.Run(t.Context(), on, opts)
			require.NoError(t, err)
			require.Equal(t, want, got)
		}
		for _, mode := range []pgx.QueryExecMode{
			pgx.QueryExecModeCacheStatement, pgx.QueryExecModeCacheDescribe, pgx.QueryExecModeDescribeExec,
			pgx.QueryExecModeExec, pgx.QueryExecModeSimpleProtocol,
		} {
			c := db.Config().ConnConfig.Copy()
			c.DefaultQueryExecMode = mode
			c.RuntimeParams["default_transaction_read_only"] = "on"
			conn, err := pgx.ConnectConfig(t.Context(), c)
			require.NoError(t, err)
			same(conn)
			require.NoError(t, conn.Close(t.Context()))
		}
		tx, err := db.Begin(t.Context())
		require.NoError(t, err)
		defer tx.Rollback(context.WithoutCancel(t.Context()))
		same(tx)
		_, err = tx.Exec(t.Context(), "insert into users values (1, 'a')")
		require.NoError(t, err, "the caller's transaction goes on, and can write")
		same(struct{ audit.DB }{tx})
	})
}

func TestCoverage(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *dbtest.DB) {
		run(t, db.Pool, shop)
		_, coverage := runAudit(t, db, audit.Options{})
		require.InDelta(t, 1.0, coverage.Reached(), 0.001)
		require.Len(t, coverage.Subjects, 4)
		i := slices.IndexFunc(coverage.Subjects, func(s finding.Subject) bool { return s.Name == db.Schema+".schema_migrations" })
		require.Equal(t, finding.Subject{Name: db.Schema + ".schema_migrations", Skipped: "a table of migrations", Ignored: true}, coverage.Subjects[i])
		require.Len(t, coverage.Rules, 18)
		require.Equal(t, "rowkeeper.yaml names no role", coverage.Rules["RKA14"])
		require.Empty(t, coverage.Rules["RKA01"])

		_, coverage, err := audit.Run(t.Context(), db.Pool, audit.Options{Schemas: []string{"is_not_there"}})
		require.NoError(t, err)
		require.NotEmpty(t, coverage.Failure, "nothing was looked at")
	})
}

// A comment suppresses a finding if it gives a reason, and is recorded otherwise.
func TestComments(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *dbtest.DB) {
		run(t, db.Pool, shop)
		run(t, db.Pool, `comment on column accounts.balance is 'rowkeeper:ignore RKA08 an overdraft is agreed';
comment on table accounts is 'Accounts. rowkeeper:ignore RKA01';
comment on column items.account_id is 'rowkeeper:ignore RKA11 it was narrower once';
comment on table items is 'rowkeeper:ignore rka09 prices are estimates'`)
		findings, coverage := runAudit(t, db, audit.Options{TestDatabase: true})
		require.Empty(t, objectsOf(db, findings, "RKA08"))
		require.Empty(t, objectsOf(db, findings, "RKA09"))
		require.Equal(t, []string{"accounts.user_id"}, objectsOf(db, findings, "RKA01"))
		var stale []string
		for _, s := range coverage.Subjects {
			if strings.Contains(s.Name, "rowkeeper:ignore") {
				stale = append(stale, strings.TrimPrefix(s.Name, db.Schema+".")+": "+s.Skipped)
			}
		}
		require.ElementsMatch(t, []string{
			"accounts: rowkeeper:ignore RKA01: the comment gives no reason, so it suppresses nothing",
			"items.account_id: rowkeeper:ignore RKA11: the comment suppresses no finding",
		}, stale)
	})
}

func TestPlaceOfFindings(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *dbtest.DB) {
		run(t, db.Pool, shop)
		root := t.TempDir()
		require.NoError(t, os.Mkdir(filepath.Join(root, "db"), 0o755))
		require.NoError(t, os.WriteFile(filepath.Join(root, "db", "1.sql"), []byte(shop), 0o600))
		findings, _ := runAudit(t, db, audit.Options{Root: root, Config: &config.Config{Migrations: "db"}})
		i := slices.IndexFunc(findings, func(f finding.Finding) bool { return f.Rule == "RKA08" })
		require.Equal(t, finding.Place{File: "db/1.sql", Line: 2, Object: db.Schema + ".accounts.balance"}, findings[i].Place)

		_, _, err := audit.Run(t.Context(), db.Pool, audit.Options{Root: root, Config: &config.Config{Migrations: "missing"}})
		require.ErrorIs(t, err, os.ErrNotExist)
	})
}

func TestRunFails(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *dbtest.DB) {
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		_, _, err := audit.Run(ctx, db.Pool, audit.Options{})
		require.ErrorIs(t, err, context.Canceled)
		_, _, err = audit.Run(t.Context(), db.Pool, audit.Options{Config: &config.Config{Role: "is_not_there"}})
		require.ErrorContains(t, err, `no role "is_not_there"`)
		_, err = audit.Export(t.Context(), db.Pool, audit.Options{Config: &config.Config{Principals: []string{"is_not_there"}}})
		require.ErrorContains(t, err, "no table is_not_there")
	})
}

type recorder struct {
	testing.TB
	errors []string
}

func (r *recorder) Helper() {}

func (r *recorder) Errorf(format string, args ...any) {
	r.errors = append(r.errors, fmt.Sprintf(format, args...))
}

func TestT(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *dbtest.DB) {
		run(t, db.Pool, shop)
		r := &recorder{TB: t}
		audit.T(r, db.Pool, audit.Options{Schemas: []string{db.Schema}})
		all := strings.Join(r.errors, "\n")
		require.Len(t, r.errors, 4, all) // RKA01, 06, 08, 09, and not RKA10, which is medium
		require.Contains(t, all, "RKA08 high "+db.Schema+".accounts.balance: accounts.balance may fall below zero")
		require.Contains(t, all, "\n\talter table "+db.Schema+".accounts add constraint accounts_balance_check check (balance >= 0) not valid;")

		r = &recorder{TB: t}
		audit.T(r, db.Pool, audit.Options{Schemas: []string{"is_not_there"}})
		require.Len(t, r.errors, 1)
		audit.T(r, db.Pool, audit.Options{}, audit.Options{})
		require.Len(t, r.errors, 2)
	})
}
