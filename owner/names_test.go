package owner_test

import (
	"go/ast"
	"go/doc"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// Whatever is exported is in an example: by its name, and a type also by that of
// a function that makes it or of one of its methods.
func TestEveryNameHasAnExample(t *testing.T) {
	t.Parallel()
	fset := token.NewFileSet()
	var files []*ast.File
	used := map[string]bool{}
	paths, err := filepath.Glob("*.go")
	require.NoError(t, err)
	for _, path := range paths {
		source, err := os.ReadFile(path)
		require.NoError(t, err)
		file, err := parser.ParseFile(fset, path, source, parser.ParseComments)
		require.NoError(t, err)
		switch {
		case strings.HasPrefix(path, "example_"):
			ast.Inspect(file, func(n ast.Node) bool {
				if s, ok := n.(*ast.SelectorExpr); ok { // owner.Name or value.Name
					used[s.Sel.Name] = true
				}
				return true
			})
		case !strings.HasSuffix(path, "_test.go"):
			files = append(files, file)
		}
	}
	pkg, err := doc.NewFromFiles(fset, files, "github.com/rowkeeper/rowkeeper/owner")
	require.NoError(t, err)

	var missing []string
	checked := 0
	want := func(name string, also ...string) {
		checked++
		if !used[name] && !slices.ContainsFunc(also, func(s string) bool { return used[s] }) {
			missing = append(missing, name)
		}
	}
	values := func(groups []*doc.Value) {
		for _, v := range groups {
			for _, name := range v.Names {
				if token.IsExported(name) {
					want(name)
				}
			}
		}
	}
	functions := func(fs []*doc.Func) (names []string) {
		for _, f := range fs {
			want(f.Name)
			names = append(names, f.Name)
		}
		return names
	}
	values(pkg.Consts)
	values(pkg.Vars)
	functions(pkg.Funcs)
	for _, typ := range pkg.Types {
		values(typ.Consts)
		values(typ.Vars)
		want(typ.Name, append(functions(typ.Funcs), functions(typ.Methods)...)...)
	}
	require.Empty(t, missing, "no example uses these")
	require.Greater(t, checked, 100)
}
