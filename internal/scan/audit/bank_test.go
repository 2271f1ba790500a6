package audit_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rowkeeper/rowkeeper/cmd/rowkeeper/audit"
	"github.com/rowkeeper/rowkeeper/internal/devdb/dbtest"
	"github.com/rowkeeper/rowkeeper/txn/once"
)

// The example service has no finding at all, not even a suspected one.
func TestBankIsClean(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *dbtest.DB) {
		run(t, db.Pool, constantOf(t, "../../../examples/bank/schema.go", "schema")+once.Schema)
		findings, coverage := runAudit(t, db, audit.Options{TestDatabase: true, Rows: true})
		require.Empty(t, findings)
		require.InDelta(t, 1.0, coverage.Reached(), 0.001)
		require.Len(t, coverage.Subjects, 4)

		schema, err := audit.Export(t.Context(), db.Pool, audit.Options{Schemas: []string{db.Schema}})
		require.NoError(t, err)
		owners := map[string][]string{}
		for _, table := range schema.Tables {
			owners[table.Name] = table.Owner
			require.Equal(t, table.Name == "users", table.Principal)
		}
		require.Equal(t, map[string][]string{"users": nil, "accounts": {"user_id"}, "transfers": {"user_id"}}, owners)
	})
}

// constantOf returns the value of a string constant of a Go file.
func constantOf(t *testing.T, file, name string) (value string) {
	t.Helper()
	source, err := parser.ParseFile(token.NewFileSet(), file, nil, 0)
	require.NoError(t, err)
	ast.Inspect(source, func(n ast.Node) bool {
		if spec, ok := n.(*ast.ValueSpec); ok && spec.Names[0].Name == name {
			value, err = strconv.Unquote(spec.Values[0].(*ast.BasicLit).Value)
			require.NoError(t, err)
		}
		return true
	})
	require.NotEmpty(t, value)
	return value
}
