package across_test

import (
	"context"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/rowkeeper/rowkeeper/internal/devdb/dbtest"
	"github.com/rowkeeper/rowkeeper/owner/across"
	"github.com/rowkeeper/rowkeeper/owner/internal/miscompile"
	"github.com/rowkeeper/rowkeeper/owner/internal/ownerkit"
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
const ddl = ownerkit.AccountsDDL + `;
insert into accounts (id, user_id, name, balance) values (1, 42, 'a', 100), (2, 42, 'b', 200), (3, 43, 'c', 300);`

// createAudited creates the accounts and the table of the audit.
func createAudited(t *testing.T, db *dbtest.DB) {
	t.Helper()
	ownerkit.MustExec(t, db, ddl+Audit.SQL())
}

// mustBegin begins a transaction that ends with the test.
func mustBegin(t *testing.T, db *dbtest.DB) pgx.Tx {
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

// records returns the records of the audit in their order.
func records(t *testing.T, db *dbtest.DB) []entry {
	t.Helper()
	rows, err := db.Query(t.Context(), `select actor, reason, statement, text_sha256, row_count from owner_audit order by at`)
	require.NoError(t, err)
	out, err := pgx.CollectRows(rows, pgx.RowToStructByPos[entry])
	require.NoError(t, err)
	return out
}

// requireSum fails unless the balances of all accounts add up to want.
func requireSum(t *testing.T, db *dbtest.DB, want int64, msg ...any) {
	t.Helper()
	var n int64
	require.NoError(t, db.QueryRow(t.Context(), `select sum(balance)::int8 from accounts`).Scan(&n))
	require.Equal(t, want, n, msg...)
}
