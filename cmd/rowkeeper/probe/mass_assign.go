package probe

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/rowkeeper/rowkeeper/cmd/rowkeeper/finding"
	"github.com/rowkeeper/rowkeeper/cmd/rowkeeper/probe/internal/gen"
	"github.com/rowkeeper/rowkeeper/cmd/rowkeeper/probe/internal/oas"
	"github.com/rowkeeper/rowkeeper/cmd/rowkeeper/probe/internal/plan"
)

var massAssign = &finding.Rule{
	ID: "RKP07", Name: "mass-assign", Severity: finding.High,
	Title: "A client sets a property that only the server should set",
	CWE:   []int{915}, API: "API3", PCI: finding.PCIAccess,
	Why: "The request is decoded into the row itself, so a client that adds a member writes a column: its balance, its role, the " +
		"owner.",
	Fix:       "Decode into a struct that has only what a client may set.",
	Silent:    "The schema of the request has the property and does not mark it readOnly or server-set.",
	Bad:       "json.NewDecoder(r.Body).Decode(&account)",
	Good:      "jsonbody.Decode[struct{ Name string }](w, r)",
	Rowkeeper: "a field tagged owner:\"server\" is never written from a request; jsonbody.Decode refuses unknown members",
}

const maxAssigned = 12 // properties that are tried one by one

func (r *run) checkMassAssign() error {
	for _, a := range r.plan.Actions {
		if a.Kind != plan.Create && a.Kind != plan.Update || !a.Body.JSON() || r.bases[a] == nil {
			continue
		}
		for _, p := range r.who {
			if r.base(a, p) == nil {
				continue
			}
			if err := r.assign(a, p); err != nil {
				return err
			}
			break
		}
	}
	return nil
}

// assign sends all server-set properties at once, and one by one if that is refused.
func (r *run) assign(a *plan.Action, p *principal) error {
	seen, err := r.seenBy(a, p)
	if err != nil || seen == nil {
		return err
	}
	values := r.foreignValues(a, p, seen)
	if len(values) == 0 {
		return nil
	}
	accepted, err := r.assignOnce(a, p, values)
	if err != nil {
		return err
	}
	tried := 0
	for _, name := range ranked(values) {
		if accepted || tried == maxAssigned {
			break
		}
		tried++
		if _, err := r.assignOnce(a, p, map[string]any{name: values[name]}); err != nil {
			return err
		}
	}
	return nil
}

// seenBy returns an object of the action's resource as its owner reads it.
func (r *run) seenBy(a *plan.Action, p *principal) (map[string]any, error) {
	list := r.owned(a.Resource, p)
	if len(list) == 0 {
		return nil, nil
	}
	return r.view(list[0])
}

// view reads an object, or finds it in its list. It is nil if it cannot be seen.
func (r *run) view(o *object) (map[string]any, error) {
	if d := r.reader(o); d != nil {
		resp, err := r.send(d)
		if err != nil || !r.succeeded(d.action, resp) {
			return nil, err
		}
		view, _ := resp.JSON.(map[string]any)
		return unwrap(view, o), nil
	}
	for _, a := range o.resource.Lists {
		b := r.base(a, o.owner)
		if b == nil {
			continue
		}
		resp, err := r.send(b.draft)
		if err != nil {
			return nil, err
		}
		for _, item := range items(resp.JSON) {
			if text(identify(item, o.resource.Name)) == o.key() {
				return item, nil
			}
		}
	}
	return nil, nil
}

// foreignValues returns the properties that a request should not set, with values that
// the object does not have.
func (r *run) foreignValues(a *plan.Action, p *principal, seen map[string]any) map[string]any {
	request := a.Body.Schema
	var response *oas.Schema
	if s := a.Success(); s != nil {
		response = s.Schema
	}
	values := map[string]any{}
	for name, v := range seen {
		declared := request.Property(name)
		if declared != nil && !declared.ReadOnly && declared.Mark != "server-set" || request.Object() != nil && request.Object().Open || name == "id" {
			continue
		}
		if other := r.otherValue(name, v, response.Property(name), p); other != nil {
			values[name] = other
		}
	}
	return values
}

