package probe

import (
	"fmt"

	"github.com/rowkeeper/rowkeeper/cmd/rowkeeper/finding"
	"github.com/rowkeeper/rowkeeper/cmd/rowkeeper/probe/internal/plan"
)

var bolaRead = &finding.Rule{
	ID: "RKP02", Name: "bola-read", Severity: finding.Critical,
	Title: "A principal reads an object of another one",
	CWE:   []int{639}, API: "API1", PCI: finding.PCIAccess,
	Why: "The operation finds the object by its id alone. Whoever knows or guesses an id reads what belongs to somebody else.",
	Fix: "Select by id and owner: where id = $1 and user_id = $2.",
	Silent: "The path is listed as shared, the operation is public, or x-rowkeeper says public or shared. If only one of the two principals " +
		"can do it, it may be an administrator, so the finding is only suspected.",
	Bad:       "select … from accounts where id = $1",
	Good:      "select … from accounts where id = $1 and user_id = $2",
	Rowkeeper: "accounts.In(me).Get(ctx, tx, id)",
}

func (r *run) checkBolaRead() error {
	for _, a := range r.plan.Actions {
		if a.Mutates() || a.Target == nil || r.bases[a] == nil || r.shared(a) || a.Target.In == "query" && a.Kind == plan.List {
			continue
		}
		var s sides
		var evidence []finding.Evidence
		what := ""
		for _, victim := range r.who {
			list := r.owned(a.Target.Resource, victim)
			if len(list) == 0 {
				continue
			}
			for _, d := range r.foreign(a, victim, list[0]) {
				s.tried[victim.number] = true
				resp, err := r.send(d)
				if err != nil {
					return err
				}
				if shown := r.shows(d, resp, victim); shown != "" && !s.hit[victim.number] {
					s.hit[victim.number], what = true, shown
					evidence = append(evidence, r.c.Evidence(d.request(), resp))
				}
			}
		}
		if what != "" {
			r.report(bolaRead, s.confidence(), a, a.Target.Name,
				fmt.Sprintf("%s shows %s to %s.", a, what, "another principal"), evidence...)
		}
	}
	return nil
}
