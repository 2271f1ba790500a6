package probe

import (
	"encoding/json"
	"fmt"
	"math"
	"strconv"

	"github.com/rowkeeper/rowkeeper/cmd/rowkeeper/finding"
	"github.com/rowkeeper/rowkeeper/cmd/rowkeeper/probe/internal/client"
	"github.com/rowkeeper/rowkeeper/cmd/rowkeeper/probe/internal/oracle"
	"github.com/rowkeeper/rowkeeper/cmd/rowkeeper/probe/internal/plan"
)

var overspend = &finding.Rule{
	ID: "RKP13", Name: "overspend", Severity: finding.Critical,
	Title: "A limit holds for requests one after the other, and breaks for requests at once",
	CWE:   []int{367}, PCI: finding.PCILogic,
	Why: "The handler checks the limit and then takes. Requests that all check before one has taken are all allowed: more is spent " +
		"than there was.",
	Fix:       "Put the limit into the statement (where balance >= $2) and a CHECK, or lock the row before the check.",
	Silent:    "No refusal was learned: the service does not limit what the request takes.",
	Bad:       "if balance >= amount { update accounts set balance = balance - $2 }",
	Good:      "update accounts set balance = balance - $2 where id = $1 and balance >= $2",
	Rowkeeper: "balance.Add(-amount) with a CHECK in errs.NewCatalog, or ForUpdate in txn.Run",
}

func (r *run) checkOverspend() error {
	for _, a := range r.plan.Actions {
		e := r.effects[a]
		if e == nil || e.amount == nil {
			continue
		}
		for place, d := range e.deltas {
			if d >= 0 {
				continue
			}
			for range rounds {
				again, err := r.spendAll(a, e, place)
				if err != nil {
					return err
				}
				if !again || r.found(overspend, a) {
					break
				}
			}
		}
	}
	return nil
}

// spendAll takes everything that is there, many times at once. Only one may succeed.
func (r *run) spendAll(a *plan.Action, e *effect, place string) (again bool, err error) {
	if err := r.supply(e); err != nil {
		return false, err
	}
	before, ok, err := r.state(e.reads)
	have, isNumber := before.Number(place)
	if err != nil || !ok || !isNumber || have < 2 {
		return false, err
	}
	unit, _ := strconv.ParseFloat(text(e.base.draft.value(e.amount.in, e.amount.name)), 64)
	per := math.Abs(e.deltas[place]) / unit // what one of the amount takes
	all := have / per
	if unit == 0 || text(r.within(e, all)) != strconv.FormatFloat(all, 'f', -1, 64) || all != math.Trunc(all) {
		return false, nil
	}
	take := func(v float64) func(*draft) *draft {
		n := json.Number(strconv.FormatFloat(v, 'f', -1, 64))
		return func(d *draft) *draft { return d.with(e.amount.in, e.amount.name, n) }
	}
	refused, err := r.send(take(all + unit)(r.again(e.base)))
	if err != nil || refused.Status/100 != 4 && r.succeeded(a, refused) || refused.Status >= 500 {
		return false, err
	}
	drafts := r.times(racers, e.base, take(all))
	answers, err := r.race(drafts)
	if err != nil {
		return false, err
	}
	r.note(a, drafts, answers)
	succeeded, _, _ := r.count(a, answers)
	if succeeded < 2 {
		return true, nil
	}
	after, _, err := r.state(e.reads)
	if err != nil {
		return false, err
	}
	r.reportOverspend(a, place, have, succeeded, before, after, drafts[0], refused)
	return false, nil
}

func (r *run) reportOverspend(a *plan.Action, place string, have float64, succeeded int, before, after oracle.State, d *draft, refused *client.Response) {
	r.report(overspend, finding.Proved, a, oracle.Leaf(place),
		fmt.Sprintf("%s takes more than there is if requests are sent at once.", a),
		finding.Evidence{Kind: finding.Count, Text: fmt.Sprintf(
			"%d of %d requests at once took all of %g each; %s was %s and is %s", succeeded, racers, have, r.c.Clean(place), before[place], after[place])},
		r.c.Evidence(d.request(), nil),
		finding.Evidence{Kind: finding.Note, Text: fmt.Sprintf("alone, a request for more than there is gets %d", refused.Status)})
}
