package probe

import (
	"context"
	"time"

	"github.com/rowkeeper/rowkeeper/cmd/rowkeeper/finding"
)

// ledger tells what was reached and judged.
func (r *run) ledger(c *finding.Coverage) {
	for _, a := range r.plan.Actions {
		switch {
		case r.bases[a] != nil || r.logins[a.Method+" "+a.Path]:
			c.Reach(a.String())
		case r.skipped[a] != "":
			c.Skip(a.String(), r.c.Clean(r.skipped[a]))
		default:
			c.Skip(a.String(), "the run ended before it")
		}
		if a.Mark == "ignore" || a.Mark == "admin" || r.opts.ReadOnly && a.Mutates() {
			c.Subjects[len(c.Subjects)-1].Ignored = true
		}
	}
	for _, rule := range Rules() {
		c.Rules[rule.ID] = r.unjudged[rule.ID]
	}
}

// cleanUp deletes what the run made, the newest first, because what is newer may refer to
// what is older. It has requests of its own and a little time beyond the run's.
func (r *run) cleanUp() {
	if r.opts.ReadOnly {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(r.ctx), 10*time.Second)
	defer cancel()
	r.ctx = ctx
	r.opts.Progress("clean up")
	r.c.Reserve, r.c.Keep = 0, 0
	for i := len(r.plan.Resources) - 1; i >= 0; i-- {
		objects := r.objects[r.plan.Resources[i]]
		for j := len(objects) - 1; j >= 0; j-- {
			if o := objects[j]; o.made && !o.gone && r.remove(o) != nil {
				return
			}
		}
	}
}

// remove deletes an object, if the service can.
func (r *run) remove(o *object) error {
	for _, a := range o.resource.Deletes {
		b := r.base(a, o.owner)
		if b == nil {
			continue
		}
		resp, err := r.send(r.again(b).filled(a.Target, o))
		if err != nil {
			return err
		}
		o.gone = r.succeeded(a, resp) || resp.Status == 404
	}
	return nil
}
