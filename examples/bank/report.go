package main

import (
	"fmt"
	"io"
	"os"
	"text/tabwriter"
	"time"
)

// report prints the scores as a table.
func report(w io.Writer, scores []score) {
	t := tabwriter.NewWriter(w, 0, 0, 3, ' ', tabwriter.AlignRight)
	fmt.Fprintln(t, "\tcommitted\trefused (5xx)\tlost updates\tattempts/commit\tp50\tp99\tmax\t")
	for _, s := range scores {
		fmt.Fprintf(t, "%s\t%d\t%d\t%d\t%.2f\t%s\t%s\t%s\t\n", s.name, s.committed, s.refused, s.lost, s.attemptsPerCommit(),
			millis(s.percentile(0.5)), millis(s.percentile(0.99)), millis(s.percentile(1)))
	}
	t.Flush()
}

func millis(d time.Duration) string {
	return fmt.Sprintf("%.1f ms", float64(d)/float64(time.Millisecond))
}

// meter shows progress: on a terminal as one changing line, otherwise as a line for
// each way.
type meter struct {
	out      *os.File
	terminal bool
}

func newMeter(out *os.File) meter {
	info, err := out.Stat()
	return meter{out, err == nil && info.Mode()&os.ModeCharDevice != 0}
}

func (m meter) begin(name string, d time.Duration) {
	if !m.terminal {
		fmt.Fprintf(m.out, "  %s, for %v …\n", name, d)
	}
}

func (m meter) show(name string, committed int64, left time.Duration) {
	if m.terminal {
		fmt.Fprintf(m.out, "\r\x1b[K  %s: %d committed, %.0f s left", name, committed, left.Seconds())
	}
}

func (m meter) end() {
	if m.terminal {
		fmt.Fprint(m.out, "\r\x1b[K")
	}
}
