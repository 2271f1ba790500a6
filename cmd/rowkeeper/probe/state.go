package probe

import (
	"github.com/rowkeeper/rowkeeper/cmd/rowkeeper/finding"
	"github.com/rowkeeper/rowkeeper/cmd/rowkeeper/probe/internal/oracle"
	"github.com/rowkeeper/rowkeeper/cmd/rowkeeper/probe/internal/plan"
)

// reader returns the request with which the owner reads an object, or nil.
func (r *run) reader(o *object) *draft {
	for _, a := range o.resource.Reads {
		b := r.base(a, o.owner)
		if b != nil && a.Target != nil && a.Target.Resource == o.resource && len(a.Slots) <= 1+len(o.bind) {
			return b.draft.filled(a.Target, o)
		}
	}
	return nil
}

const maxLists = 4 // that are read for one state

// watched returns what an owner reads to see the objects and what belongs to them.
func (r *run) watched(p *principal, objects ...*object) []*draft {
	var reads []*draft
	direct := map[*plan.Resource]bool{}
	for _, o := range objects {
		if d := r.reader(o); d != nil && o.owner == p {
			reads = append(reads, d)
			direct[o.resource] = true
		}
	}
	lists := 0
	for _, a := range r.plan.Actions {
		if a.Kind != plan.List && a.Kind != plan.Read || lists == maxLists || a.Target != nil && a.Kind == plan.Read {
			continue
		}
		b := r.base(a, p)
		if b == nil || r.shared(a) || a.Target == nil && direct[a.Resource] {
			continue
		}
		d := b.draft
		if a.Target != nil {
			// A list below an object is read below the objects that are watched.
			d = nil
			for _, o := range objects {
				if o.resource == a.Target.Resource && o.owner == p {
					d = b.draft.filled(a.Target, o)
				}
			}
			if d == nil {
				continue
			}
		}
		reads = append(reads, d)
		lists++
	}
	return reads
}

// state reads everything. It is not ok if the service could not answer, so that nothing
// can be concluded.
func (r *run) state(reads []*draft) (s oracle.State, ok bool, err error) {
	s = oracle.State{}
	for _, d := range reads {
		resp, err := r.send(d)
		if err != nil {
			return nil, false, err
		}
		if resp.Status >= 500 || resp.Status == 429 || resp.Status == 401 {
			return nil, false, nil
		}
		s.Add(d.action.Method+" "+d.target(), resp.Status, resp.JSON)
	}
	return s, len(reads) > 0, nil
}

// around returns what changed for p while f ran, and whether that can be told.
func (r *run) around(reads []*draft, f func() error) (changes []oracle.Change, ok bool, err error) {
	before, ok1, err := r.state(reads)
	if err != nil {
		return nil, false, err
	}
	if err := f(); err != nil {
		return nil, false, err
	}
	after, ok2, err := r.state(reads)
	if err != nil || !ok1 || !ok2 {
		return nil, false, err
	}
	return oracle.Diff(before, after, r.volatile), true, nil
}

// quiet reads everything twice without doing anything, and remembers what changes by
// itself.
func (r *run) quiet() error {
	for _, p := range r.who {
		var objects []*object
		for _, res := range r.plan.Resources {
			if list := r.of(res, p); len(list) > 0 && len(objects) < 4 {
				objects = append(objects, list[0])
			}
		}
		reads := r.watched(p, objects...)
		changes, _, err := r.around(reads, func() error { return nil })
		if err != nil {
			return err
		}
		for _, c := range changes {
			r.volatile[oracle.Leaf(c.Place)] = true
		}
	}
	return nil
}

// notes describes changes.
func (r *run) notes(p *principal, changes []oracle.Change) (list []finding.Evidence) {
	for i, c := range changes {
		if i == 3 {
			break
		}
		list = append(list, finding.Evidence{Kind: finding.Note, Text: r.c.Clean(p.name + " reads " + c.String())})
	}
	return list
}
