package probe

import (
	"fmt"

	"github.com/rowkeeper/rowkeeper/cmd/rowkeeper/finding"
	"github.com/rowkeeper/rowkeeper/cmd/rowkeeper/probe/internal/gen"
	"github.com/rowkeeper/rowkeeper/cmd/rowkeeper/probe/internal/oracle"
	"github.com/rowkeeper/rowkeeper/cmd/rowkeeper/probe/internal/plan"
)

var partialEffect = &finding.Rule{
	ID: "RKP18", Name: "partial-effect", Severity: finding.High,
	Title: "A refused request left a change",
	CWE:   []int{841}, PCI: finding.PCIData,
	Why: "The first statements of a request are committed before a later one fails. The client is told that nothing was done, and " +
		"money is gone.",
	Fix:       "Run all statements of the request in one transaction, and roll it back if the answer is an error.",
	Silent:    "Properties that change by themselves, and requests that no refused answer was found for.",
	Bad:       "debit(); if !exists(to) { return 422 }",
	Good:      "tx.Begin(); debit(); if !exists(to) { tx.Rollback(); return 422 }",
	Rowkeeper: "txn.Run(ctx, pool, func(ctx, tx) error { … })",
}

const maxRefused = 16 // requests of one operation that are expected to be refused

func (r *run) checkPartial() error {
	for _, a := range r.plan.Actions {
		b := r.base(a, r.who[0])
		if b == nil || !a.Mutates() || a.Kind == plan.Delete {
			continue
		}
		changes := r.refusals(a, b)
		suspicious, clean, err := r.refuseAll(a, b, changes)
		if err == nil && !clean {
			suspicious, clean, err = r.refuseAll(a, b, suspicious)
		}
		if err != nil {
			return err
		}
		if clean {
			continue
		}
		for _, change := range suspicious {
			found, err := r.refuseOne(a, b, change)
			if err != nil {
				return err
			}
			if found {
				break
			}
		}
	}
	return nil
}

// refusals returns changes of a valid request that are likely to be refused, late ones
// first: what only the database can know.
func (r *run) refusals(a *plan.Action, b *base) (list []func(*draft) *draft) {
	for i, s := range a.Slots {
		o := b.draft.uses[s]
		if o == nil {
			continue
		}
		list = append(list, func(d *draft) *draft { return d.with(s.In, s.Name, nobody(o, 0)) })
		if theirs := r.owned(s.Resource, r.other(b.draft.as)); len(theirs) > 0 && s != a.Target {
			list = append(list, func(d *draft) *draft { return d.filled(s, theirs[0]) })
		}
		if i > 0 && b.draft.uses[a.Slots[0]] != nil {
			list = append(list, func(d *draft) *draft { return d.filled(s, b.draft.uses[a.Slots[0]]) })
		}
	}
	if n := amountOf(a); n != nil {
		e := &effect{base: b, amount: n}
		list = append(list, func(d *draft) *draft { return d.with(n.in, n.name, r.within(e, 1e9)) })
	}
	for _, s := range spots(a) {
		if s.in != "body" || !a.Body.JSON() {
			continue
		}
		for _, m := range append(gen.Broken(s.schema, s.required), gen.Mutation{Kind: "null"}) {
			list = append(list, func(d *draft) *draft { return d.mutated(s.in, s.name, m) })
		}
	}
	return list[:min(len(list), maxRefused)]
}

// refuseAll sends them all and compares the state once. It returns those that were
// refused, and whether the state is the same after them. Accepted ones change it, rightly,
// so without them it is to be called again.
func (r *run) refuseAll(a *plan.Action, b *base, changes []func(*draft) *draft) (refused []func(*draft) *draft, clean bool, err error) {
	reads := r.watched(b.draft.as, usedObjects(b.draft)...)
	if len(changes) == 0 || len(reads) == 0 {
		return nil, true, nil
	}
	before, ok, err := r.state(reads)
	if err != nil || !ok {
		return nil, true, err
	}
	for _, change := range changes {
		d := change(r.again(b))
		resp, err := r.send(d)
		if err != nil {
			return nil, false, err
		}
		if resp.Status/100 == 4 {
			refused = append(refused, change)
		} else if err := r.forget(d, resp); err != nil {
			return nil, false, err
		}
	}
	after, ok, err := r.state(reads)
	return refused, !ok || len(oracle.Diff(before, after, r.volatile)) == 0, err
}

// refuseOne sends one request and reports a finding if it is refused and changes the
// state.
func (r *run) refuseOne(a *plan.Action, b *base, change func(*draft) *draft) (bool, error) {
	d := change(r.again(b))
	p := b.draft.as
	o := b.draft.uses[a.Target]
	objects := usedObjects(b.draft)
	if o != nil {
		objects = append(objects, o)
	}
	reads := r.watched(p, objects...)
	status := 0
	var evidence finding.Evidence
	changes, ok, err := r.around(reads, func() error {
		resp, err := r.send(d)
		if err == nil {
			status, evidence = resp.Status, r.c.Evidence(d.request(), resp)
		}
		return err
	})
	if err != nil || !ok || status/100 != 4 || len(changes) == 0 {
		return false, err
	}
	own, ok, err := r.around(reads, func() error { return nil })
	if err != nil || !ok || len(own) > 0 {
		return false, err
	}
	r.report(partialEffect, finding.Proved, a, "", fmt.Sprintf("%s answers %d and leaves a change.", a, status),
		append([]finding.Evidence{evidence}, r.notes(p, changes)...)...)
	return true, nil
}
