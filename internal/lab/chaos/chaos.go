package chaos

import (
	"context"
	"fmt"
	"io"
	"maps"
	"slices"
	"time"

	"github.com/rowkeeper/rowkeeper/internal/devdb"
)

// Run carries out a plan on a database that it starts, and prints its progress and
// every wrong claim to out. The error is for a run that could not be carried out,
// or did not do everything planned; wrong claims are in the report.
func Run(ctx context.Context, source devdb.Source, plan Plan, out io.Writer) (*Report, error) {
	if err := plan.check(); err != nil {
		return nil, err
	}
	srv, err := prepare(ctx, source)
	if err != nil {
		return nil, err
	}
	defer srv.Stop()
	fmt.Fprintf(out, "%s %s, seed %d: %d transactions, %d cuts, %d kills, for at most %v\n",
		srv.Engine, srv.Version, plan.Seed, plan.Transactions, plan.Cuts, plan.Kills, plan.Time)

	r := newRun(plan, srv, out)
	r.log.keep = true
	end := time.Now().Add(plan.Time)
	next := time.Now().Add(10 * time.Second)
	err = r.storm(ctx, func() bool {
		if time.Now().After(next) {
			next = next.Add(10 * time.Second)
			fmt.Fprintf(out, "%s %v\n", time.Since(r.faults.begun).Round(time.Second), r.progress())
		}
		return r.reached() || time.Now().After(end)
	})
	if err != nil {
		return nil, err
	}
	rep := r.report()
	j, err := r.judge(ctx)
	if err != nil {
		return nil, err
	}
	rep.UnknownCommitted, rep.Histories, rep.Wrong = j.unknownCommitted, j.histories, len(j.findings)
	const most = 5
	for _, f := range j.findings[:min(most, len(j.findings))] {
		fmt.Fprint(out, j.show(f))
	}
	if rep.Wrong > 0 {
		fmt.Fprintf(out, "%d wrong claims on %s %s with -seed %d\n", rep.Wrong, srv.Engine, srv.Version, plan.Seed)
	}
	for _, m := range r.mistakes {
		err = fmt.Errorf("an error that no fault explains: %s", m)
	}
	if !r.reached() && err == nil {
		err = fmt.Errorf("in %v it came to no more than %v", plan.Time, r.progress())
	}
	return rep, err
}

func (r *run) progress() string {
	return fmt.Sprintf("%d committed, %d cuts, %d kills", r.committed.Load(), r.faults.cuts(), r.faults.count[killed].Load())
}

// Reasons lists why calls were not committed, and how often, to describe a run.
func (r *Report) Reasons() []string {
	var lines []string
	for _, reason := range slices.Sorted(maps.Keys(r.reasons)) {
		lines = append(lines, fmt.Sprintf("%7d %s", r.reasons[reason], reason))
	}
	return lines
}
