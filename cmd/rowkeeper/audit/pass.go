package audit

import (
	"context"
	"fmt"
	"strings"

	"github.com/rowkeeper/rowkeeper/cmd/rowkeeper/audit/catalog"
	"github.com/rowkeeper/rowkeeper/cmd/rowkeeper/finding"
)

// A pass is one run of all rules.
type pass struct {
	*catalog.Catalog
	ctx    context.Context
	opts   Options
	owners *ownership
	places places
	rows   *counter // nil unless Options.Rows

	rule     *finding.Rule // that is checked now
	found    []*report
	unjudged string // why the rule could not be judged
	findings []finding.Finding
}

// A report is a finding while its rule is at work, and what it is about.
type report struct {
	finding.Finding
	comments []string // that can suppress it
}

// run checks all rules and returns what was covered.
func (p *pass) run() *finding.Coverage {
	coverage := &finding.Coverage{Engine: "audit", Rules: map[string]string{}}
	for _, r := range checks {
		p.rule, p.unjudged = r.rule, ""
		r.check(p)
		coverage.Rules[r.rule.ID] = p.unjudged
	}
	p.cover(coverage)
	p.suppress(coverage)
	finding.Sort(p.findings)
	return coverage
}

func (p *pass) cover(coverage *finding.Coverage) {
	for _, t := range p.Tables {
		if reason := foreign(t); reason != "" {
			coverage.Subjects = append(coverage.Subjects, finding.Subject{Name: t.String(), Skipped: reason, Ignored: true})
		} else {
			coverage.Reach(t.String())
		}
	}
	for _, left := range p.Left {
		coverage.Subjects = append(coverage.Subjects, finding.Subject{Name: left.Name, Skipped: left.Reason, Ignored: true})
	}
	if coverage.Reached() == 0 {
		coverage.Failure = "there is no table to look at in database " + p.Database
	}
}

// tables yields the application's tables.
func (p *pass) tables(yield func(*catalog.Table) bool) {
	for _, t := range p.Tables {
		if foreign(t) == "" && !yield(t) {
			return
		}
	}
}

// report adds a finding about a table, or about one of its columns.
func (p *pass) report(confidence finding.Confidence, t *catalog.Table, c *catalog.Column, format string, args ...any) *report {
	object, comments := t.String(), []string{t.Comment}
	if c != nil {
		object += "." + c.Name
		comments = append(comments, c.Comment)
	}
	r := p.reportObject(confidence, object, format, args...)
	r.comments = comments
	r.Place.File, r.Place.Line = p.places.of(t)
	return r
}

// reportObject adds a finding about anything else.
func (p *pass) reportObject(confidence finding.Confidence, object, format string, args ...any) *report {
	r := &report{Finding: p.rule.New(confidence, finding.Place{Object: object}, fmt.Sprintf(format, args...), object)}
	p.found = append(p.found, r)
	return r
}

// identify makes the finding another one than others of the rule about the same object.
func (r *report) identify(names ...string) *report {
	r.Identity = append(r.Identity, names...)
	return r
}

// note adds a sentence of evidence.
func (r *report) note(format string, args ...any) *report {
	r.Evidence = append(r.Evidence, finding.Evidence{Kind: finding.Note, Text: fmt.Sprintf(format, args...)})
	return r
}

// sql sets the statements that mend the finding, each on a line.
func (r *report) sql(statements ...string) *report {
	if len(statements) > 0 {
		r.Remedy.SQL = strings.Join(statements, ";\n") + ";"
	}
	return r
}

// suppress turns reports into findings, without those that a comment suppresses. Comments
// that suppress nothing, or give no reason, are recorded.
func (p *pass) suppress(coverage *finding.Coverage) {
	used := map[string]bool{}
	for _, r := range p.found {
		ignored := false
		for _, comment := range r.comments {
			for _, x := range ignores(comment) {
				if x.reason != "" && strings.EqualFold(x.rule, r.Rule) {
					ignored, used[x.text] = true, true
				}
			}
		}
		if !ignored {
			p.findings = append(p.findings, r.Finding)
		}
	}
	stale := func(object, comment string) {
		for _, x := range ignores(comment) {
			if !used[x.text] {
				reason := "the comment suppresses no finding"
				if x.reason == "" {
					reason = "the comment gives no reason, so it suppresses nothing"
				}
				coverage.Subjects = append(coverage.Subjects,
					finding.Subject{Name: object + ": rowkeeper:ignore " + x.rule, Skipped: reason, Ignored: true})
			}
		}
	}
	for t := range p.tables {
		stale(t.String(), t.Comment)
		for _, c := range t.Columns {
			stale(t.String()+"."+c.Name, c.Comment)
		}
	}
}

type ignore struct{ rule, reason, text string }

// ignores returns what a comment suppresses, a line each:
//
//	rowkeeper:ignore RKA08 an overdraft is agreed with the bank
func ignores(comment string) (found []ignore) {
	for line := range strings.Lines(comment) {
		_, rest, ok := strings.Cut(line, "rowkeeper:ignore")
		if !ok {
			continue
		}
		rule, reason, _ := strings.Cut(strings.TrimSpace(rest), " ")
		found = append(found, ignore{rule, strings.TrimSpace(reason), strings.TrimSpace(line)})
	}
	return found
}