// otherValue returns another value of the same kind, or nil.
func (r *run) otherValue(name string, v any, s *oas.Schema, p *principal) any {
	if s != nil && len(s.Enum) > 1 {
		for _, e := range s.Enum {
			if text(e) != text(v) {
				return e
			}
		}
	}
	switch v := v.(type) {
	case bool:
		return !v
	case json.Number:
		if foreign := r.ownerValue(name, p); foreign != nil {
			return foreign
		}
		return json.Number("4711")
	case string:
		if foreign := r.ownerValue(name, p); foreign != nil {
			return foreign
		}
		if t, err := time.Parse(time.RFC3339, v); err == nil {
			return t.AddDate(-1, 0, 0).UTC().Format(time.RFC3339)
		}
		if s != nil && s.Format == "uuid" || len(v) == 36 && strings.Count(v, "-") == 4 {
			return gen.UUID()
		}
		return p.mint.New()
	}
	return nil
}

// ownerValue returns what the other principal's objects have in a property that is the
// same in all objects of one principal: its owner.
func (r *run) ownerValue(name string, p *principal) any {
	var mine, theirs any
	for _, list := range r.objects {
		for _, o := range list {
			v := o.view[name]
			switch {
			case v == nil || !plan.TakesID(name, nil) || name == "id":
			case o.owner == p && mine == nil:
				mine = v
			case o.owner != p && o.made && theirs == nil:
				theirs = v
			}
		}
	}
	if mine == nil || text(mine) == text(theirs) {
		return nil
	}
	return theirs
}

// sensitive are parts of names that are tried first.
var sensitive = []string{"owner", "user", "tenant", "role", "admin", "balance", "status", "credit", "verified", "approved", "price", "plan", "limit"}

func ranked(values map[string]any) []string {
	rank := func(name string) int {
		n := slices.IndexFunc(sensitive, func(part string) bool { return strings.Contains(strings.ToLower(name), part) })
		if n < 0 {
			return len(sensitive)
		}
		return n
	}
	return slices.SortedFunc(maps.Keys(values), func(a, b string) int {
		if d := rank(a) - rank(b); d != 0 {
			return d
		}
		return strings.Compare(a, b)
	})
}

// assignOnce sends properties and reads back which the object has now.
func (r *run) assignOnce(a *plan.Action, p *principal, values map[string]any) (accepted bool, err error) {
	d := r.again(r.base(a, p))
	var o *object
	if a.Kind == plan.Update {
		if o, err = r.make(a.Target.Resource, p); err != nil || o == nil {
			return false, err
		}
		d = d.filled(a.Target, o)
	}
	for name, v := range values {
		d = d.with("body", "/"+oas.Token(name), v)
	}
	resp, err := r.send(d)
	if err != nil {
		return false, err
	}
	if o != nil {
		defer func() { o.gone = o.gone || r.remove(o) != nil }()
	}
	if !r.succeeded(a, resp) {
		return false, nil
	}
	if a.Kind == plan.Create {
		if o = r.learn(d, resp); o == nil {
			return true, nil
		}
	}
	return true, r.readBack(d, o, values, r.c.Evidence(d.request(), resp))
}

func (r *run) readBack(d *draft, o *object, values map[string]any, sent finding.Evidence) error {
	view, err := r.view(o)
	if err != nil {
		return err
	}
	for _, name := range ranked(values) {
		v := values[name]
		switch {
		case view == nil && v == r.ownerValue(name, o.owner):
			moved, err := r.moved(o)
			if err != nil {
				return err
			}
			if !moved {
				continue
			}
		case view == nil || !sameValue(view[name], v):
			continue
		}
		r.report(massAssign, finding.Proved, d.action, name,
			fmt.Sprintf("%s lets a client set %s.", d.action, name), sent,
			finding.Evidence{Kind: finding.Note, Text: fmt.Sprintf("afterwards the object has %s = %s", name, text(v))})
	}
	return nil
}

// moved reports whether the other principal reads the object now.
func (r *run) moved(o *object) (bool, error) {
	theirs := *o
	theirs.owner = r.other(o.owner)
	view, err := r.view(&theirs)
	if view != nil {
		o.gone = true
	}
	return view != nil, err
}

func sameValue(a, b any) bool {
	if text(a) == text(b) {
		return true
	}
	x, err1 := time.Parse(time.RFC3339, text(a))
	y, err2 := time.Parse(time.RFC3339, text(b))
	return err1 == nil && err2 == nil && x.Equal(y)
}
