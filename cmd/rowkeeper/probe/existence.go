package probe

import (
	"encoding/json"
	"fmt"
	"maps"
	"strconv"
	"strings"

	"github.com/rowkeeper/rowkeeper/cmd/rowkeeper/finding"
	"github.com/rowkeeper/rowkeeper/cmd/rowkeeper/probe/internal/client"
	"github.com/rowkeeper/rowkeeper/cmd/rowkeeper/probe/internal/gen"
	"github.com/rowkeeper/rowkeeper/cmd/rowkeeper/probe/internal/oracle"
	"github.com/rowkeeper/rowkeeper/cmd/rowkeeper/probe/internal/plan"
)

var existence = &finding.Rule{
	ID: "RKP06", Name: "existence", Severity: finding.Low,
	Title: "An answer tells whether somebody else's object exists",
	CWE:   []int{204}, API: "API1", PCI: finding.PCIAccess,
	Why:       "A foreign id gives another answer than an id that nobody has, so ids can be enumerated.",
	Fix:       "Answer a foreign id as one that does not exist: the same 404 with the same body.",
	Silent:    "Answers to the same id differ from each other, or the object is shared.",
	Bad:       "403 for a foreign account, 404 for one that does not exist",
	Good:      "404 for both",
	Rowkeeper: "owner.ErrNotFound is the same error for both",
}

const pairs = 5 // of a foreign and an unknown id, that must all differ in the same way

func (r *run) checkExistence() error {
	told := map[*plan.Resource]bool{}
	for _, a := range r.plan.Actions {
		if a.Target == nil || r.bases[a] == nil || r.shared(a) || told[a.Target.Resource] || a.Mutates() && !r.writes(a) || a.Kind == plan.Delete {
			continue
		}
		victim := r.who[0]
		list := r.owned(a.Target.Resource, victim)
		b := r.base(a, r.other(victim))
		if len(list) == 0 || b == nil {
			continue
		}
		evidence, err := r.tells(a, b, list[0])
		if err != nil {
			return err
		}
		if len(evidence) > 0 {
			told[a.Target.Resource] = true
			r.report(existence, finding.Proved, a, a.Target.Name,
				fmt.Sprintf("%s answers a foreign %s differently from one that does not exist.", a, a.Target.Resource.Name), evidence...)
		}
	}
	return nil
}

func (r *run) tells(a *plan.Action, b *base, o *object) (evidence []finding.Evidence, err error) {
	noise, err := r.noise(a, b, o)
	if err != nil {
		return nil, err
	}
	known, unknown := "", ""
	for i := range pairs {
		foreign := r.again(b).filled(a.Target, o)
		missing := r.again(b).with(a.Target.In, a.Target.Name, nobody(o, i))
		first, err := r.send(foreign)
		if err != nil {
			return nil, err
		}
		second, err := r.send(missing)
		if err != nil {
			return nil, err
		}
		if first.OK() || first.Status >= 500 || second.OK() || second.Status >= 500 {
			return nil, nil
		}
		x, y := r.normal(foreign, first, noise), r.normal(missing, second, noise)
		if x == y || i > 0 && (x != known || y != unknown) {
			return nil, nil
		}
		known, unknown = x, y
		evidence = []finding.Evidence{r.c.Evidence(foreign.request(), first), r.c.Evidence(missing.request(), second)}
	}
	return evidence, nil
}

// noise returns the members that differ between two answers to unknown ids, such as the
// number of the request.
func (r *run) noise(a *plan.Action, b *base, o *object) (map[string]bool, error) {
	noise := maps.Clone(r.volatile)
	var states [2]oracle.State
	for i := range states {
		d := r.again(b).with(a.Target.In, a.Target.Name, nobody(o, pairs+i))
		resp, err := r.send(d)
		if err != nil {
			return nil, err
		}
		states[i] = r.flat(d, resp)
	}
	for _, c := range oracle.Diff(states[0], states[1], nil) {
		noise[oracle.Leaf(c.Place)] = true
	}
	return noise, nil
}

// flat is a body without the id of the request.
func (r *run) flat(d *draft, resp *client.Response) oracle.State {
	id := text(d.value(d.action.Target.In, d.action.Target.Name))
	s := oracle.State{}
	s.Add("", 200, resp.JSON)
	for place, v := range s {
		s[place] = strings.ReplaceAll(v, id, "{id}")
	}
	return s
}

// nobody returns an id of the same form that no object has.
func nobody(o *object, i int) any {
	switch id := o.id.(type) {
	case json.Number:
		n, err := strconv.ParseInt(id.String(), 10, 64)
		if err == nil {
			return json.Number(strconv.FormatInt(min(n+1_000_003+int64(i), 1<<31-2-int64(i)), 10))
		}
	case string:
		if n := len(id); n != 36 {
			return strings.Repeat(strings.ReplaceAll(gen.UUID(), "-", ""), n/32+1)[:n]
		}
	}
	return gen.UUID()
}

// normal is an answer without what belongs to the request.
func (r *run) normal(d *draft, resp *client.Response, noise map[string]bool) string {
	if resp.JSON == nil {
		id := text(d.value(d.action.Target.In, d.action.Target.Name))
		return fmt.Sprint(resp.Status, " ", strings.ReplaceAll(string(resp.Body), id, "{id}"))
	}
	s := r.flat(d, resp)
	maps.DeleteFunc(s, func(place, _ string) bool { return noise[oracle.Leaf(place)] })
	return fmt.Sprint(resp.Status, " ", map[string]string(s)) // printed in the order of the names
}
