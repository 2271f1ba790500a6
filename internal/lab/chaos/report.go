package chaos

import (
	"fmt"
	"maps"
	"os"
	"strings"
	"time"

	"github.com/rowkeeper/rowkeeper/internal/devdb"
)

// Report is the result of a run.
type Report struct {
	Engine  devdb.Engine
	Version string
	Seed    uint64
	Took    time.Duration
	Wrong   int // claims

	Calls, Committed, RolledBack, Unknown, Expired, Retried int
	UnknownCommitted                                        int
	Requests                                                int // with a key
	Histories                                               int // transactions in the history
	faults                                                  [faultKinds]int64
	reasons                                                 map[string]int
}

func (r *run) report() *Report {
	rep := &Report{
		Engine: r.srv.Engine, Version: r.srv.Version, Seed: r.plan.Seed, Took: time.Since(r.faults.begun),
		Calls: r.counts.calls, Committed: r.counts.committed, RolledBack: r.counts.rolledBack, Unknown: r.counts.unknown,
		Expired: r.counts.expired, Retried: r.counts.retried, Requests: len(r.requests), reasons: maps.Clone(r.reasons),
	}
	for k := range faultKinds {
		rep.faults[k] = r.faults.count[k].Load()
	}
	return rep
}

// Missing lists the kinds of fault that did not happen.
func (r *Report) Missing() []string {
	var kinds []string
	for k, n := range r.faults {
		if n == 0 {
			kinds = append(kinds, faultKind(k).String())
		}
	}
	return kinds
}

// lines returns the lines of the table.
func (r *Report) lines() [][2]string {
	n := func(v int) string { return fmt.Sprint(v) }
	all := [][2]string{
		{"server", fmt.Sprintf("%s %s", engineNames[r.Engine], r.Version)},
		{"seed", fmt.Sprint(r.Seed)},
		{"time", r.Took.Round(time.Second).String()},
		{"calls", n(r.Calls)},
		{"told committed", n(r.Committed)},
		{"told rolled back", n(r.RolledBack)},
		{"told that the outcome is unknown", fmt.Sprintf("%d, of which %d were committed", r.Unknown, r.UnknownCommitted)},
		{"run again within a call", n(r.Retried)},
		{"contexts that ended", n(r.Expired)},
		{"requests with `Once`", n(r.Requests)},
		{"transactions in the checked history", n(r.Histories)},
	}
	var cuts int64
	for k, count := range r.faults {
		if faultKind(k).cuts() {
			cuts += count
		}
	}
	all = append(all, [2]string{"connections cut", fmt.Sprint(cuts)})
	for k, count := range r.faults {
		name := faultKind(k).String()
		if faultKind(k).cuts() {
			name = "– " + name
		}
		all = append(all, [2]string{name, fmt.Sprint(count)})
	}
	return append(all, [2]string{"**wrong claims**", fmt.Sprintf("**%d**", r.Wrong)})
}

var engineNames = map[devdb.Engine]string{devdb.PostgreSQL: "PostgreSQL", devdb.CockroachDB: "CockroachDB"}

// String returns the report for a terminal.
func (r *Report) String() string {
	var b strings.Builder
	for _, l := range r.lines() {
		fmt.Fprintf(&b, "%-48s %s\n", strings.Trim(l[0], "*"), strings.Trim(l[1], "*"))
	}
	return b.String()
}

// table returns the report for a document.
func (r *Report) table() string {
	var b strings.Builder
	lines := r.lines()
	fmt.Fprintf(&b, "| %s | %s |\n|---|---|\n", lines[0][0], lines[0][1])
	for _, l := range lines[1:] {
		fmt.Fprintf(&b, "| %s | %s |\n", l[0], l[1])
	}
	return b.String()
}

// Write puts tables into a document, each between the two comments that name its
// engine, and leaves the rest of the document alone.
func Write(path string, reports []*Report) error {
	data, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	text := string(data)
	for _, r := range reports {
		begin, end := fmt.Sprintf("<!-- %s: written by make chaos -->\n", r.Engine), fmt.Sprintf("<!-- end of %s -->", r.Engine)
		before, rest, ok := strings.Cut(text, begin)
		_, after, closed := strings.Cut(rest, end)
		if !ok || !closed {
			return fmt.Errorf("%s has no place for a table: it needs the lines %q and %q", path, strings.TrimSpace(begin), end)
		}
		text = before + begin + "\n" + r.table() + "\n" + end + after
	}
	return os.WriteFile(path, []byte(text), 0o644)
}
