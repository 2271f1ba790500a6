// Package exampled checks, for tests, that each exported name of a package is used in
// an example.
package exampled

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
)

// Check fails the test unless every exported name of the package in the current
// folder is used in one of its files example_*.go. For a type, a function that makes
// it or one of its methods is enough. It returns how many names it checked.
func Check(t *testing.T) int {
	t.Helper()
	fail := func(err error) {
		if err != nil {
			t.Helper()
			t.Fatal(err)
		}
	}
	fset := token.NewFileSet()
	var files []*ast.File
	used := map[string]bool{}
	paths, err := filepath.Glob("*.go")
	fail(err)
	for _, path := range paths {
		source, err := os.ReadFile(path)
		fail(err)
		file, err := parser.ParseFile(fset, path, source, parser.ParseComments)
		fail(err)
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
	pkg, err := doc.NewFromFiles(fset, files, "example.com/package")
	fail(err)

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
	if missing != nil {
		t.Errorf("no example uses %s", strings.Join(missing, ", "))
	}
	return checked
}
