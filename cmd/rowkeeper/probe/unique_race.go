package probe

import (
	"fmt"

	"github.com/rowkeeper/rowkeeper/cmd/rowkeeper/finding"
	"github.com/rowkeeper/rowkeeper/cmd/rowkeeper/probe/internal/client"
	"github.com/rowkeeper/rowkeeper/cmd/rowkeeper/probe/internal/gen"
	"github.com/rowkeeper/rowkeeper/cmd/rowkeeper/probe/internal/plan"
)

var uniqueRace = &finding.Rule{
	ID: "RKP14", Name: "unique-race", Severity: finding.High,
	Title: "A duplicate is refused alone, and accepted or answered with 5xx if requests are sent at once",
	CWE:   []int{367}, PCI: finding.PCILogic,
	Why: "The handler looks whether the name is taken and then inserts. Requests at once all find it free. If a unique key stops " +
		"them, its violation is not expected and becomes a 500.",
	Fix:       "Have a UNIQUE constraint, insert without looking, and answer 409 to its violation.",
	Silent:    "A second equal request succeeds alone, so nothing has to be unique.",
	Bad:       "if count(name) == 0 { insert }",
	Good:      "insert …; on SQLSTATE 23505: 409",
	Rowkeeper: "errs.Constraint(\"accounts_name_key\").Code(\"account_name_taken\") in errs.NewCatalog",
}

func (r *run) checkUniqueRace() error {
	for _, a := range r.plan.Actions {
		if a.Kind != plan.Create || a.Body == nil {
			continue
		}
		b := r.base(a, r.who[0])
		if b == nil {
			continue
		}
		unique, err := r.learnUnique(a, b)
		if err != nil {
			return err
		}
		if !unique {
			continue
		}
		bad := 0
		for range rounds {
			crashed, err := r.raceCreate(a, b)
			if err != nil {
				return err
			}
			if crashed {
				bad++
			}
		}
		if bad >= 2 && !r.overload {
			r.report(uniqueRace, finding.Proved, a, "", fmt.Sprintf("%s answers duplicates that are sent at once with a 5xx.", a), r.lastCrash...)
		}
	}
	return nil
}

// anew gives a copy of a request a key of its own, so that it is another one.
func anew(d *draft) *draft {
	c := d.clone()
	if c.header.Get(idempotencyKey) != "" {
		c.header.Set(idempotencyKey, gen.UUID())
	}
	return c
}

// learnUnique reports whether an equal second create is refused while another one is
// not.
func (r *run) learnUnique(a *plan.Action, b *base) (bool, error) {
	d := r.again(b)
	first, err := r.send(d)
	if err != nil || !r.succeeded(a, first) {
		return false, err
	}
	made := r.learn(d, first)
	second, err := r.send(anew(d))
	if err != nil {
		return false, err
	}
	if crash(second) {
		third, err := r.send(anew(d))
		if err != nil {
			return false, err
		}
		if crash(third) {
			r.report(uniqueRace, finding.Proved, a, "", fmt.Sprintf("%s answers a duplicate with %d.", a, second.Status), r.c.Evidence(d.request(), second))
		}
		return false, nil
	}
	if err := r.forget(d, second); err != nil {
		return false, err
	}
	refused := !r.succeeded(a, second)
	if made != nil {
		if err := r.remove(made); err != nil {
			return false, err
		}
	}
	other := r.again(b)
	third, err := r.send(other)
	if err != nil {
		return false, err
	}
	works := r.succeeded(a, third)
	return refused && works, r.forget(other, third)
}

// raceCreate sends equal creates at once. It reports whether a loser got a 5xx.
func (r *run) raceCreate(a *plan.Action, b *base) (crashed bool, err error) {
	d := r.again(b)
	drafts := make([]*draft, racers)
	for i := range drafts {
		drafts[i] = anew(d)
	}
	answers, err := r.race(drafts)
	if err != nil {
		return false, err
	}
	made := map[string]*object{}
	for i, resp := range answers {
		switch {
		case resp == nil:
		case r.succeeded(a, resp):
			if o := r.learn(drafts[i], resp); o != nil {
				made[o.key()] = o
			}
		case crash(resp):
			crashed = true
			r.lastCrash = []finding.Evidence{r.c.Evidence(drafts[i].request(), resp)}
		}
	}
	if len(made) > 1 {
		r.report(uniqueRace, finding.Proved, a, "", fmt.Sprintf("%s accepts duplicates that are sent at once.", a),
			finding.Evidence{Kind: finding.Count, Text: fmt.Sprintf("%d of %d equal requests at once made an object each; alone, the second is refused", len(made), racers)},
			r.c.Evidence(d.request(), firstOf(answers)))
	}
	for _, o := range made {
		if err := r.remove(o); err != nil {
			return crashed, err
		}
	}
	return crashed, nil
}

func firstOf(answers []*client.Response) *client.Response {
	for _, resp := range answers {
		if resp != nil {
			return resp
		}
	}
	return nil
}
