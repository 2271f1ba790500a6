package owner_test

import (
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// The ways out are found by their imports, so no package that others import may
// import them.
func TestOnlyApplicationsImportTheWaysOut(t *testing.T) {
	t.Parallel()
	const module = "github.com/rowkeeper/rowkeeper/"
	ways := []string{module + "owner/rawsql", module + "owner/across"}
	reach := map[string][]string{
		module + "owner/internal/sqltext": {"owner/rawsql", "owner/across"},
		module + "owner/internal/access":  {"owner", "owner/rawsql", "owner/ownertest", "owner/schema"},
		module + "owner/internal/core":    {"owner", "owner/internal/access", "owner/rawsql", "owner/ownertest", "owner/schema"},
	}
	root, tests := "..", 0
	err := filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if entry.IsDir() && (entry.Name() == "testdata" || path != root && strings.HasPrefix(entry.Name(), ".")) {
			return fs.SkipDir
		}
		if entry.IsDir() || !strings.HasSuffix(path, ".go") {
			return nil
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.ImportsOnly)
		if err != nil {
			return err
		}
		dir, err := filepath.Rel(root, filepath.Dir(path))
		dir = filepath.ToSlash(dir)
		for _, spec := range file.Imports {
			imported, _ := strconv.Unquote(spec.Path.Value)
			switch {
			case slices.Contains(ways, imported) && strings.HasSuffix(path, "_test.go"):
				tests++
			case slices.Contains(ways, imported) && !strings.HasPrefix(dir, "examples/") && !strings.HasPrefix(dir, "internal/lab/proof"):
				t.Errorf("%s imports %s", path, imported)
			case reach[imported] != nil:
				require.Contains(t, reach[imported], dir, "%s imports %s", path, imported)
			}
		}
		if err == nil && dir != "owner/rawsql" && !strings.HasSuffix(path, "_test.go") {
			var source []byte
			source, err = os.ReadFile(path)
			require.NotContains(t, string(source), "core.Fragment(", "%s makes conditions of SQL text", path)
		}
		return err
	})
	require.NoError(t, err)
	require.Greater(t, tests, 4, "the search finds imports where they are")
}
