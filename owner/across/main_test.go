package across_test

import (
	"context"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/rowkeeper/rowkeeper/internal/devdb/dbtest"
	"github.com/rowkeeper/rowkeeper/owner/across"
	"github.com/rowkeeper/rowkeeper/owner/internal/miscompile"
)

func TestMain(m *testing.M) { dbtest.Main(m) }

func TestMistakesDoNotCompile(t *testing.T) {
	t.Parallel()
	miscompile.Check(t, "testdata/compile/compile.go")
}

var (
	Audit    = across.MustAudit("owner_audit")
	Bonus    = Audit.MustStatement("bonus", `update accounts set balance = balance + @amount where balance > 0`)
	Balances = Audit.MustStatement("balances", `select user_id, sum(balance)::int8 from accounts group by user_id order by user_id`)
	Collide  = Audit.MustStatement("collide", `update accounts set id = @id`)
	Missing  = Audit.MustStatement("missing", `select 1 from nothing`)
)

type total struct {
	UserID int64
	Sum    int64
}

// Alice, who is 42, has accounts 1 and 2; Bob, who is 43, has 3.
const ddl = `create table accounts (id bigint primary key, user_id bigint not null, balance bigint not null);
insert into accounts values (1, 42, 100), (2, 42, 200), (3, 43, 300);`

func setup(t *testing.T, db *dbtest.DB) {
	t.Helper()
	_, err := db.Exec(t.Context(), ddl+Audit.SQL())
	require.NoError(t, err)
}

func begin(t *testing.T, db *dbtest.DB) pgx.Tx {
	t.Helper()
	tx, err := db.Begin(t.Context())
	require.NoError(t, err)
	t.Cleanup(func() { _ = tx.Rollback(context.Background()) })
	return tx
}

type entry struct {
	Actor, Reason, Statement, Hash string
	Rows                           int64
}

func records(t *testing.T, db *dbtest.DB) []entry {
	t.Helper()
	rows, err := db.Query(t.Context(), `select actor, reason, statement, text_sha256, row_count from owner_audit order by at`)
	require.NoError(t, err)
	out, err := pgx.CollectRows(rows, pgx.RowToStructByPos[entry])
	require.NoError(t, err)
	return out
}

func sum(t *testing.T, db *dbtest.DB) (n int64) {
	t.Helper()
	require.NoError(t, db.QueryRow(t.Context(), `select sum(balance)::int8 from accounts`).Scan(&n))
	return n
}
