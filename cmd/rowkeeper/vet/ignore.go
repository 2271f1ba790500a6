package vet

import (
	"go/token"
	"reflect"
	"slices"
	"strings"

	"golang.org/x/tools/go/analysis"

	"github.com/rowkeeper/rowkeeper/cmd/rowkeeper/finding"
)

var rule00 = &finding.Rule{
	ID: "RKV00", Name: "ignore-comment", Severity: finding.Low, CWE: []int{1164},
	Title: "An ignore comment has no reason, or nothing to ignore",
	Why:   "A comment that ignores nothing hides the next finding at its place. One without a reason cannot be reviewed.",
	Fix:   "Remove the comment, or write //rowkeeper:ignore RULE reason.",
	Bad:   "//rowkeeper:ignore RKV04",
	Good:  "//rowkeeper:ignore RKV04 the transaction has only read",
}

const ignorePrefix = "//rowkeeper:ignore"

// An ignore is a comment //rowkeeper:ignore RKV04 reason. It counts for its own line
// and, if it is alone on it, for the next.
type ignore struct {
	pos    token.Pos
	file   string
	line   int
	rules  []string
	reason string
}

func ignoresOf(pass *analysis.Pass) (ignores []ignore) {
	for _, file := range pass.Files {
		for _, group := range file.Comments {
			for _, comment := range group.List {
				text, ok := strings.CutPrefix(comment.Text, ignorePrefix)
				if !ok || text != "" && text[0] != ' ' && text[0] != '\t' {
					continue
				}
				text, _, _ = strings.Cut(text, "// want") // in tests of the rules
				rules, reason, _ := strings.Cut(strings.TrimSpace(text), " ")
				at := pass.Fset.Position(comment.Pos())
				ignores = append(ignores, ignore{comment.Pos(), at.Filename, at.Line, strings.Split(rules, ","), strings.TrimSpace(reason)})
			}
		}
	}
	return ignores
}

func ignored(fset *token.FileSet, ignores []ignore, pos token.Pos, rule *finding.Rule) *ignore {
	at := fset.Position(pos)
	for i, ig := range ignores {
		if ig.file == at.Filename && (ig.line == at.Line || ig.line == at.Line-1) && ig.reason != "" &&
			(slices.Contains(ig.rules, rule.ID) || slices.Contains(ig.rules, rule.Name)) {
			return &ignores[i]
		}
	}
	return nil
}

// ignoreAnalyzer reports ignore comments without a reason, and those that no rule used.
func ignoreAnalyzer(s *settings, rules []*analysis.Analyzer) *analysis.Analyzer {
	return &analysis.Analyzer{
		Name: rule00.ID, Doc: rule00.Title + "\n\n" + rule00.Why, Requires: rules, ResultType: reflect.TypeFor[*result](),
		Run: func(pass *analysis.Pass) (any, error) {
			res := &result{}
			used := map[token.Pos]bool{}
			for _, a := range rules {
				for pos := range pass.ResultOf[a].(*result).used {
					used[pos] = true
				}
			}
			for _, ig := range ignoresOf(pass) {
				message := ""
				switch {
				case ig.reason == "":
					message = "the comment needs a rule and a reason"
				case !used[ig.pos]:
					message = "the comment has nothing to ignore"
				default:
					continue
				}
				d := analysis.Diagnostic{Pos: ig.pos, Category: rule00.ID, Message: rule00.ID + " " + rule00.Name + ": " + message}
				res.reports = append(res.reports, report{Diagnostic: d, rule: rule00, severity: rule00.Severity, confidence: finding.Strong, function: "comment"})
				pass.Report(d)
			}
			return res, nil
		},
	}
}
