package cli

import (
	"context"
	"flag"

	"github.com/rowkeeper/rowkeeper/cmd/rowkeeper/config"
	"github.com/rowkeeper/rowkeeper/cmd/rowkeeper/finding"
	"github.com/rowkeeper/rowkeeper/cmd/rowkeeper/vet"
)

func vetCommand(fs *flag.FlagSet, t *terminal) func(context.Context, []string) (int, error) {
	o := outputFlags(fs)
	schema := fs.String("schema", "", "the `file` that audit exported: it tells which tables have owners, and which keys are unique")
	return func(ctx context.Context, patterns []string) (int, error) {
		c, err := o.read()
		if err != nil {
			return usageError, err
		}
		if *schema != "" {
			c.Schema = *schema
		}
		r, err := vetRun(c, patterns)
		if err != nil {
			return usageError, err
		}
		return o.scan(ctx, t, c, []run{r})
	}
}

func vetRun(c *config.Config, patterns []string) (run, error) {
	schema, err := readSchema(c.Schema)
	if err != nil {
		return run{}, err
	}
	if len(patterns) == 0 {
		patterns = []string{"./..."}
	}
	return run{"vet", func(ctx context.Context) ([]finding.Finding, *finding.Coverage, error) {
		return vet.Run(ctx, ".", patterns, vet.Options{Config: c, Schema: schema})
	}}, nil
}
