package probe

import (
	"fmt"

	"github.com/rowkeeper/rowkeeper/cmd/rowkeeper/finding"
	"github.com/rowkeeper/rowkeeper/cmd/rowkeeper/probe/internal/client"
	"github.com/rowkeeper/rowkeeper/cmd/rowkeeper/probe/internal/gen"
	"github.com/rowkeeper/rowkeeper/cmd/rowkeeper/probe/internal/oracle"
	"github.com/rowkeeper/rowkeeper/cmd/rowkeeper/probe/internal/plan"
)

var inputAccepted = &finding.Rule{
	ID: "RKP10", Name: "input-accepted", Severity: finding.Medium,
	Title: "A request that breaks a declared constraint is accepted and has an effect",
	CWE:   []int{1287}, API: "API8", PCI: finding.PCIData,
	Why: "The document promises a bound that nothing enforces. A negative amount turns a deposit into a withdrawal; a long name " +
		"breaks whoever relied on the bound.",
	Fix:       "Enforce the schema where the body is decoded, and by a CHECK constraint.",
	Silent:    "Constraints of paths and query strings, formats, and conversions between types.",
	Bad:       `POST /accounts/7/deposit {"amount": -5} → 200`,
	Good:      `POST /accounts/7/deposit {"amount": -5} → 422`,
	Rowkeeper: "errs.DecodeJSON and a constraint in errs.NewCatalog",
}

func (r *run) checkAccepted() error {
	for _, a := range r.plan.Actions {
		if !a.Mutates() || !a.Body.JSON() || r.bases[a] == nil {
			continue
		}
		b := r.base(a, r.who[0])
		if b == nil {
			b = r.base(a, r.who[1])
		}
		before, _, err := r.state(r.watched(b.draft.as, usedObjects(b.draft)...))
		if err != nil {
			return err
		}
		for _, s := range spots(a) {
			if s.in != "body" {
				continue
			}
			for _, m := range gen.Broken(s.schema, s.required) {
				if err := r.tryBroken(a, b, s, m, &before); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// tryBroken sends one request. Before is the state before it, which is brought up to date
// if the request is accepted.
func (r *run) tryBroken(a *plan.Action, b *base, s spot, m gen.Mutation, before *oracle.State) error {
	d := r.again(b).mutated(s.in, s.name, m)
	sent := client.Decode(d.request().Body)
	if _, keyword := a.Body.Schema.Violates(sent); keyword == "" || keyword == "type" {
		return nil
	}
	resp, err := r.send(d)
	if err != nil || !r.succeeded(a, resp) {
		return err
	}
	made := r.learn(d, resp)
	after, ok, err := r.state(r.watched(d.as, usedObjects(d)...))
	if err != nil || !ok {
		return err
	}
	changes := oracle.Diff(*before, after, r.volatile)
	*before = after
	if made == nil && len(changes) == 0 {
		return nil
	}
	evidence := append([]finding.Evidence{r.c.Evidence(d.request(), resp)}, r.notes(d.as, changes)...)
	r.report(inputAccepted, finding.Proved, a, s.name,
		fmt.Sprintf("%s accepts a value of %s that breaks its %s.", a, s.name, m.Kind), evidence...)
	if made != nil {
		return r.remove(made)
	}
	return nil
}
