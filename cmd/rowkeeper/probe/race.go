package probe

import (
	"time"

	"github.com/rowkeeper/rowkeeper/cmd/rowkeeper/probe/internal/client"
	"github.com/rowkeeper/rowkeeper/cmd/rowkeeper/probe/internal/oracle"
	"github.com/rowkeeper/rowkeeper/cmd/rowkeeper/probe/internal/plan"
)

// A handler that reads and then writes shows itself in nearly every round of this size.
const (
	racers = 20
	rounds = 3
)

// race sends requests at once.
func (r *run) race(drafts []*draft) ([]*client.Response, error) {
	requests := make([]client.Request, len(drafts))
	for i, d := range drafts {
		requests[i] = d.request()
	}
	return r.c.Race(r.ctx, requests)
}

// times makes requests anew that differ only in their marks and keys.
func (r *run) times(n int, b *base, edit func(*draft) *draft) []*draft {
	drafts := make([]*draft, n)
	for i := range drafts {
		drafts[i] = edit(r.again(b))
	}
	return drafts
}

func same(d *draft) *draft { return d }

// count returns how many succeeded, and how many failed with a 5xx that is not honest.
// It is not complete if an answer is missing.
func (r *run) count(a *plan.Action, answers []*client.Response) (succeeded, crashed int, complete bool) {
	complete = true
	for _, resp := range answers {
		switch {
		case resp == nil:
			complete = false
		case r.succeeded(a, resp):
			succeeded++
		case crash(resp):
			crashed++
		}
	}
	return succeeded, crashed, complete
}

// settled reads the state, and again a little later while it is not as expected,
// because effects may follow the answer.
func (r *run) settled(reads []*draft, fine func(oracle.State) bool) (s oracle.State, ok bool, err error) {
	for wait := 10 * time.Millisecond; ; wait *= 4 {
		if s, ok, err = r.state(reads); err != nil || !ok || fine(s) || wait > time.Second {
			return s, ok, err
		}
		if err := r.pause(wait); err != nil {
			return nil, false, err
		}
	}
}

// tally counts the rounds of a race that had crashes.
type tally struct {
	rounds, bad int
	answer      *client.Response
	draft       *draft
}

func (r *run) note(a *plan.Action, drafts []*draft, answers []*client.Response) {
	t := r.tallies[a]
	if t == nil {
		t = &tally{}
		r.tallies[a] = t
	}
	t.rounds++
	for i, resp := range answers {
		if resp != nil && crash(resp) {
			t.bad++
			t.answer, t.draft = resp, drafts[i]
			return
		}
	}
}

// checkOverload finds out whether requests at once fail although they conflict in
// nothing.
func (r *run) checkOverload() error {
	for _, a := range r.plan.Actions {
		b := r.base(a, r.who[0])
		if a.Mutates() || b == nil {
			continue
		}
		drafts := r.times(racers, b, same)
		answers, err := r.race(drafts)
		if err != nil {
			return err
		}
		_, crashed, _ := r.count(a, answers)
		r.overload = crashed > 0
		return nil
	}
	return nil
}
