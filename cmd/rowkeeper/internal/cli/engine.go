package cli

import (
	"context"

	"github.com/rowkeeper/rowkeeper/cmd/rowkeeper/finding"
)

// An engine is a package that finds.
type engine struct {
	name  string
	rules func() finding.Rules
}

// A run is an engine that is ready to run.
type run struct {
	name   string
	engine func(ctx context.Context) ([]finding.Finding, finding.Coverage, error)
}

func engines() []engine { return nil }

func commands() []command {
	return []command{
		{"rules", "", "list the rules", listRules},
		{"explain", "<rule>...", "explain rules, each with an example and its fix", explain},
		{"init", "", "write a rowkeeper.yaml to begin with", writeConfig},
	}
}
