package probe

import (
	"fmt"
	"math"

	"github.com/rowkeeper/rowkeeper/cmd/rowkeeper/finding"
	"github.com/rowkeeper/rowkeeper/cmd/rowkeeper/probe/internal/oracle"
	"github.com/rowkeeper/rowkeeper/cmd/rowkeeper/probe/internal/plan"
)

var lostUpdate = &finding.Rule{
	ID: "RKP12", Name: "lost-update", Severity: finding.High,
	Title: "Requests at once succeed, and some of their effects are lost",
	CWE:   []int{362}, PCI: finding.PCILogic,
	Why: "The handler reads a value, computes and writes the result. Two requests that read the same value write the same result, " +
		"and one of them is lost although both were answered with success.",
	Fix:       "Let the database compute (balance = balance + $2), or run the handler SERIALIZABLE with retry.",
	Silent:    "Calls one after the other do not have the same effect each time, or an answer is missing.",
	Bad:       "select balance …; update accounts set balance = $2",
	Good:      "update accounts set balance = balance + $2",
	Rowkeeper: "balance.Add(amount), or txn.Run",
}

func (r *run) checkLostUpdate() error {
	for _, a := range r.plan.Actions {
		e := r.effects[a]
		if e == nil {
			continue
		}
		if err := r.supply(e); err != nil {
			return err
		}
		for range rounds {
			if err := r.raceEffect(a, e); err != nil {
				return err
			}
		}
	}
	return nil
}

// supply fills up what an operation takes from, as far as another one can.
func (r *run) supply(e *effect) error {
	for place, d := range e.deltas {
		if d >= 0 {
			continue
		}
		for _, other := range r.effects {
			if !other.adds() {
				continue
			}
			for _, s := range other.base.draft.action.Slots {
				for _, o := range usedObjects(e.base.draft) {
					if other.reaches(o, place) && o.resource == s.Resource {
						if err := r.fund(other, other.base, s, o); err != nil {
							return err
						}
					}
				}
			}
		}
	}
	return nil
}

// adds reports whether an effect takes from nothing.
func (e *effect) adds() bool {
	for _, d := range e.deltas {
		if d < 0 {
			return false
		}
	}
	return e.amount != nil
}

// reaches reports whether the effect changes the member of a place, for an object of the
// kind that it acts on.
func (e *effect) reaches(o *object, place string) bool {
	for own := range e.deltas {
		if oracle.Leaf(own) == oracle.Leaf(place) {
			return true
		}
	}
	return false
}

// raceEffect sends the requests of an effect at once. There may be more effects than
// successes, because a request that failed may still have been applied.
func (r *run) raceEffect(a *plan.Action, e *effect) error {
	before, ok, err := r.state(e.reads)
	if err != nil || !ok {
		return err
	}
	drafts := r.times(racers, e.base, same)
	answers, err := r.race(drafts)
	if err != nil {
		return err
	}
	r.note(a, drafts, answers)
	succeeded, _, complete := r.count(a, answers)
	lost := func(s oracle.State) (string, float64, float64) {
		actual := oracle.Deltas(before, s)
		for place, d := range e.deltas {
			want := d * float64(succeeded)
			if _, there := s.Number(place); there && math.Abs(actual[place]) < math.Abs(want) && !near(actual[place], want) {
				return place, actual[place], want
			}
		}
		return "", 0, 0
	}
	after, ok, err := r.settled(e.reads, func(s oracle.State) bool { place, _, _ := lost(s); return place == "" })
	if err != nil || !ok || !complete {
		return err
	}
	if place, actual, want := lost(after); place != "" {
		r.report(lostUpdate, finding.Proved, a, oracle.Leaf(place),
			fmt.Sprintf("%s loses effects of requests that are sent at once.", a),
			finding.Evidence{Kind: finding.Count, Text: fmt.Sprintf(
				"%d of %d requests at once succeeded; %s changed by %g instead of %g (one request alone: %g)",
				succeeded, racers, r.c.Clean(place), actual, want, e.deltas[place])},
			r.c.Evidence(drafts[0].request(), answers[0]))
	}
	return nil
}
