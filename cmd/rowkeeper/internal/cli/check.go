package cli

import (
	"context"
	"flag"
	"fmt"
	"os"

	"github.com/rowkeeper/rowkeeper/cmd/rowkeeper/config"
)

func checkCommand(fs *flag.FlagSet, t *terminal) func(context.Context, []string) (int, error) {
	o := outputFlags(fs)
	return func(ctx context.Context, patterns []string) (int, error) {
		c, err := o.read()
		if err != nil {
			return usageError, err
		}
		runs, err := checkRuns(c, patterns, t)
		if err != nil {
			return usageError, err
		}
		return o.scan(ctx, t, c, runs)
	}
}

// checkRuns returns the engines that have what they need. It names the others, so that
// nobody takes one report for three.
func checkRuns(c *config.Config, patterns []string, t *terminal) ([]run, error) {
	code, err := vetRun(c, patterns)
	if err != nil {
		return nil, err
	}
	runs := []run{code}
	if url := os.Getenv(databaseURL); url != "" {
		runs = append(runs, auditor{url: url}.run(c))
	} else {
		fmt.Fprintln(t.err, "check: no audit, because "+databaseURL+" is not set")
	}
	if c.Probe.Spec == "" || c.Probe.URL == "" || len(c.Probe.Principals) == 0 {
		fmt.Fprintln(t.err, "check: no probe, because "+config.File+" has no spec, url and principals for it")
		return runs, nil
	}
	service, err := prober{}.run(c, t)
	if err != nil {
		return nil, err
	}
	return append(runs, service), nil
}
