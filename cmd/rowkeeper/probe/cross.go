package probe

import (
	"slices"

	"github.com/rowkeeper/rowkeeper/cmd/rowkeeper/finding"
	"github.com/rowkeeper/rowkeeper/cmd/rowkeeper/probe/internal/canary"
	"github.com/rowkeeper/rowkeeper/cmd/rowkeeper/probe/internal/client"
	"github.com/rowkeeper/rowkeeper/cmd/rowkeeper/probe/internal/oracle"
	"github.com/rowkeeper/rowkeeper/cmd/rowkeeper/probe/internal/plan"
)

// The rules about foreign objects have this in common: the victim owns the object, and
// the other principal tries to reach it.

// shared reports whether all principals may use what the operation is about.
func (r *run) shared(a *plan.Action) bool {
	return a.Mark == "public" || a.Mark == "shared" || r.doc.Security && !a.Secured ||
		slices.Contains(r.opts.Probe.Shared, a.Path)
}

// isOpen reports whether all principals may list or read the objects of a resource.
func (r *run) isOpen(res *plan.Resource) bool {
	return res != nil && (slices.ContainsFunc(res.Lists, r.shared) || slices.ContainsFunc(res.Reads, r.shared))
}

// looksShared lowers the confidence of findings about objects that all principals list
// and read, and nobody but the owner changes: that may be what is meant.
func (r *run) looksShared() {
	by := map[string]map[string]bool{} // resource to rules
	resource := func(f *finding.Finding) string {
		for _, a := range r.plan.Actions {
			if a.String() == f.Place.Object {
				return a.Resource.Name
			}
		}
		return ""
	}
	for i := range r.findings {
		name := resource(&r.findings[i])
		if by[name] == nil {
			by[name] = map[string]bool{}
		}
		by[name][r.findings[i].Rule] = true
	}
	for i := range r.findings {
		f := &r.findings[i]
		rules := by[resource(f)]
		if (f.Rule == bolaRead.ID || f.Rule == listLeak.ID) && rules[bolaRead.ID] && rules[listLeak.ID] && !rules[bolaWrite.ID] {
			f.Confidence = finding.Suspected
			f.Evidence = append(f.Evidence, finding.Evidence{Kind: finding.Note, Text: "All principals list and read these objects, and only the owner " +
				"changes them. If that is meant, add x-rowkeeper: shared to the operation, or its path to probe.shared."})
		}
	}
}

// owned returns the objects that are the victim's alone: what it made, or, in a run that
// only reads, what only it lists.
func (r *run) owned(res *plan.Resource, victim *principal) (list []*object) {
	if r.isOpen(res) {
		return nil
	}
	for _, o := range r.of(res, victim) {
		if o.made || r.opts.ReadOnly && o.view != nil && o.bind != nil && !r.lists(r.other(victim), o) {
			list = append(list, o)
		}
	}
	return list
}

func (r *run) lists(p *principal, o *object) bool {
	return slices.ContainsFunc(r.objects[o.resource], func(other *object) bool {
		return other.owner == p && other.key() == o.key()
	})
}

// shows says what of the victim's a response shows that its request did not contain, or
// returns "".
func (r *run) shows(d *draft, resp *client.Response, victim *principal) string {
	if !r.succeeded(d.action, resp) {
		return ""
	}
	req := d.request()
	sent := append([]byte(req.Target), req.Body...)
	if victim.mint.In(resp.Body) && !victim.mint.In(sent) {
		return "a text that only " + victim.name + " wrote"
	}
	for _, res := range r.plan.Resources {
		for _, o := range r.owned(res, victim) {
			named := slices.ContainsFunc(usedObjects(d), func(u *object) bool { return u == o })
			if o.long() && !named && canary.HasID(resp.JSON, o.key()) {
				return "the id of the " + res.Name + " of " + victim.name
			}
			if o.view != nil && canary.HasObject(resp.JSON, o.view) {
				return "the " + res.Name + " of " + victim.name
			}
		}
	}
	return ""
}

// foreign returns the requests of the other principal that name an object of the victim:
// once with everything of the victim's, and once with only the target.
func (r *run) foreign(a *plan.Action, victim *principal, o *object) (list []*draft) {
	attacker := r.other(victim)
	if b := r.base(a, victim); b != nil {
		list = append(list, r.again(b).filled(a.Target, o).by(attacker))
	}
	if b := r.base(a, attacker); b != nil {
		d := r.again(b)
		if len(list) == 0 || len(d.path) > 1 {
			own := d.with(a.Target.In, a.Target.Name, o.id)
			own.uses[a.Target] = o
			list = append(list, own)
		}
	}
	for _, d := range list {
		d.style = 0
	}
	return list
}

// sides collects in which directions something was tried and was found.
type sides struct {
	tried, hit [2]bool
}

// confidence is higher if both principals can do it to each other. If only one can, it
// may be an administrator.
func (s *sides) confidence() finding.Confidence {
	switch {
	case s.hit[0] && s.hit[1]:
		return finding.Proved
	case s.tried[0] && s.tried[1]:
		return finding.Suspected
	}
	return finding.Strong
}

// touched sends a request of somebody else and returns what it changed for the victim.
// It is not ok if the victim's state changes by itself.
func (r *run) touched(d *draft, victim *principal, o *object) (changes []oracle.Change, resp *client.Response, err error) {
	reads := r.watched(victim, o)
	if len(reads) == 0 {
		return nil, nil, nil
	}
	changes, ok, err := r.around(reads, func() (err error) {
		resp, err = r.send(d)
		return err
	})
	if err != nil || !ok || len(changes) == 0 {
		return nil, resp, err
	}
	own, ok, err := r.around(reads, func() error { return nil })
	if err != nil || !ok || len(own) > 0 {
		return nil, resp, err
	}
	return changes, resp, nil
}

// writes reports whether the action may be sent in this run.
func (r *run) writes(a *plan.Action) bool { return a.Mutates() && !r.opts.ReadOnly }

// victimObject returns an object of the victim for a request that may destroy it.
func (r *run) victimObject(a *plan.Action, victim *principal) (*object, error) {
	if a.Kind == plan.Delete {
		return r.make(a.Target.Resource, victim)
	}
	if list := r.owned(a.Target.Resource, victim); len(list) > 0 {
		return list[0], nil
	}
	return nil, nil
}
