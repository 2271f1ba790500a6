package probe

import (
	"fmt"
	"net/http"
	"strings"

	"github.com/rowkeeper/rowkeeper/cmd/rowkeeper/probe/internal/gen"
	"github.com/rowkeeper/rowkeeper/cmd/rowkeeper/probe/internal/oas"
	"github.com/rowkeeper/rowkeeper/cmd/rowkeeper/probe/internal/plan"
)

// calibrate finds, for each operation and each principal, a request that succeeds. What
// fails is tried again once others have made what it needs.
func (r *run) calibrate() error {
	for pass := range 3 {
		progress := false
		for _, a := range r.plan.Actions {
			if reason := r.untouched(a); reason != "" {
				r.skipped[a] = reason
				continue
			}
			for _, p := range r.who {
				if r.base(a, p) != nil {
					continue
				}
				reason, err := r.try(a, p, pass)
				if err != nil {
					return err
				}
				if reason == "" {
					progress = true
					delete(r.skipped, a)
				} else if r.bases[a] == nil {
					r.skipped[a] = reason
				}
			}
		}
		if err := r.learnEffects(); err != nil {
			return err
		}
		if !progress {
			break
		}
	}
	return r.quiet()
}

// untouched says why an operation is not used at all, or returns "".
func (r *run) untouched(a *plan.Action) string {
	last := strings.ToLower(a.Path[strings.LastIndexByte(a.Path, '/')+1:])
	switch {
	case a.Mark == "ignore":
		return "ignored by x-rowkeeper"
	case a.Mark == "admin":
		return "for administrators, by x-rowkeeper"
	case r.opts.ReadOnly && a.Mutates():
		return "it writes, and this run only reads"
	case a.Method == "HEAD" || a.Method == "OPTIONS" || a.Method == "TRACE":
		return "its method is " + a.Method
	case strings.Contains(last, "logout") || strings.Contains(last, "signout") || strings.Contains(last, "revoke"):
		return "it would end the session"
	case a.Kind == plan.Delete && a.Target == nil:
		return "it names nothing, so it could delete everything"
	case a.Kind == plan.Delete && isPersonal(a.Resource):
		return "it could delete a principal"
	case a.Mutates() && a.Secured && strings.Contains(strings.ToLower(a.Path), "password"):
		return "it could change a credential"
	}
	return ""
}

func isPersonal(res *plan.Resource) bool {
	for _, name := range personal {
		if res.Name == name {
			return true
		}
	}
	return false
}

const maxTries = 6 // of an operation and a principal in a pass

// try looks for a request that succeeds. The reason says why there is none.
func (r *run) try(a *plan.Action, p *principal, pass int) (reason string, err error) {
	if r.logins[a.Method+" "+a.Path] {
		return "", nil // it was used to log in
	}
	if a.Kind == plan.Delete {
		return r.tryDelete(a, p)
	}
	tries := 0
	for _, filling := range r.fillings(a, p) {
		for style := range gen.Styles {
			if tries >= maxTries || style == gen.Large && amountOf(a) == nil {
				break
			}
			d, missing := r.build(a, p, style, filling)
			if missing != "" {
				reason = missing
				break
			}
			tries++
			resp, err := r.send(d)
			if err != nil {
				return "", err
			}
			if r.succeeded(a, resp) {
				r.accept(&base{d, resp})
				return "", r.more(a, p)
			}
			reason = fmt.Sprintf("the last answer was %d", resp.Status)
			if hopeless(resp.Status) || len(d.path)+len(d.query) == 0 && d.body == nil {
				return reason, nil
			}
		}
	}
	return reason, nil
}

// hopeless reports whether other values will not help.
func hopeless(status int) bool {
	switch status {
	case http.StatusUnauthorized, http.StatusForbidden, http.StatusMethodNotAllowed, http.StatusNotImplemented:
		return true
	}
	return false
}

// accept keeps a request that succeeded and what it shows. The resource that filled a
// slot of unknown meaning is the slot's from now on.
func (r *run) accept(b *base) {
	for s, o := range b.draft.uses {
		if s.Resource == nil {
			s.Resource = o.resource
		}
	}
	r.setBase(b.draft.action, b.draft.as, b)
	r.learn(b.draft, b.resp)
}

// fillings returns what to try in the slots whose resource no name tells: objects of
// each resource whose ids look right.
func (r *run) fillings(a *plan.Action, p *principal) []map[*plan.Slot]*object {
	var open []*plan.Slot
	for _, s := range a.Slots {
		if s.Resource == nil && s.Required {
			open = append(open, s)
		}
	}
	if len(open) == 0 {
		return []map[*plan.Slot]*object{nil}
	}
	var list []map[*plan.Slot]*object
	for _, res := range r.plan.Resources {
		objects := r.of(res, p)
		if len(objects) == 0 || len(open) > 1 && len(objects) < 2 || !looksRight(open[0].Schema, objects[0]) {
			continue
		}
		m := map[*plan.Slot]*object{}
		for i, s := range open {
			m[s] = objects[i%len(objects)]
		}
		list = append(list, m)
	}
	return list
}

func looksRight(s *oas.Schema, o *object) bool {
	_, isText := o.id.(string)
	switch {
	case s.Is("integer"):
		return !isText
	case s != nil && s.Format == "uuid":
		return isText && len(o.key()) == 36
	}
	return true
}

// more makes a second object, because operations that name two need them.
func (r *run) more(a *plan.Action, p *principal) error {
	if a.Kind != plan.Create || len(a.Slots) > 0 && a.Target == nil {
		return nil
	}
	_, err := r.make(a.Resource, p)
	return err
}

// make makes another object of a resource, or returns nil if that is not possible.
func (r *run) make(res *plan.Resource, p *principal) (*object, error) {
	if r.opts.ReadOnly || res == nil {
		return nil, nil
	}
	for _, a := range res.Creates {
		b := r.base(a, p)
		if b == nil {
			continue
		}
		d := r.again(b)
		resp, err := r.send(d)
		if err != nil {
			return nil, err
		}
		if r.succeeded(a, resp) {
			if o := r.learn(d, resp); o != nil {
				return o, nil
			}
		}
	}
	return nil, nil
}

// tryDelete deletes an object that was made for it.
func (r *run) tryDelete(a *plan.Action, p *principal) (string, error) {
	o, err := r.make(a.Target.Resource, p)
	if err != nil || o == nil {
		return "nothing that may be deleted could be made", err
	}
	d, missing := r.build(a, p, gen.Marked, map[*plan.Slot]*object{a.Target: o})
	if missing != "" {
		return missing, nil
	}
	resp, err := r.send(d)
	if err != nil {
		return "", err
	}
	if !r.succeeded(a, resp) {
		return fmt.Sprintf("the last answer was %d", resp.Status), nil
	}
	o.gone = true
	r.accept(&base{d, resp})
	return "", nil
}
