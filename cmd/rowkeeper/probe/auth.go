package probe

import (
	"bytes"
	"fmt"
	"net/http"
	"slices"

	"github.com/rowkeeper/rowkeeper/cmd/rowkeeper/finding"
	"github.com/rowkeeper/rowkeeper/cmd/rowkeeper/probe/internal/canary"
	"github.com/rowkeeper/rowkeeper/cmd/rowkeeper/probe/internal/client"
	"github.com/rowkeeper/rowkeeper/cmd/rowkeeper/probe/internal/oracle"
	"github.com/rowkeeper/rowkeeper/cmd/rowkeeper/probe/internal/plan"
)

var auth = &finding.Rule{
	ID: "RKP01", Name: "auth", Severity: finding.Critical,
	Title: "An operation that needs a credential works without one, or with one that was spoiled",
	CWE:   []int{306, 287}, API: "API2", PCI: "8.3.1",
	Why: "A route was registered beside the middleware, or the credential is compared in part. Anybody can then do what only the " +
		"owner may do.",
	Fix:    "Put authentication in front of all routes, and compare a hash of the whole credential.",
	Silent: "The document says that the operation is public, or declares no way to authenticate.",
	Bad:    "where token like $1 || '%'",
	Good:   "where token_hash = $1 -- SHA-256 of the whole token",
}

// An intrusion is an operation that worked with a spoiled credential.
type intrusion struct {
	action   *plan.Action
	evidence []finding.Evidence
}

func (r *run) checkAuth() error {
	if !r.doc.Security {
		r.unjudged[auth.ID] = "the document declares no way to authenticate"
		return nil
	}
	p := r.who[0]
	tried := map[string]int{}
	hits := map[string][]intrusion{}
	var kinds []string
	for _, a := range r.plan.Actions {
		if !a.Secured || r.base(a, p) == nil || a.Mark == "public" || a.Mutates() && r.opts.ReadOnly {
			continue
		}
		for i, s := range p.spoiled() {
			if i > 1 && (tried[s.kind] >= 2 || a.Mutates()) {
				continue // the comparison is the same everywhere
			}
			tried[s.kind]++
			if !slices.Contains(kinds, s.kind) {
				kinds = append(kinds, s.kind)
			}
			evidence, err := r.intrude(a, p, s)
			if err != nil {
				return err
			}
			if len(evidence) > 0 {
				hits[s.kind] = append(hits[s.kind], intrusion{a, evidence})
			}
		}
	}
	r.reportIntrusions(kinds, tried, hits)
	return nil
}

// reportIntrusions makes one finding of a fault that all operations have.
func (r *run) reportIntrusions(kinds []string, tried map[string]int, hits map[string][]intrusion) {
	everywhere := false
	for _, kind := range kinds {
		list := hits[kind]
		if len(list) == 0 {
			continue
		}
		if len(list) > 2 && len(list) == tried[kind] {
			if !everywhere {
				r.report(auth, finding.Proved, list[0].action, "every operation",
					fmt.Sprintf("All %d operations that were tried work with %s.", len(list), kind), list[0].evidence...)
			}
			everywhere = true
			continue
		}
		for _, hit := range list {
			if !everywhere && !r.found(auth, hit.action) {
				r.report(auth, finding.Proved, hit.action, "", fmt.Sprintf("%s works with %s.", hit.action, kind), hit.evidence...)
			}
		}
	}
}

// intrude sends a valid request with a spoiled credential. It returns evidence if the
// answer or the owner's state shows that it worked.
func (r *run) intrude(a *plan.Action, p *principal, s spoil) ([]finding.Evidence, error) {
	stranger := &principal{name: "somebody with " + s.kind, header: s.header, mint: p.mint}
	if !a.Mutates() {
		return r.intrudeRead(a, p, stranger)
	}
	b := r.base(a, p)
	d := r.again(b)
	if a.Kind == plan.Delete {
		o, err := r.make(a.Target.Resource, p)
		if err != nil || o == nil {
			return nil, err
		}
		d = d.filled(a.Target, o)
	}
	d.as = stranger
	var resp *client.Response
	if a.Kind != plan.Delete {
		refused := false
		var err error
		if resp, refused, err = r.refusesAuth(d); err != nil || refused {
			return nil, err
		}
	}
	reads := r.watched(p, usedObjects(d)...)
	var changes []oracle.Change
	changes, ok, err := r.around(reads, func() (err error) {
		resp, err = r.send(d)
		return err
	})
	if err != nil {
		return nil, err
	}
	if ok && len(changes) > 0 {
		if again, ok, err := r.around(reads, func() error { return nil }); err != nil || !ok || len(again) > 0 {
			return nil, err
		}
		return append([]finding.Evidence{r.c.Evidence(d.request(), resp)}, r.notes(p, changes)...), nil
	}
	if resp != nil && r.succeeded(a, resp) && a.Kind == plan.Create && identify(asMap(resp.JSON), a.Resource.Name) != nil {
		return []finding.Evidence{r.c.Evidence(d.request(), resp)}, nil
	}
	if a.Kind == plan.Delete {
		return nil, r.remove(d.uses[a.Target])
	}
	return nil, nil
}

// refusesAuth sends a copy of a request without looking at its effect. A status that
// refuses the credential is believed.
func (r *run) refusesAuth(d *draft) (*client.Response, bool, error) {
	resp, err := r.send(d)
	if err != nil {
		return nil, false, err
	}
	return resp, resp.Status == http.StatusUnauthorized || resp.Status == http.StatusForbidden, nil
}

func asMap(v any) map[string]any {
	m, _ := v.(map[string]any)
	return m
}

func (r *run) intrudeRead(a *plan.Action, p, stranger *principal) ([]finding.Evidence, error) {
	valid, err := r.send(r.base(a, p).draft)
	if err != nil || !r.succeeded(a, valid) {
		return nil, err
	}
	d := r.base(a, p).draft.by(stranger)
	resp, err := r.send(d)
	if err != nil || !r.succeeded(a, resp) {
		return nil, err
	}
	same := len(valid.Body) > 4 && bytes.Equal(bytes.TrimSpace(valid.Body), bytes.TrimSpace(resp.Body))
	shown := p.mint.In(resp.Body)
	for _, res := range r.plan.Resources {
		for _, o := range r.owned(res, p) {
			shown = shown || o.view != nil && canary.HasObject(resp.JSON, o.view)
		}
	}
	if !same && !shown {
		return nil, nil
	}
	return []finding.Evidence{r.c.Evidence(d.request(), resp)}, nil
}
