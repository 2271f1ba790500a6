package probe

import (
	"fmt"
	"net/http"

	"github.com/rowkeeper/rowkeeper/cmd/rowkeeper/finding"
	"github.com/rowkeeper/rowkeeper/cmd/rowkeeper/probe/internal/client"
	"github.com/rowkeeper/rowkeeper/cmd/rowkeeper/probe/internal/gen"
	"github.com/rowkeeper/rowkeeper/cmd/rowkeeper/probe/internal/oas"
	"github.com/rowkeeper/rowkeeper/cmd/rowkeeper/probe/internal/plan"
)

var inputCrash = &finding.Rule{
	ID: "RKP09", Name: "input-500", Severity: finding.High,
	Title: "One bad value in a request gives a 5xx",
	CWE:   []int{20}, API: "API8", PCI: finding.PCIData,
	Why: "The value reaches the database or a conversion unchecked and its error is taken for a fault of the server. Clients retry, " +
		"alarms ring, and an attacker learns where input is not checked.",
	Fix:       "Check the value, and answer 4xx to errors of the classes 22 and 23 of SQLSTATE.",
	Silent:    "501, 503, 504, and answers of an operation whose valid request fails as well.",
	Bad:       "GET /accounts/not-a-uuid → 500",
	Good:      "GET /accounts/not-a-uuid → 404",
	Rowkeeper: "errs.Translate maps what the database refuses to a 4xx",
}

// A spot is a place of a request whose value is replaced.
type spot struct {
	in, name string
	schema   *oas.Schema
	required bool
}

func (s spot) String() string { return s.in + " " + s.name }

// spots returns the places of a request that have a value of their own.
func spots(a *plan.Action) (list []spot) {
	for _, p := range a.Params {
		if p.In == "path" || p.In == "query" {
			list = append(list, spot{p.In, p.Name, p.Schema, p.Required})
		}
	}
	if a.Body != nil {
		list = append(list, bodySpots(a.Body.Schema, "", 0)...)
	}
	return list
}

func bodySpots(s *oas.Schema, at string, depth int) (list []spot) {
	o := s.Object()
	if o == nil || depth > 2 {
		return nil
	}
	required := map[string]bool{}
	for _, name := range o.Required {
		required[name] = true
	}
	for _, name := range s.Names() {
		p := o.Properties[name]
		if p.ReadOnly {
			continue
		}
		where := at + "/" + oas.Token(name)
		list = append(list, spot{"body", where, p, required[name]})
		if len(list) < 24 {
			list = append(list, bodySpots(p, where, depth+1)...)
		}
	}
	return list
}

func mutations(a *plan.Action, s spot) []gen.Mutation {
	if s.in == "body" && a.Body.JSON() {
		return gen.JSON(s.schema)
	}
	return gen.Strings(s.schema)
}

func (r *run) checkInput() error {
	for _, a := range r.plan.Actions {
		b := r.base(a, r.who[0])
		if b == nil {
			b = r.base(a, r.who[1])
		}
		if b == nil || a.Mutates() && r.opts.ReadOnly {
			continue
		}
		for _, s := range spots(a) {
			for _, m := range mutations(a, s) {
				if err := r.tryInput(a, b, s, m); err != nil {
					return err
				}
			}
		}
		if err := r.tryBodies(a, b); err != nil {
			return err
		}
	}
	return nil
}

// tryInput sends one bad value. A 5xx counts if the same happens again, between valid
// requests that succeed.
func (r *run) tryInput(a *plan.Action, b *base, s spot, m gen.Mutation) error {
	where := s.name
	if r.crashed(a, s) {
		return nil
	}
	return r.tryDraft(a, b, where, m.Kind, func(d *draft) *draft { return d.mutated(s.in, s.name, m) })
}

func (r *run) tryDraft(a *plan.Action, b *base, where, kind string, change func(*draft) *draft) error {
	d := change(r.again(b))
	resp, err := r.send(d)
	if err != nil {
		return err
	}
	if err := r.forget(d, resp); err != nil {
		return err
	}
	if !crash(resp) {
		return nil
	}
	for _, bad := range []bool{false, true, false} {
		if a.Kind == plan.Delete && !bad {
			continue // a valid one needs a new object; the reads around it have succeeded
		}
		try := r.again(b)
		if bad {
			try = change(try)
		}
		again, err := r.send(try)
		if err != nil {
			return err
		}
		if err := r.forget(try, again); err != nil {
			return err
		}
		if bad != crash(again) || !bad && !r.succeeded(a, again) {
			return nil
		}
	}
	r.report(inputCrash, finding.Proved, a, where, fmt.Sprintf("%s answers %d if %s is %s.", a, resp.Status, where, kind), r.c.Evidence(d.request(), resp))
	return nil
}

// forget deletes what a request made that was not meant to make something.
func (r *run) forget(d *draft, resp *client.Response) error {
	if d.action.Kind != plan.Create || !r.succeeded(d.action, resp) {
		return nil
	}
	if o := r.learn(d, resp); o != nil {
		return r.remove(o)
	}
	return nil
}

func crash(resp *client.Response) bool {
	switch resp.Status {
	case http.StatusNotImplemented, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		return false // it says that it cannot now, or was too slow
	}
	return resp.Status >= 500
}

// crashed reports whether the place is known to crash.
func (r *run) crashed(a *plan.Action, s spot) bool {
	return r.seen[fmt.Sprint(inputCrash.ID, []string{a.Method, a.Path, s.name})]
}

// tryBodies sends whole bodies that are no good.
func (r *run) tryBodies(a *plan.Action, b *base) error {
	if !a.Body.JSON() {
		return nil
	}
	for _, whole := range []struct{ kind, text string }{
		{"not JSON", `{"rk`}, {"empty", ``}, {"a list", `[]`}, {"null", `null`}, {"text", `"rk"`},
	} {
		if r.seen[fmt.Sprint(inputCrash.ID, []string{a.Method, a.Path, "body"})] {
			return nil
		}
		err := r.tryDraft(a, b, "body", whole.kind, func(d *draft) *draft {
			d.text = []byte(whole.text)
			return d
		})
		if err != nil {
			return err
		}
	}
	o, ok := b.draft.body.(map[string]any)
	if !ok || len(o) == 0 {
		return nil
	}
	return r.tryDraft(a, b, "body", "an object with a name twice", func(d *draft) *draft {
		text := encode(d.body)
		d.text = append(append(append([]byte{}, text[:len(text)-1]...), ','), text[1:]...)
		return d
	})
}
