package report

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/rowkeeper/rowkeeper/cmd/rowkeeper/finding"
)

// Text writes the report for people. Colors are those of the terminal's own palette,
// so they suit a dark and a light background.
func (r *Report) Text(w io.Writer, color bool) error {
	p := printer{color: color}
	for i := range r.Findings {
		p.finding(&r.Findings[i], r.rules.Find(r.Findings[i].Rule))
	}
	for _, note := range r.Notes {
		p.line("note: %s", note)
	}
	for _, k := range r.Stale {
		p.line("note: the baseline knows %s at %s, which was not found again; -update-baseline removes it", k.Rule, k.Place)
	}
	for i := range r.Coverage {
		p.coverage(&r.Coverage[i])
	}
	p.line("%s", r.summary())
	_, err := io.WriteString(w, p.text.String())
	return err
}

type printer struct {
	text  strings.Builder
	color bool
}

func (p *printer) line(format string, args ...any) {
	fmt.Fprintf(&p.text, format+"\n", args...)
}

// The codes of ANSI terminals.
const (
	bold    = "1"
	faint   = "2"
	red     = "1;31"
	yellow  = "33"
	magenta = "1;35"
	cyan    = "36"
)

func (p *printer) paint(code, text string) string {
	if !p.color {
		return text
	}
	return "\x1b[" + code + "m" + text + "\x1b[0m"
}

var severityColors = map[finding.Severity]string{
	finding.Critical: magenta, finding.High: red, finding.Medium: yellow, finding.Low: cyan,
}

func (p *printer) finding(f *finding.Finding, rule *finding.Rule) {
	name := ""
	if rule != nil {
		name = " " + rule.Name
	}
	confidence := ""
	if f.Confidence != finding.Strong {
		confidence = " (" + f.Confidence.String() + ")"
	}
	p.line("%s %s%s", p.paint(severityColors[f.Severity], fmt.Sprintf("%-8s", f.Severity)), p.paint(bold, f.Rule+name), confidence)
	if place := f.Place.Position(); place != "" {
		p.line("  %s", place)
	}
	if f.Place.Object != "" {
		p.line("  %s", f.Place.Object)
	}
	p.indented("  ", f.Message)
	for _, e := range f.Evidence {
		p.indented("    "+p.paint(faint, "|")+" ", e.Text)
	}
	p.indented("  "+p.paint(bold, "fix:")+" ", f.Remedy.Text)
	if f.Remedy.SQL != "" {
		p.indented("    ", f.Remedy.SQL)
	}
	if f.Remedy.Rowkeeper != "" {
		p.indented("  "+p.paint(bold, "with Rowkeeper:")+" ", f.Remedy.Rowkeeper)
	}
	p.line("")
}

// indented writes each line of the text after the prefix.
func (p *printer) indented(prefix, text string) {
	for line := range strings.Lines(strings.TrimRight(text, "\n")) {
		p.line("%s%s", prefix, printable(strings.TrimRight(line, "\r\n")))
	}
}

// printable replaces control characters, which could come from a service's answer and
// would change the terminal.
func printable(text string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' && r != '\t' || r >= 0x7f && r < 0xa0 {
			return '\uFFFD'
		}
		return r
	}, text)
}

func (p *printer) coverage(c *finding.Coverage) {
	looked, counted := 0, 0
	why := map[string][]string{}
	for _, s := range c.Subjects {
		switch {
		case s.Skipped == "":
			looked++
			counted++
		case !s.Ignored:
			counted++
			why[s.Skipped] = append(why[s.Skipped], s.Name)
		}
	}
	judged := 0
	unjudged := map[string][]string{}
	for rule, reason := range c.Rules {
		if reason == "" {
			judged++
			continue
		}
		unjudged[reason] = append(unjudged[reason], rule)
	}
	p.line("%s: looked at %d of %d %s, judged %d of %d rules", c.Engine, looked, counted, subjects(c.Engine), judged, len(c.Rules))
	p.reasons("not looked at", why)
	p.reasons("not judged", unjudged)
	if c.Failure != "" {
		p.line("  %s", p.paint(red, "ended early: "+printable(c.Failure)))
	}
}

func subjects(engine string) string {
	switch engine {
	case "vet":
		return "packages"
	case "audit":
		return "tables"
	}
	return "operations"
}

// reasons writes each reason with the names that it holds for, most of them first.
func (p *printer) reasons(what string, by map[string][]string) {
	reasons := make([]string, 0, len(by))
	for reason := range by {
		slices.Sort(by[reason])
		reasons = append(reasons, reason)
	}
	slices.SortFunc(reasons, func(a, b string) int {
		if n := len(by[b]) - len(by[a]); n != 0 {
			return n
		}
		return strings.Compare(a, b)
	})
	for _, reason := range reasons {
		names := by[reason]
		more := ""
		if len(names) > 5 {
			more = fmt.Sprintf(" and %d more", len(names)-5)
			names = names[:5]
		}
		p.line("  %s: %s%s: %s", what, printable(strings.Join(names, ", ")), more, printable(reason))
	}
}

func (r *Report) summary() string {
	counts := map[finding.Severity]int{}
	for _, f := range r.Findings {
		counts[f.Severity]++
	}
	var parts []string
	for _, s := range []finding.Severity{finding.Critical, finding.High, finding.Medium, finding.Low} {
		if counts[s] > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", counts[s], s))
		}
	}
	text := "no findings"
	if len(parts) > 0 {
		text = plural(len(r.Findings), "finding") + ": " + strings.Join(parts, ", ")
	}
	for _, rest := range []struct {
		n    int
		what string
	}{{len(r.Ignored), "ignored"}, {r.Known, "in the baseline"}, {r.Hidden, "only suspected (-min-confidence suspected shows them)"}} {
		if rest.n > 0 {
			text += fmt.Sprintf("; %d %s", rest.n, rest.what)
		}
	}
	return text
}

func plural(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}
