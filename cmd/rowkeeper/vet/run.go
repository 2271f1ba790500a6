package vet

import (
	"context"
	"fmt"
	"go/token"
	"maps"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/tools/go/analysis/checker"
	"golang.org/x/tools/go/packages"

	"github.com/rowkeeper/rowkeeper/cmd/rowkeeper/finding"
)

// Run looks at the packages that the patterns name, as the go command reads them in
// that directory. Tests are left out.
//
// Packages that do not compile are skipped, which the coverage says. The error is for
// what stops the run as a whole: no go command, no such pattern, a configuration that
// cannot be read.
func Run(ctx context.Context, dir string, patterns []string, o Options) ([]finding.Finding, *finding.Coverage, error) {
	coverage := &finding.Coverage{Engine: "vet", Rules: map[string]string{}}
	for _, r := range Rules() {
		coverage.Rules[r.ID] = ""
	}
	if o.Config == nil {
		c, at, err := nearest(absolute(dir))
		if err != nil {
			return nil, coverage, err
		}
		o.Config, o.at = c, at
	}
	loaded, err := packages.Load(&packages.Config{
		Context: ctx, Dir: dir, Fset: token.NewFileSet(),
		Mode: packages.NeedName | packages.NeedFiles | packages.NeedCompiledGoFiles | packages.NeedImports | packages.NeedTypes |
			packages.NeedTypesSizes | packages.NeedSyntax | packages.NeedTypesInfo | packages.NeedModule,
	}, patterns...)
	if err != nil {
		return nil, coverage, fmt.Errorf("load packages: %w", err)
	}
	usable := reached(loaded, coverage)
	if len(usable) == 0 {
		coverage.Failure = "no package could be looked at"
		return nil, coverage, nil
	}
	graph, err := checker.Analyze(New(o), usable, nil)
	if err != nil {
		return nil, coverage, err
	}
	if err := failures(graph, coverage); err != nil {
		return nil, coverage, err
	}
	findings := collect(graph, absolute(dir))
	if unowned := len(o.Config.Owned) == 0 && o.Config.Schema == "" && o.Schema == nil; unowned {
		coverage.Rules["RKV09"] = "no table is declared as owned: name an export of audit, or owned tables, in rowkeeper.yaml"
	}
	finding.Sort(findings)
	return findings, coverage, nil
}

func absolute(dir string) string {
	if abs, err := filepath.Abs(dir); err == nil {
		return abs
	}
	return dir
}

// reached records the packages in the coverage, and returns those that compile. Their
// imports are cut to one another: facts of other modules are in the tables.
func reached(loaded []*packages.Package, coverage *finding.Coverage) (usable []*packages.Package) {
	roots := map[*packages.Package]bool{}
	for _, pkg := range loaded {
		switch {
		case len(pkg.Errors) > 0:
			coverage.Skip(pkg.PkgPath, pkg.Errors[0].Msg)
		case pkg.IllTyped:
			coverage.Skip(pkg.PkgPath, "a package that it imports does not compile")
		case len(pkg.Syntax) == 0:
			coverage.Subjects = append(coverage.Subjects, finding.Subject{Name: pkg.PkgPath, Skipped: "no Go files", Ignored: true})
		default:
			coverage.Reach(pkg.PkgPath)
			usable = append(usable, pkg)
			roots[pkg] = true
		}
	}
	for _, pkg := range usable {
		maps.DeleteFunc(pkg.Imports, func(_ string, imported *packages.Package) bool { return !roots[imported] })
	}
	return usable
}

// failures returns why an analyzer failed for a reason of its own: a configuration that
// cannot be read, or a mistake in the analyzer.
func failures(graph *checker.Graph, coverage *finding.Coverage) error {
	for action := range graph.All() {
		if action.Err != nil && !slices.ContainsFunc(action.Deps, func(d *checker.Action) bool { return d.Err != nil }) {
			coverage.Failure = action.Err.Error()
			return fmt.Errorf("%s: %w", action.Package.PkgPath, action.Err)
		}
	}
	return nil
}

// collect makes findings of what the analyzers returned.
func collect(graph *checker.Graph, dir string) (findings []finding.Finding) {
	seen := map[string]int{}
	for _, action := range graph.Roots {
		res, ok := action.Result.(*result)
		if !ok {
			continue
		}
		slices.SortFunc(res.reports, func(a, b report) int { return int(a.Pos - b.Pos) })
		for _, r := range res.reports {
			f := asFinding(r, action.Package, dir)
			key := f.Rule + "\x00" + strings.Join(f.Identity, "\x00")
			f.Identity = append(f.Identity, strconv.Itoa(seen[key]))
			seen[key]++
			findings = append(findings, f)
		}
	}
	return findings
}

func asFinding(r report, pkg *packages.Package, dir string) finding.Finding {
	at := pkg.Fset.Position(r.Pos)
	file := at.Filename
	if rel, err := filepath.Rel(dir, file); err == nil {
		file = rel
	}
	place := finding.Place{File: filepath.ToSlash(file), Line: at.Line, Column: at.Column, Object: pkg.PkgPath + "." + r.function}
	_, message, _ := strings.Cut(r.Message, ": ")
	sql := strings.Join(strings.Fields(strings.ReplaceAll(r.sql, "\x00", "…")), " ")
	f := r.rule.New(r.confidence, place, message, pkg.PkgPath, r.function, sql)
	f.Severity = r.severity
	if sql != "" {
		f.Evidence = append(f.Evidence, finding.Evidence{Kind: finding.SQL, Text: sql})
	}
	return f
}
