package probe

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/rowkeeper/rowkeeper/cmd/rowkeeper/config"
)

// Options configure a run. Probe must have a document, a URL and two principals.
type Options struct {
	Probe  config.Probe
	Schema *config.Schema // what audit exported, or nil

	// AllowHost is the name of a host that may be probed although it is not this
	// machine. The default is none.
	AllowHost string

	// ReadOnly sends nothing but GET and HEAD, beside logging in. Rules that need a
	// write are not judged.
	ReadOnly bool

	// Progress is told of each phase when it begins. The default is nobody.
	Progress func(phase string)
}

const (
	defaultRequests = 2000
	defaultTime     = 120 * time.Second
)

// names returns the names of the principals, in order.
func (o *Options) names() []string { return slices.Sorted(maps.Keys(o.Probe.Principals)) }

// check completes the options, or says what is missing.
func (o *Options) check() error {
	switch {
	case o.Probe.Spec == "":
		return errors.New("probe: the OpenAPI document is missing: set probe.spec")
	case o.Probe.URL == "":
		return errors.New("probe: the address of the service is missing: set probe.url")
	case len(o.Probe.Principals) != 2:
		return fmt.Errorf("probe: %d principals; two are needed: set probe.as", len(o.Probe.Principals))
	case o.Probe.Limits.Requests < 0 || o.Probe.Limits.Time < 0:
		return errors.New("probe: a limit is negative")
	}
	if o.Probe.Limits.Requests == 0 {
		o.Probe.Limits.Requests = defaultRequests
	}
	if o.Probe.Limits.Time == 0 {
		o.Probe.Limits.Time = defaultTime
	}
	if o.Progress == nil {
		o.Progress = func(string) {}
	}
	return nil
}
