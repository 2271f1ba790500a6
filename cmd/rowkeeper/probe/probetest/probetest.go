// Package probetest runs package probe in a test of a service, on its handler.
//
// Like probe it cannot see what it cannot reach; the test fails if that is much.
package probetest

import (
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"

	"github.com/rowkeeper/rowkeeper/cmd/rowkeeper/config"
	"github.com/rowkeeper/rowkeeper/cmd/rowkeeper/finding"
	"github.com/rowkeeper/rowkeeper/cmd/rowkeeper/probe"
)

// A Principal is one of the two users whose objects are tried to be reached by the other.
type Principal struct {
	Name       string
	Credential config.Credential
}

// Bearer returns a principal with a token.
func Bearer(name, token string) Principal {
	return Principal{name, config.Credential{Header: map[string]string{"Authorization": "Bearer " + token}}}
}

// leastReached is the part of the operations that must be reached.
const leastReached = 0.8

// Run probes the handler as two principals. Spec names the OpenAPI document: a file, or a
// path of the handler such as /openapi.json if there is no such file. The test fails with
// each finding that is proved or strong, and if too few operations are reached.
//
// The run writes: give the handler a database of its own.
func Run(t testing.TB, h http.Handler, spec string, principals ...Principal) {
	t.Helper()
	srv := httptest.NewServer(h)
	defer srv.Close()
	if _, err := os.Stat(spec); err != nil && strings.HasPrefix(spec, "/") {
		spec = srv.URL + spec
	}
	as := map[string]config.Credential{}
	for _, p := range principals {
		as[p.Name] = p.Credential
	}
	findings, coverage, err := probe.Run(t.Context(), probe.Options{Probe: config.Probe{Spec: spec, URL: srv.URL, Principals: as}})
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range findings {
		if f.Confidence >= finding.Strong {
			t.Errorf("%s (%s, %s): %s\n%s%s", f.Rule, f.Severity, f.Confidence, f.Message, evidence(f), f.Remedy.Text)
		}
	}
	for _, s := range coverage.Subjects {
		if s.Skipped != "" {
			t.Logf("not reached: %s: %s", s.Name, s.Skipped)
		}
	}
	for rule, why := range coverage.Rules {
		if why != "" {
			t.Logf("not judged: %s: %s", rule, why)
		}
	}
	if coverage.Reached() < leastReached {
		t.Errorf("only %.0f %% of the operations were reached", 100*coverage.Reached())
	}
}

func evidence(f finding.Finding) string {
	var b strings.Builder
	for _, e := range f.Evidence {
		b.WriteString("\t" + strings.ReplaceAll(e.Text, "\n", "\n\t") + "\n")
	}
	return b.String()
}
