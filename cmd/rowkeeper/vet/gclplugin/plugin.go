// Package gclplugin makes the rules of rowkeeper vet a linter of golangci-lint, through
// its module plugin system.
//
// Name the module in .custom-gcl.yml, build with golangci-lint custom, and enable it:
//
//	linters:
//	  enable: [rowkeeper]
//	  settings:
//	    custom:
//	      rowkeeper:
//	        type: module
//	        settings: {suspected: false}
package gclplugin

import (
	"github.com/golangci/plugin-module-register/register"
	"golang.org/x/tools/go/analysis"

	"github.com/rowkeeper/rowkeeper/cmd/rowkeeper/vet"
)

func init() { register.Plugin("rowkeeper", New) }

// Settings are the settings of the linter.
type Settings struct {
	Suspected bool `json:"suspected"` // also report what is only suspected
}

type plugin struct{ settings Settings }

// New makes the plugin from the settings of golangci-lint.
func New(settings any) (register.LinterPlugin, error) {
	s, err := register.DecodeSettings[Settings](settings)
	if err != nil {
		return nil, err
	}
	return plugin{s}, nil
}

// BuildAnalyzers returns an analyzer for each rule.
func (p plugin) BuildAnalyzers() ([]*analysis.Analyzer, error) {
	return vet.New(vet.Options{Suspected: p.settings.Suspected}), nil
}

// GetLoadMode says that the rules need types.
func (p plugin) GetLoadMode() string { return register.LoadModeTypesInfo }
