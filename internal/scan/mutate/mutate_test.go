// Package mutate_test shows what rowkeeper vet finds: each mutant of two right programs
// has one mistake.
package mutate_test

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"go/types"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/tools/go/analysis/checker"
	"golang.org/x/tools/go/packages"

	// The programs import these, so the go.mod of this module has what they need.
	_ "github.com/cockroachdb/cockroach-go/v2/crdb/crdbpgxv5"
	_ "github.com/jackc/pgx/v5/pgxpool"
	_ "github.com/rowkeeper/rowkeeper/errs/jsonbody"
	_ "github.com/rowkeeper/rowkeeper/owner"
	_ "github.com/rowkeeper/rowkeeper/txn/idempotency"

	"github.com/rowkeeper/rowkeeper/cmd/rowkeeper/config"
	"github.com/rowkeeper/rowkeeper/cmd/rowkeeper/vet"
)

// minRecall is the share of mutants that must be found.
const minRecall = 0.9

func TestMutants(t *testing.T) {
	t.Parallel()
	sources := map[string]map[string]string{"shop": read(t, "testdata/shop.go.txt")}
	sources["bank"] = read(t, "../../../examples/bank/bank.go", "../../../examples/bank/id.go", "../../../examples/bank/schema.go",
		"../../../examples/bank/server.go", "../../../examples/bank/storm.go")
	mutants := map[string][]mutant{"shop": shop, "bank": bank}
	c := newCompiler(t, sources)
	var programs []*packages.Package
	for name, files := range sources {
		programs = append(programs, c.compile(t, name, files))
		for i, m := range mutants[name] {
			programs = append(programs, c.compile(t, fmt.Sprintf("%s%02d", name, i), mutated(t, m, files)))
		}
	}
	owned := map[string]string{"accounts": "user_id", "orders": "user_id"}
	graph, err := checker.Analyze(vet.New(vet.Options{Config: &config.Config{Owned: owned}}), programs, nil)
	require.NoError(t, err)
	found := map[string]map[string]bool{} // by package and rule
	for _, action := range graph.Roots {
		require.NoError(t, action.Err)
		program := action.Package.PkgPath
		for _, d := range action.Diagnostics {
			require.NotContains(t, sources, program, "%s: %s, in a program that is right", c.fset.Position(d.Pos), d.Message)
			if found[program] == nil {
				found[program] = map[string]bool{}
			}
			found[program][d.Category] = true
		}
	}
	recall(t, mutants, found)
}

// A compiler checks the types of programs that import what the right programs import.
type compiler struct {
	fset  *token.FileSet
	types map[string]*types.Package
}

// newCompiler loads what the programs import, once for all mutants.
func newCompiler(t *testing.T, sources map[string]map[string]string) *compiler {
	t.Helper()
	c := &compiler{fset: token.NewFileSet(), types: map[string]*types.Package{}}
	imported := map[string]bool{}
	for _, files := range sources {
		for name, text := range files {
			file, err := parser.ParseFile(token.NewFileSet(), name, text, parser.ImportsOnly)
			require.NoError(t, err)
			for _, spec := range file.Imports {
				imported[strings.Trim(spec.Path.Value, `"`)] = true
			}
		}
	}
	loaded, err := packages.Load(&packages.Config{Context: t.Context(), Mode: packages.NeedName | packages.NeedTypes}, slices.Collect(maps.Keys(imported))...)
	require.NoError(t, err)
	for _, pkg := range loaded {
		require.Empty(t, pkg.Errors)
		c.types[pkg.PkgPath] = pkg.Types
	}
	return c
}

// Import returns a package that was loaded.
func (c *compiler) Import(path string) (*types.Package, error) {
	if pkg := c.types[path]; pkg != nil {
		return pkg, nil
	}
	return nil, fmt.Errorf("no right program imports %s", path)
}

func (c *compiler) compile(t *testing.T, path string, files map[string]string) *packages.Package {
	t.Helper()
	pkg := &packages.Package{ID: path, Name: path, PkgPath: path, Fset: c.fset, TypesSizes: types.SizesFor("gc", "amd64"), TypesInfo: &types.Info{
		Types: map[ast.Expr]types.TypeAndValue{}, Instances: map[*ast.Ident]types.Instance{}, Defs: map[*ast.Ident]types.Object{},
		Uses: map[*ast.Ident]types.Object{}, Implicits: map[ast.Node]types.Object{}, Selections: map[*ast.SelectorExpr]*types.Selection{},
		Scopes: map[ast.Node]*types.Scope{}, FileVersions: map[*ast.File]string{},
	}}
	for name, text := range files {
		file, err := parser.ParseFile(c.fset, path+"/"+name, text, parser.ParseComments|parser.SkipObjectResolution)
		require.NoError(t, err)
		pkg.Syntax = append(pkg.Syntax, file)
	}
	cfg := types.Config{Importer: c, GoVersion: "go1.25", Sizes: pkg.TypesSizes}
	var err error
	pkg.Types, err = cfg.Check(path, c.fset, pkg.Syntax, pkg.TypesInfo)
	require.NoError(t, err, "%s is not a program", path)
	return pkg
}

func recall(t *testing.T, mutants map[string][]mutant, found map[string]map[string]bool) {
	t.Helper()
	all, hit := 0, 0
	for name, list := range mutants {
		for i, m := range list {
			all++
			if found[fmt.Sprintf("%s%02d", name, i)][m.rule] {
				hit++
			} else {
				t.Logf("not found: %s, %s in %s", m.rule, m.name, name)
			}
		}
	}
	t.Logf("found %d of %d mutants", hit, all)
	require.GreaterOrEqual(t, float64(hit), minRecall*float64(all))
}

// read returns the files by their names. A main package becomes an ordinary one.
func read(t *testing.T, names ...string) map[string]string {
	t.Helper()
	files := map[string]string{}
	for _, name := range names {
		text, err := os.ReadFile(name)
		require.NoError(t, err)
		files[strings.TrimSuffix(filepath.Base(name), ".txt")] = strings.Replace(string(text), "package main\n", "package bank\n", 1)
	}
	return files
}

func mutated(t *testing.T, m mutant, files map[string]string) map[string]string {
	t.Helper()
	out := map[string]string{}
	for name, text := range files {
		out[name] = text
	}
	for i := 0; i < len(m.pairs); i += 2 {
		times := 0
		for name, text := range out {
			times += strings.Count(text, m.pairs[i])
			out[name] = strings.Replace(text, m.pairs[i], m.pairs[i+1], 1)
		}
		require.Equal(t, 1, times, "%s: %s", m.name, m.pairs[i])
	}
	return out
}
