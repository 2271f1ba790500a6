package cli

import (
	"context"
	"errors"
	"flag"
	"fmt"

	"github.com/rowkeeper/rowkeeper/cmd/rowkeeper/config"
	"github.com/rowkeeper/rowkeeper/cmd/rowkeeper/finding"
	"github.com/rowkeeper/rowkeeper/cmd/rowkeeper/probe"
)

func probeCommand(fs *flag.FlagSet, t *terminal) func(context.Context, []string) (int, error) {
	o := outputFlags(fs)
	spec := fs.String("spec", "", "the OpenAPI `document`, 3.0 or 3.1: a file, or service:/path to ask the service for it")
	schema := fs.String("schema", "", "the `file` that audit exported: it tells which names no client should see")
	var p prober
	fs.StringVar(&p.options.AllowHost, "allow-host", "", "probe this `host` although it is not this machine. Probe writes: never name one with data that matters")
	fs.BoolVar(&p.options.ReadOnly, "read-only", false, "send only GET and HEAD, apart from logging in")
	return func(ctx context.Context, args []string) (int, error) {
		c, err := o.read()
		if err != nil {
			return usageError, err
		}
		switch len(args) {
		case 0:
		case 1:
			c.Probe.URL = args[0]
		default:
			return usageError, errors.New("probe takes one URL")
		}
		if *spec != "" {
			c.Probe.Spec = *spec
		}
		if *schema != "" {
			c.Schema = *schema
		}
		if len(c.Probe.Principals) == 0 {
			return usageError, errors.New("no credentials: name two principals in " + config.File + ", under probe.as; rowkeeper init writes an example")
		}
		r, err := p.run(c, t)
		if err != nil {
			return usageError, err
		}
		return o.scan(ctx, t, c, []run{r})
	}
}

// A prober probes one service.
type prober struct{ options probe.Options }

func (p prober) run(c *config.Config, t *terminal) (run, error) {
	schema, err := readSchema(c.Schema)
	if err != nil {
		return run{}, err
	}
	p.options.Probe, p.options.Schema = c.Probe, schema
	p.options.Progress = func(phase string) { fmt.Fprintln(t.err, "probe:", phase) }
	return run{"probe", func(ctx context.Context) ([]finding.Finding, *finding.Coverage, error) {
		if !p.options.ReadOnly {
			fmt.Fprintln(t.err, "probe: writes to", c.Probe.URL, "and deletes what it made")
		}
		return probe.Run(ctx, p.options)
	}}, nil
}
