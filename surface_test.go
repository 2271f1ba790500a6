package rowkeeper

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

// mostNames is how many names a package exports at most, beside methods and fields:
// each is a promise for ever. A package that is not listed exports at most 20.
var mostNames = map[string]int{"txn": 32, "owner": 60, "errs": 48, "errs/kind": 28 /* one for each kind */}

func TestPackagesExportFewNames(t *testing.T) {
	t.Parallel()
	counted := 0
	for _, top := range []string{"txn", "owner", "errs"} {
		require.NoError(t, filepath.WalkDir(top, func(dir string, d os.DirEntry, err error) error {
			if err != nil || !d.IsDir() {
				return err
			}
			if d.Name() == "internal" || d.Name() == "testdata" {
				return filepath.SkipDir
			}
			names := exportedNames(t, dir)
			most, listed := mostNames[filepath.ToSlash(dir)]
			if !listed {
				most = 20
			}
			if len(names) > most {
				t.Errorf("%s exports %d names, at most %d are wanted: %s", dir, len(names), most, strings.Join(names, " "))
			}
			if len(names) > 0 {
				counted++
				t.Logf("%-18s %2d", dir, len(names))
			}
			return nil
		}))
	}
	require.Greater(t, counted, 10)
}

// exportedNames returns the exported constants, variables, functions and types of the
// package in a folder, and reports those without a doc comment.
func exportedNames(t *testing.T, dir string) (names []string) {
	fset := token.NewFileSet()
	entries, err := os.ReadDir(dir)
	require.NoError(t, err)
	var files []*ast.File
	for _, e := range entries {
		if strings.HasSuffix(e.Name(), ".go") && !strings.HasSuffix(e.Name(), "_test.go") {
			f, err := parser.ParseFile(fset, filepath.Join(dir, e.Name()), nil, parser.ParseComments)
			require.NoError(t, err)
			files = append(files, f)
		}
	}
	if len(files) == 0 {
		return nil
	}
	p, err := doc.NewFromFiles(fset, files, "github.com/rowkeeper/rowkeeper/"+filepath.ToSlash(dir))
	require.NoError(t, err)
	add := func(comment string, all ...string) {
		for _, name := range all {
			if method := name[strings.LastIndexByte(name, '.')+1:]; method != name && (method == "Error" || method == "String") {
				continue
			}
			if ast.IsExported(strings.TrimPrefix(name[strings.LastIndexByte(name, '.')+1:], "*")) {
				if strings.TrimSpace(comment) == "" {
					t.Errorf("%s: %s has no doc comment", dir, name)
				}
				if !strings.Contains(name, ".") {
					names = append(names, name)
				}
			}
		}
	}
	values := func(groups []*doc.Value) {
		for _, g := range groups {
			for _, spec := range g.Decl.Specs {
				v := spec.(*ast.ValueSpec)
				for _, name := range v.Names {
					add(g.Doc+v.Doc.Text()+v.Comment.Text(), name.Name)
				}
			}
		}
	}
	funcs := func(prefix string, all []*doc.Func) {
		for _, f := range all {
			add(f.Doc, prefix+f.Name)
		}
	}
	values(p.Consts)
	values(p.Vars)
	funcs("", p.Funcs)
	for _, typ := range p.Types {
		add(typ.Doc, typ.Name)
		values(typ.Consts)
		values(typ.Vars)
		funcs("", typ.Funcs)
		if ast.IsExported(typ.Name) {
			funcs(typ.Name+".", typ.Methods)
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}
