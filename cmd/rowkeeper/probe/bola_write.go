package probe

import (
	"fmt"

	"github.com/rowkeeper/rowkeeper/cmd/rowkeeper/finding"
	"github.com/rowkeeper/rowkeeper/cmd/rowkeeper/probe/internal/plan"
)

var bolaWrite = &finding.Rule{
	ID: "RKP03", Name: "bola-write", Severity: finding.Critical,
	Title: "A principal changes, deletes or acts on an object of another one",
	CWE:   []int{639}, API: "API1", PCI: finding.PCIAccess,
	Why: "The statement that writes finds the row by its id alone. The status of the answer does not matter: a write whose answer " +
		"is 404 has still been done.",
	Fix:       "Write by id and owner, and answer 404 if no row was affected.",
	Silent:    "The owner's own reads change by themselves, or no read shows the object.",
	Bad:       "delete from accounts where id = $1",
	Good:      "delete from accounts where id = $1 and user_id = $2",
	Rowkeeper: "accounts.In(me).Update(id).Set(…).Exec(ctx, tx)",
}

func (r *run) checkBolaWrite() error {
	for _, a := range r.plan.Actions {
		if !a.Mutates() || a.Target == nil || r.bases[a] == nil || r.shared(a) {
			continue
		}
		var s sides
		var evidence []finding.Evidence
		for _, victim := range r.who {
			hit, seen, err := r.writeForeign(a, victim)
			if err != nil {
				return err
			}
			s.tried[victim.number] = seen
			if len(hit) > 0 {
				s.hit[victim.number] = true
				evidence = append(evidence, hit...)
			}
		}
		if len(evidence) > 0 {
			r.report(bolaWrite, s.confidence(), a, a.Target.Name,
				fmt.Sprintf("%s changes an object of another principal.", a), evidence...)
		}
	}
	return nil
}

// writeForeign lets the other principal write to an object of the victim.
func (r *run) writeForeign(a *plan.Action, victim *principal) (evidence []finding.Evidence, tried bool, err error) {
	for i := range 2 {
		o, err := r.victimObject(a, victim)
		if err != nil || o == nil {
			return nil, tried, err
		}
		drafts := r.foreign(a, victim, o)
		if i >= len(drafts) {
			return nil, tried, nil
		}
		tried = true
		changes, resp, err := r.touched(drafts[i], victim, o)
		if err != nil {
			return nil, tried, err
		}
		if len(changes) > 0 {
			o.gone = a.Kind == plan.Delete
			return append([]finding.Evidence{r.c.Evidence(drafts[i].request(), resp)}, r.notes(victim, changes)...), true, nil
		}
		if a.Kind == plan.Delete {
			if err := r.remove(o); err != nil {
				return nil, tried, err
			}
		}
	}
	return nil, tried, nil
}
