package probe

import (
	"encoding/json"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/rowkeeper/rowkeeper/cmd/rowkeeper/probe/internal/oracle"
	"github.com/rowkeeper/rowkeeper/cmd/rowkeeper/probe/internal/plan"
)

// An effect is what one call of an operation changes, as seen in calls one after the
// other: numbers that its caller reads.
type effect struct {
	base   *base
	reads  []*draft
	amount *amount // or nil
	deltas map[string]float64
}

// An amount is the number that a request names.
type amount struct{ in, name string }

var amountNames = []string{"amount", "quantity", "qty", "value", "count", "points", "credits", "sum", "seats", "units"}

// amountOf returns the place of the number that a request is about, or nil.
func amountOf(a *plan.Action) *amount {
	var best *amount
	rank := len(amountNames) + 1
	consider := func(in, name, plain string) {
		n := slices.IndexFunc(amountNames, func(s string) bool { return strings.Contains(strings.ToLower(plain), s) })
		if n < 0 {
			n = len(amountNames)
		}
		if n < rank {
			best, rank = &amount{in, name}, n
		}
	}
	for _, p := range a.Params {
		if p.In == "query" && p.Schema.Is("integer", "number") && a.Mutates() && !plan.TakesID(p.Name, p.Schema) {
			consider("query", p.Name, p.Name)
		}
	}
	if a.Body != nil {
		for _, name := range a.Body.Schema.Names() {
			p := a.Body.Schema.Property(name)
			if p.Is("integer", "number") && !p.ReadOnly && !plan.TakesID(name, p) {
				consider("body", "/"+name, name)
			}
		}
	}
	return best
}

// learnEffects finds the numbers that operations add to, and fills up what they can
// fill, so that operations that take away can succeed.
func (r *run) learnEffects() error {
	if r.opts.ReadOnly {
		return nil
	}
	for _, a := range r.plan.Actions {
		if a.Kind != plan.Act && (a.Kind != plan.Create || len(a.Slots) == 0) {
			continue
		}
		for _, p := range r.who {
			b := r.base(a, p)
			if b == nil || r.filled[b] {
				continue
			}
			e := r.effects[a]
			if e == nil {
				var err error
				if e, err = r.learnEffect(b); err != nil {
					return err
				}
				if e == nil {
					continue
				}
				r.effects[a] = e
			}
			r.filled[b] = true
			if err := r.fillUp(e, b); err != nil {
				return err
			}
		}
	}
	return nil
}

// learnEffect makes three calls one after the other, which must all have the same
// effect.
func (r *run) learnEffect(b *base) (*effect, error) {
	e := &effect{base: b, amount: amountOf(b.draft.action)}
	e.reads = r.watched(b.draft.as, usedObjects(b.draft)...)
	before, ok, err := r.state(e.reads)
	if err != nil || !ok {
		return nil, err
	}
	for range 3 {
		resp, err := r.send(r.again(b))
		if err != nil || !r.succeeded(b.draft.action, resp) {
			return nil, err
		}
		after, ok, err := r.state(e.reads)
		if err != nil || !ok {
			return nil, err
		}
		deltas := oracle.Deltas(before, after)
		before = after
		if e.deltas == nil {
			e.deltas = deltas
		}
		for place, d := range e.deltas {
			if !near(deltas[place], d) {
				delete(e.deltas, place)
			}
		}
	}
	if len(e.deltas) == 0 {
		return nil, nil
	}
	return e, nil
}

func near(a, b float64) bool {
	return math.Abs(a-b) <= 1e-9*math.Max(1, math.Max(math.Abs(a), math.Abs(b)))
}

func usedObjects(d *draft) (list []*object) {
	for _, s := range ordered(d.action) {
		if o := d.uses[s]; o != nil && !slices.Contains(list, o) {
			list = append(list, o)
		}
	}
	return list
}

// plenty is added to what later operations take from.
const plenty = 1000

// fillUp calls an operation that only adds with a large amount, for each object of a
// principal.
func (r *run) fillUp(e *effect, b *base) error {
	if !e.adds() {
		return nil
	}
	a := b.draft.action
	s := a.Target
	if s == nil && len(a.Slots) == 1 {
		s = a.Slots[0]
	}
	if s == nil {
		return nil
	}
	for i, o := range r.of(s.Resource, b.draft.as) {
		if i == 4 {
			break
		}
		if err := r.fund(e, b, s, o); err != nil {
			return err
		}
	}
	return nil
}

func (r *run) fund(e *effect, b *base, s *plan.Slot, o *object) error {
	d := r.again(b).filled(s, o)
	_, err := r.send(d.with(e.amount.in, e.amount.name, r.scaled(e, plenty)))
	return err
}

// scaled returns an amount that is larger, as far as the schema allows.
func (r *run) scaled(e *effect, factor float64) json.Number {
	v, _ := strconv.ParseFloat(text(e.base.draft.value(e.amount.in, e.amount.name)), 64)
	return r.within(e, v*factor)
}

func (r *run) within(e *effect, v float64) json.Number {
	a := e.base.draft.action
	schema := a.Operation.Param(e.amount.in, e.amount.name)
	limit := func(high *float64, open bool) {
		if high != nil && v > *high {
			v = *high
			if open {
				v--
			}
		}
	}
	if schema != nil {
		limit(schema.Schema.Max, schema.Schema.UnderMax)
	} else if a.Body != nil {
		if p := a.Body.Schema.At(e.amount.name); p != nil {
			limit(p.Max, p.UnderMax)
		}
	}
	return json.Number(strconv.FormatFloat(v, 'f', -1, 64))
}
