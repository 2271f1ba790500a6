package vet

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/tools/go/analysis"
	"golang.org/x/tools/go/analysis/analysistest"

	"github.com/rowkeeper/rowkeeper/cmd/rowkeeper/config"
	"github.com/rowkeeper/rowkeeper/cmd/rowkeeper/finding"
)

// options of the fixtures: some tables are owned, and the schema has some unique keys.
func options() Options {
	return Options{
		Config: &config.Config{
			Owned: map[string]string{"accounts": "user_id", "notes": "user_id"},
			Retry: []string{"rkv06.configured"},
		},
		Schema: &config.Schema{
			Engine: "postgresql",
			Tables: []config.Table{
				{Schema: "public", Name: "accounts", Owner: []string{"user_id"}, Unique: [][]string{{"id"}}},
				{Schema: "public", Name: "transfers", Parents: []string{"public.accounts"}, Unique: [][]string{{"id"}}},
				{Schema: "public", Name: "users", Principal: true, Unique: [][]string{{"id"}}},
				{Schema: "public", Name: "tags", Unique: [][]string{{"id"}, {"name"}}},
			},
		},
	}
}

// fixtures returns an analyzer that reports, in a package named like a rule, what that
// rule reports. So the packages of all fixtures are loaded once.
func fixtures() *analysis.Analyzer {
	rules := New(options())
	return &analysis.Analyzer{
		Name: "fixtures", Doc: "reports what the rule reports that the package is named after", Requires: rules,
		Run: func(pass *analysis.Pass) (any, error) {
			for _, a := range rules {
				if strings.EqualFold(a.Name, pass.Pkg.Name()) {
					for _, r := range pass.ResultOf[a].(*result).reports {
						if r.confidence >= finding.Strong {
							pass.Report(r.Diagnostic)
						}
					}
				}
			}
			return nil, nil
		},
	}
}

// TestRules runs each rule on its fixtures: each line that is wrong has a comment with
// what the rule says, and what is right has none.
func TestRules(t *testing.T) {
	t.Parallel()
	var names []string
	for _, r := range Rules() {
		names = append(names, strings.ToLower(r.ID))
		countFixtures(t, r.ID, filepath.Join("testdata", "src", strings.ToLower(r.ID)))
	}
	analysistest.RunWithSuggestedFixes(t, analysistest.TestData(), fixtures(), names...)
}

// countFixtures demands five functions that are bad and five that are good.
func countFixtures(t *testing.T, id, dir string) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "*.go"))
	if err != nil {
		t.Fatal(err)
	}
	bad, good := 0, 0
	for _, name := range files {
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		for _, decl := range file.Decls {
			if fn, ok := decl.(*ast.FuncDecl); ok {
				if strings.HasPrefix(fn.Name.Name, "bad") {
					bad++
				}
				if strings.HasPrefix(fn.Name.Name, "good") {
					good++
				}
			}
		}
	}
	t.Logf("%s: %d bad, %d good", id, bad, good)
	if id != rule00.ID && (bad < 5 || good < 5) {
		t.Errorf("%s has %d bad and %d good fixtures; it needs 5 of each", id, bad, good)
	}
}
