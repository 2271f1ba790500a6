package probe

import (
	"fmt"
	"strings"

	"github.com/rowkeeper/rowkeeper/cmd/rowkeeper/finding"
	"github.com/rowkeeper/rowkeeper/cmd/rowkeeper/probe/internal/plan"
)

var staleWrite = &finding.Rule{
	ID: "RKP17", Name: "stale-write", Severity: finding.Medium,
	Title: "A write with a stale If-Match succeeds",
	CWE:   []int{362}, PCI: finding.PCIData,
	Why: "The service sends an ETag and ignores it when a client sends it back. Two clients that read the same version overwrite " +
		"each other, and the second does not learn of it.",
	Fix: "Put the version into the WHERE of the UPDATE, and answer 412 if no row was affected.",
	Silent: "The reader sends no ETag. If the document declares no If-Match, an ETag may be there for caches only: then a weak one " +
		"is not looked at, and a strong one is only suspected.",
	Bad:       "update accounts set name = $2 where id = $1",
	Good:      "update accounts set name = $2 where id = $1 and version = $3",
	Rowkeeper: "accounts.In(me).Update(id).IfMatch(r.Header)",
}

func (r *run) checkStaleWrite() error {
	for _, a := range r.plan.Actions {
		if a.Kind != plan.Update && a.Kind != plan.Delete || a.Target == nil {
			continue
		}
		b := r.base(a, r.who[0])
		if b == nil {
			continue
		}
		if err := r.tryStale(a, b); err != nil {
			return err
		}
	}
	return nil
}

func (r *run) tryStale(a *plan.Action, b *base) error {
	o, err := r.make(a.Target.Resource, b.draft.as)
	if err != nil || o == nil {
		return err
	}
	defer func() { _ = r.remove(o) }() // what remains is cleaned up at the end
	declared := a.Param("header", ifMatch) != nil
	stale, err := r.etag(r.again(b).filled(a.Target, o))
	if err != nil || stale == "" || !declared && strings.HasPrefix(stale, "W/") {
		return err
	}
	changed, err := r.change(o, stale)
	if err != nil || !changed {
		return err
	}
	now, err := r.etag(r.again(b).filled(a.Target, o))
	if err != nil || now == "" || now == stale {
		return err
	}
	d := r.again(b).filled(a.Target, o).with("header", ifMatch, stale)
	changes, resp, err := r.touched(d, o.owner, o)
	if err != nil || len(changes) == 0 || !r.succeeded(a, resp) {
		return err
	}
	confidence := finding.Proved
	if !declared {
		confidence = finding.Suspected
	}
	evidence := []finding.Evidence{
		{Kind: finding.Note, Text: fmt.Sprintf("the ETag was %s, and %s when the request with If-Match: %s was sent", stale, now, stale)},
		r.c.Evidence(d.request(), resp),
	}
	r.report(staleWrite, confidence, a, "", fmt.Sprintf("%s succeeds with a stale If-Match.", a), append(evidence, r.notes(o.owner, changes)...)...)
	return nil
}

// change updates an object with its current tag.
func (r *run) change(o *object, tag string) (bool, error) {
	for _, a := range o.resource.Updates {
		b := r.base(a, o.owner)
		if b == nil {
			continue
		}
		resp, err := r.send(r.again(b).filled(a.Target, o).with("header", ifMatch, tag))
		if err != nil || r.succeeded(a, resp) {
			return err == nil, err
		}
	}
	return false, nil
}
