package cli

import (
	"context"
	"encoding/json"
	"fmt"
	"os"

	"github.com/rowkeeper/rowkeeper/cmd/rowkeeper/audit"
	"github.com/rowkeeper/rowkeeper/cmd/rowkeeper/config"
	"github.com/rowkeeper/rowkeeper/cmd/rowkeeper/finding"
	"github.com/rowkeeper/rowkeeper/cmd/rowkeeper/probe"
	"github.com/rowkeeper/rowkeeper/cmd/rowkeeper/vet"
)

// A run is an engine that is ready to run.
type run struct {
	name   string
	engine func(ctx context.Context) ([]finding.Finding, *finding.Coverage, error)
}

// rules returns the rules of all engines.
func rules() finding.Rules {
	all, err := finding.Join(vet.Rules(), audit.Rules(), probe.Rules())
	if err != nil {
		panic(err) // a test joins them
	}
	return all
}

func commands() []command {
	return []command{
		{"vet", "[packages]", "find faults in Go code", vetCommand},
		{"audit", "", "find faults in the schema of a live database", auditCommand},
		{"probe", "[url]", "prove faults of a running service, from its OpenAPI document", probeCommand},
		{"check", "[packages]", "run all of these that " + config.File + " configures, with one report", checkCommand},
		{"rules", "", "list the rules", listRules},
		{"explain", "<rule>...", "explain rules, each with an example and its fix", explain},
		{"init", "", "write a " + config.File + " to begin with", writeConfig},
	}
}

// readSchema reads what audit exported. Without a name there is none.
func readSchema(name string) (*config.Schema, error) {
	if name == "" {
		return nil, nil
	}
	text, err := os.ReadFile(name)
	if err != nil {
		return nil, err
	}
	s := new(config.Schema)
	if err := json.Unmarshal(text, s); err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return s, nil
}
