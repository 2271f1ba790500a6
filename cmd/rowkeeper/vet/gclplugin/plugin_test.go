package gclplugin

import (
	"testing"

	"github.com/golangci/plugin-module-register/register"
	"golang.org/x/tools/go/analysis"
)

func TestPlugin(t *testing.T) {
	t.Parallel()
	build, err := register.GetPlugin("rowkeeper")
	if err != nil {
		t.Fatal(err)
	}
	p, err := build(map[string]any{"suspected": true})
	if err != nil {
		t.Fatal(err)
	}
	analyzers, err := p.BuildAnalyzers()
	if err != nil {
		t.Fatal(err)
	}
	if err := analysis.Validate(analyzers); err != nil {
		t.Fatal(err)
	}
	if len(analyzers) != 18 {
		t.Errorf("got %d analyzers, want one for each of 17 rules and one for comments", len(analyzers))
	}
	if got := p.GetLoadMode(); got != register.LoadModeTypesInfo {
		t.Errorf("load mode %q", got)
	}
	if _, err := build(map[string]any{"suspect": true}); err == nil {
		t.Error("an unknown setting is accepted")
	}
}
