// Package report writes the findings of a run as text, JSON or SARIF, and decides how
// the command exits.
package report

import (
	"fmt"
	"slices"
	"strings"

	"github.com/rowkeeper/rowkeeper/cmd/rowkeeper/config"
	"github.com/rowkeeper/rowkeeper/cmd/rowkeeper/finding"
)

// A Report is what a run says.
type Report struct {
	Version  string             `json:"version"` // of the command
	Findings []finding.Finding  `json:"findings"`
	Ignored  []Ignored          `json:"ignored"`
	Known    int                `json:"known"`  // in the baseline
	Hidden   int                `json:"hidden"` // below the confidence that is shown
	Stale    []finding.Known    `json:"stale,omitempty"`
	Notes    []string           `json:"notes,omitempty"`
	Coverage []finding.Coverage `json:"coverage"`

	rules finding.Rules
}

// An Ignored finding, and why.
type Ignored struct {
	Finding finding.Finding `json:"finding"`
	Reason  string          `json:"reason"`
}

// Options decide which findings are shown.
type Options struct {
	Version    string
	Rules      finding.Rules
	Config     *config.Config
	Baseline   *finding.Baseline
	Confidence finding.Confidence // the least that is shown
}

// New sorts findings and leaves out what the options leave out.
func New(findings []finding.Finding, coverage []finding.Coverage, o Options) (*Report, error) {
	severities, err := parseSeverities(o.Rules, o.Config.Severity)
	if err != nil {
		return nil, err
	}
	r := &Report{Version: o.Version, Findings: []finding.Finding{}, Ignored: []Ignored{}, Coverage: coverage, rules: o.Rules}
	entries, err := resolve(o.Rules, o.Config.Ignore)
	if err != nil {
		return nil, err
	}
	used := make([]bool, len(entries))
	var kept []finding.Finding
	for _, f := range findings {
		if severity, ok := severities[f.Rule]; ok {
			if severity == off {
				continue
			}
			f.Severity = severity
		}
		switch at := ignores(entries, &f); {
		case at >= 0:
			used[at] = true
			r.Ignored = append(r.Ignored, Ignored{f, entries[at].Reason})
		case f.Confidence < o.Confidence:
			r.Hidden++
		default:
			kept = append(kept, f)
		}
	}
	fresh, known, stale := o.Baseline.Split(kept, r.Judged)
	r.Findings, r.Known, r.Stale = append(r.Findings, fresh...), known, stale
	finding.Sort(r.Findings)
	for i, e := range entries {
		if !used[i] && (e.Rule == "" || r.Judged(e.Rule)) {
			r.Notes = append(r.Notes, "configuration: ignore "+strings.TrimSpace(e.Rule+" "+e.Object)+" matches no finding")
		}
	}
	for _, c := range coverage {
		for _, note := range c.Notes {
			r.Notes = append(r.Notes, c.Engine+": "+note)
		}
	}
	return r, nil
}

// Judged reports whether the run judged the rule with that ID.
func (r *Report) Judged(rule string) bool {
	for _, c := range r.Coverage {
		if why, ok := c.Rules[rule]; ok && why == "" && c.Failure == "" {
			return true
		}
	}
	return false
}

// Worst returns the highest severity of the findings, or 0.
func (r *Report) Worst() finding.Severity {
	var worst finding.Severity
	for _, f := range r.Findings {
		worst = max(worst, f.Severity)
	}
	return worst
}

// The exit codes of the command. 2 is for a wrong flag or configuration.
const (
	Clean         = 0
	Found         = 1
	CouldNotJudge = 3 // it could not judge
)

// Exit returns the exit code: Found if a finding is at least as severe as failOn,
// CouldNotJudge if an engine failed or looked at less than its share minimum, and Clean
// otherwise.
func (r *Report) Exit(failOn finding.Severity, minimum float64) int {
	if worst := r.Worst(); worst != 0 && worst >= failOn {
		return Found
	}
	if r.Failed(minimum) {
		return CouldNotJudge
	}
	return Clean
}

// Failed reports whether an engine ended early, or looked at nothing or at less than
// the share minimum.
func (r *Report) Failed(minimum float64) bool {
	for i := range r.Coverage {
		if c := &r.Coverage[i]; c.Failure != "" || c.Reached() < minimum || c.Reached() == 0 {
			return true
		}
	}
	return false
}

const off finding.Severity = -1

func parseSeverities(rules finding.Rules, names map[string]config.Severity) (map[string]finding.Severity, error) {
	severities := map[string]finding.Severity{}
	for name, text := range names {
		rule := rules.Find(name)
		if rule == nil {
			return nil, fmt.Errorf("severity: no rule %q; rowkeeper rules lists them", name)
		}
		severity := off
		if text != "off" {
			if err := severity.UnmarshalText([]byte(text)); err != nil {
				return nil, err
			}
		}
		severities[rule.ID] = severity
	}
	return severities, nil
}

// resolve returns the entries with the IDs of their rules.
func resolve(rules finding.Rules, entries []config.Ignore) ([]config.Ignore, error) {
	entries = slices.Clone(entries)
	for i, e := range entries {
		if e.Rule == "" {
			continue
		}
		rule := rules.Find(e.Rule)
		if rule == nil {
			return nil, fmt.Errorf("ignore: no rule %q; rowkeeper rules lists them", e.Rule)
		}
		entries[i].Rule = rule.ID
	}
	return entries, nil
}

// ignores returns the index of the entry that ignores the finding, or -1.
func ignores(entries []config.Ignore, f *finding.Finding) int {
	for i, e := range entries {
		if e.Rule != "" && e.Rule != f.Rule {
			continue
		}
		if e.Object == "" || matches(e.Object, f.Place.Object) || matches(e.Object, f.Place.File) {
			return i
		}
	}
	return -1
}

// matches reports whether the name is the pattern, in which * stands for any text.
func matches(pattern, name string) bool {
	parts := strings.Split(pattern, "*")
	rest, ok := strings.CutPrefix(name, parts[0])
	if !ok {
		return false
	}
	for i, part := range parts[1:] {
		if i == len(parts)-2 {
			return strings.HasSuffix(rest, part)
		}
		_, after, found := strings.Cut(rest, part)
		if !found {
			return false
		}
		rest = after
	}
	return rest == ""
}
