package probe

import (
	"fmt"

	"github.com/rowkeeper/rowkeeper/cmd/rowkeeper/finding"
	"github.com/rowkeeper/rowkeeper/cmd/rowkeeper/probe/internal/plan"
)

var conflictCrash = &finding.Rule{
	ID: "RKP15", Name: "conflict-500", Severity: finding.Medium,
	Title: "Requests at once get a 5xx that none of them gets alone",
	CWE:   []int{755}, API: "API4", PCI: "",
	Why: "The database ends one of two conflicting transactions and asks for a retry (SQLSTATE 40001, 40P01). The service passes " +
		"that on as its own failure.",
	Fix:       "Run the transaction again when the database says so.",
	Silent:    "409, 429, 503 and 504, and services that fail to answer as many reads at once.",
	Bad:       "BEGIN ISOLATION LEVEL SERIALIZABLE … COMMIT → 40001 → 500",
	Good:      "the same in a loop that retries 40001 with a wait that grows",
	Rowkeeper: "txn.Run(ctx, pool, func(ctx, tx) error { … })",
}

// checkConflict adds races of updates to those that were run already, and judges all of
// them.
func (r *run) checkConflict() error {
	if r.overload {
		r.unjudged[conflictCrash.ID] = fmt.Sprintf("%d reads at once, which do not conflict, fail as well", racers)
		return nil
	}
	for _, a := range r.plan.Actions {
		b := r.base(a, r.who[0])
		if b == nil || r.tallies[a] != nil || a.Kind != plan.Update && a.Kind != plan.Act {
			continue
		}
		for range rounds {
			drafts := r.times(racers, b, same)
			answers, err := r.race(drafts)
			if err != nil {
				return err
			}
			r.note(a, drafts, answers)
		}
	}
	for _, a := range r.plan.Actions {
		t := r.tallies[a]
		if t == nil || t.bad < 2 {
			continue
		}
		alone, err := r.send(r.again(r.base(a, r.who[0])))
		if err != nil {
			return err
		}
		if crash(alone) {
			continue
		}
		r.report(conflictCrash, finding.Proved, a, "", fmt.Sprintf("%s answers %d if requests are sent at once.", a, t.answer.Status),
			finding.Evidence{Kind: finding.Count, Text: fmt.Sprintf("a 5xx in %d of %d rounds of %d requests at once, and none alone", t.bad, t.rounds, racers)},
			r.c.Evidence(t.draft.request(), t.answer))
	}
	return nil
}
