package vet

import (
	"fmt"
	"go/token"
	"go/types"
	"reflect"
	"strings"

	"golang.org/x/tools/go/analysis"
	"golang.org/x/tools/go/ssa"

	"github.com/rowkeeper/rowkeeper/cmd/rowkeeper/config"
	"github.com/rowkeeper/rowkeeper/cmd/rowkeeper/finding"
	"github.com/rowkeeper/rowkeeper/cmd/rowkeeper/vet/internal/dbcall"
)

// Options of a run.
type Options struct {
	Config    *config.Config // if nil, rowkeeper.yaml of the module is read
	Schema    *config.Schema // what audit exported; if nil, the file that Config names is read
	Suspected bool           // as a vet tool, also report what is only suspected

	at string // the directory of Config, or "" for the working directory
}

// A check is a rule with the function that finds it.
type check struct {
	rule *finding.Rule
	run  func(*unit)
}

var checks = []check{
	{rule01, poolInTx}, {rule02, rmwNoTx}, {rule03, rmwUnlocked}, {rule04, commitIgnored}, {rule05, txLeak},
	{rule06, retriedEffect}, {rule07, txConcurrent}, {rule08, sqlValue}, {rule09, unscoped}, {rule10, errToClient},
	{rule11, affectedIgnored}, {rule12, busyRows}, {rule13, naiveRetry}, {rule14, hiddenSQLState}, {rule15, checkThenInsert},
	{rule16, bindRow}, {rule17, detachedCtx},
}

// Rules returns the rules of vet.
func Rules() finding.Rules {
	rules := finding.Rules{rule00}
	for _, c := range checks {
		rules = append(rules, c.rule)
	}
	return rules
}

// Analyzers returns an analyzer for each rule. They read rowkeeper.yaml from the
// directory of the package or the nearest one above it.
func Analyzers() []*analysis.Analyzer { return New(Options{}) }

// New returns an analyzer for each rule, and one that reports ignore comments that
// nothing needs.
func New(o Options) []*analysis.Analyzer {
	s := &settings{options: o}
	calls := dbcall.New(s.retry())
	var analyzers []*analysis.Analyzer
	for _, c := range checks {
		analyzers = append(analyzers, &analysis.Analyzer{
			Name:       c.rule.ID,
			Doc:        c.rule.Title + "\n\n" + c.rule.Why,
			Requires:   []*analysis.Analyzer{calls},
			ResultType: reflect.TypeFor[*result](),
			Run: func(pass *analysis.Pass) (any, error) {
				return s.check(c, pass, pass.ResultOf[calls].(*dbcall.Package))
			},
		})
	}
	return append(analyzers, ignoreAnalyzer(s, analyzers))
}

// A result has what one rule found in one package.
type result struct {
	reports []report
	used    map[token.Pos]bool // ignore comments
}

// A report is a diagnostic and what a Finding needs beyond it.
type report struct {
	analysis.Diagnostic
	rule       *finding.Rule
	severity   finding.Severity
	confidence finding.Confidence
	function   string
	sql        string
}

// A unit is one rule at work on one package.
type unit struct {
	*dbcall.Package
	rule     *finding.Rule
	settings *settings
	ignores  []ignore
	result   *result
	seen     map[token.Pos]bool
}

func (s *settings) check(c check, pass *analysis.Pass, calls *dbcall.Package) (*result, error) {
	u := &unit{Package: calls, rule: c.rule, settings: s, result: &result{used: map[token.Pos]bool{}}, seen: map[token.Pos]bool{}}
	if calls.SSA == nil {
		return u.result, nil
	}
	if err := s.load(pass); err != nil {
		return nil, err
	}
	u.ignores = ignoresOf(pass)
	c.run(u)
	for _, r := range u.result.reports {
		if r.confidence >= finding.Strong || s.options.Suspected {
			pass.Report(r.Diagnostic)
		}
	}
	return u.result, nil
}

// An extra changes a report.
type extra func(*report)

func severity(s finding.Severity) extra { return func(r *report) { r.severity = s } }
func suspected() extra                  { return func(r *report) { r.confidence = finding.Suspected } }
func statement(sql string) extra        { return func(r *report) { r.sql = sql } }

func fix(message string, edits ...analysis.TextEdit) extra {
	return func(r *report) {
		r.SuggestedFixes = append(r.SuggestedFixes, analysis.SuggestedFix{Message: message, TextEdits: edits})
	}
}

// report reports the call, unless it is in a test or a comment ignores it.
func (u *unit) report(at ssa.Instruction, message string, extras ...extra) {
	pos, end := at.Pos(), token.NoPos
	if call, ok := at.(ssa.CallInstruction); ok {
		pos = call.Common().Pos()
		if expr := u.ExprAt(pos); expr != nil {
			pos, end = expr.Fun.Pos(), expr.End()
		}
	}
	u.reportAt(at.Parent(), pos, end, message, extras...)
}

func (u *unit) reportAt(fn *ssa.Function, pos, end token.Pos, message string, extras ...extra) {
	if !pos.IsValid() || u.seen[pos] || strings.HasSuffix(u.Pass.Fset.File(pos).Name(), "_test.go") {
		return
	}
	u.seen[pos] = true
	if ig := ignored(u.Pass.Fset, u.ignores, pos, u.rule); ig != nil {
		u.result.used[ig.pos] = true
		return
	}
	r := report{
		Diagnostic: analysis.Diagnostic{Pos: pos, End: end, Category: u.rule.ID, Message: fmt.Sprintf("%s %s: %s", u.rule.ID, u.rule.Name, message)},
		rule:       u.rule, severity: u.rule.Severity, confidence: finding.Strong, function: functionName(fn),
	}
	for _, e := range extras {
		e(&r)
	}
	u.result.reports = append(u.result.reports, r)
}

// functionName returns the name of the declared function that fn is in.
func functionName(fn *ssa.Function) string {
	obj := dbcall.Object(fn)
	if obj == nil {
		return "package"
	}
	if recv := obj.Signature().Recv(); recv != nil {
		qualifier := func(*types.Package) string { return "" }
		return "(" + types.TypeString(recv.Type(), qualifier) + ")." + obj.Name()
	}
	return obj.Name()
}
