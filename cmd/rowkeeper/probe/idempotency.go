package probe

import (
	"encoding/json"
	"fmt"
	"reflect"
	"strconv"

	"github.com/rowkeeper/rowkeeper/cmd/rowkeeper/finding"
	"github.com/rowkeeper/rowkeeper/cmd/rowkeeper/probe/internal/canary"
	"github.com/rowkeeper/rowkeeper/cmd/rowkeeper/probe/internal/client"
	"github.com/rowkeeper/rowkeeper/cmd/rowkeeper/probe/internal/gen"
	"github.com/rowkeeper/rowkeeper/cmd/rowkeeper/probe/internal/oracle"
	"github.com/rowkeeper/rowkeeper/cmd/rowkeeper/probe/internal/plan"
)

var idempotent = &finding.Rule{
	ID: "RKP16", Name: "idempotency", Severity: finding.High,
	Title: "A request with an Idempotency-Key is not applied once",
	CWE:   []int{837}, PCI: finding.PCILogic,
	Why: "A client that got no answer repeats its request and is debited twice; a key that is looked up without its owner shows one " +
		"principal the answer of another.",
	Fix:       "Store key, owner, a hash of the request and the response in the transaction of the request's effects.",
	Silent:    "The operation does not declare the header.",
	Bad:       "select response from keys where key = $1",
	Good:      "insert into keys (owner, key, hash) … in the same transaction",
	Rowkeeper: "idempotency.Handler(pool, \"transfers\", userOf, f)",
}

func (r *run) checkIdempotent() error {
	for _, a := range r.plan.Actions {
		if !a.Mutates() || a.Param("header", idempotencyKey) == nil {
			continue
		}
		b := r.base(a, r.who[0])
		if b == nil {
			continue
		}
		if err := r.tryKey(a, b); err != nil {
			return err
		}
	}
	return nil
}

// keyed is a request that was applied with a key.
type keyed struct {
	draft *draft
	first *client.Response
	reads []*draft
}

func (r *run) tryKey(a *plan.Action, b *base) error {
	k := keyed{draft: r.again(b), reads: r.watched(b.draft.as, usedObjects(b.draft)...)}
	changes, ok, err := r.around(k.reads, func() (err error) {
		k.first, err = r.send(k.draft)
		return err
	})
	if err != nil || !ok || len(changes) == 0 || !r.succeeded(a, k.first) {
		return err // its effect cannot be seen
	}
	r.learn(k.draft, k.first)
	for _, try := range []func(*plan.Action, keyed) (bool, error){r.keyRepeated, r.keyReused, r.keyStolen, r.keyRaced} {
		if found, err := try(a, k); found || err != nil {
			return err
		}
	}
	return nil
}

// applied sends a request and reports whether it changed what the first one had changed.
func (r *run) applied(k keyed, d *draft) ([]oracle.Change, *client.Response, error) {
	var resp *client.Response
	changes, ok, err := r.around(k.reads, func() (err error) {
		resp, err = r.send(d)
		return err
	})
	if err != nil || !ok || len(changes) == 0 {
		return nil, resp, err
	}
	own, ok, err := r.around(k.reads, func() error { return nil })
	if err != nil || !ok || len(own) > 0 {
		return nil, resp, err
	}
	return changes, resp, nil
}

func (r *run) keyRepeated(a *plan.Action, k keyed) (bool, error) {
	changes, resp, err := r.applied(k, k.draft)
	if err != nil || len(changes) == 0 {
		return false, err
	}
	r.reportKey(a, "applies a request twice that has the same key", finding.High, k, k.draft, resp, changes)
	return true, nil
}

func (r *run) reportKey(a *plan.Action, what string, severity finding.Severity, k keyed, d *draft, resp *client.Response, changes []oracle.Change) {
	evidence := []finding.Evidence{r.c.Evidence(k.draft.request(), k.first)}
	if resp != nil {
		evidence = append(evidence, r.c.Evidence(d.request(), resp))
	}
	f := r.report(idempotent, finding.Proved, a, "", fmt.Sprintf("%s %s.", a, what), append(evidence, r.notes(k.draft.as, changes)...)...)
	f.Severity = severity
}

func (r *run) keyReused(a *plan.Action, k keyed) (bool, error) {
	d := r.again(r.base(a, k.draft.as))
	if n := amountOf(a); n != nil {
		v, _ := strconv.ParseFloat(text(k.draft.value(n.in, n.name)), 64)
		d = d.with(n.in, n.name, json.Number(strconv.FormatFloat(v+1, 'f', -1, 64)))
	}
	d.header.Set(idempotencyKey, k.draft.header.Get(idempotencyKey))
	changes, resp, err := r.applied(k, d)
	if err != nil || len(changes) == 0 {
		return false, err
	}
	r.reportKey(a, "applies another request with a key that was used", finding.High, k, d, resp, changes)
	return true, nil
}

// keyStolen sends the request, and one of its own, as the other principal.
func (r *run) keyStolen(a *plan.Action, k keyed) (bool, error) {
	thief := r.other(k.draft.as)
	drafts := []*draft{k.draft.by(thief)}
	if b := r.base(a, thief); b != nil && r.onlyOf(k) {
		own := r.again(b)
		own.header.Set(idempotencyKey, k.draft.header.Get(idempotencyKey))
		drafts = append(drafts, own)
	}
	for _, d := range drafts {
		resp, err := r.send(d)
		if err != nil {
			return false, err
		}
		if r.succeeded(a, resp) && resp.JSON != nil && reflect.DeepEqual(resp.JSON, k.first.JSON) && len(asMap(k.first.JSON)) >= 2 {
			r.reportKey(a, "shows the answer to one principal's key to another", finding.Critical, k, d, resp, nil)
			return true, nil
		}
	}
	return false, nil
}

// onlyOf reports whether the answer names something that only its principal has, so
// that no other request gets an equal one.
func (r *run) onlyOf(k keyed) bool {
	p := k.draft.as
	if p.mint.In(k.first.Body) {
		return true
	}
	for _, res := range r.plan.Resources {
		for _, o := range r.of(res, p) {
			if o.long() && canary.HasID(k.first.JSON, o.key()) {
				return true
			}
		}
	}
	return false
}

// keyRaced sends the same request many times at once.
func (r *run) keyRaced(a *plan.Action, k keyed) (bool, error) {
	e := r.effects[a]
	if e == nil || e.base.draft.as != k.draft.as {
		return false, nil
	}
	d := r.again(e.base)
	d.header.Set(idempotencyKey, gen.UUID())
	before, ok, err := r.state(e.reads)
	if err != nil || !ok {
		return false, err
	}
	drafts := make([]*draft, racers)
	for i := range drafts {
		drafts[i] = d
	}
	answers, err := r.race(drafts)
	if err != nil {
		return false, err
	}
	after, ok, err := r.state(e.reads)
	if err != nil || !ok {
		return false, err
	}
	deltas := oracle.Deltas(before, after)
	for place, one := range e.deltas {
		if times := deltas[place] / one; times > 1.5 {
			k.draft, k.first = d, firstSuccess(r, a, answers)
			r.reportKey(a, fmt.Sprintf("applies a request %.0f times that was sent %d times at once with one key", times, racers), finding.High, k, d, nil, nil)
			return true, nil
		}
	}
	return false, nil
}

func firstSuccess(r *run, a *plan.Action, answers []*client.Response) *client.Response {
	for _, resp := range answers {
		if r.succeeded(a, resp) {
			return resp
		}
	}
	return nil
}
