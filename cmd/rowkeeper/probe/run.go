package probe

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/rowkeeper/rowkeeper/cmd/rowkeeper/finding"
	"github.com/rowkeeper/rowkeeper/cmd/rowkeeper/probe/internal/canary"
	"github.com/rowkeeper/rowkeeper/cmd/rowkeeper/probe/internal/client"
	"github.com/rowkeeper/rowkeeper/cmd/rowkeeper/probe/internal/oas"
	"github.com/rowkeeper/rowkeeper/cmd/rowkeeper/probe/internal/plan"
)

// A run is what is known during one run.
type run struct {
	ctx  context.Context
	opts Options
	doc  *oas.Document
	plan *plan.Plan
	c    *client.Client
	who  [2]*principal

	logins   map[string]bool // operations that get a credential
	objects  map[*plan.Resource][]*object
	bases    map[*plan.Action]*[2]*base
	effects  map[*plan.Action]*effect
	filled   map[*base]bool // it added what it can
	skipped  map[*plan.Action]string
	volatile map[string]bool // names of members that change by themselves
	unjudged map[string]string
	overload bool // parallel reads alone make it fail

	findings []finding.Finding
	seen     map[string]bool
	leaks    []leak // what the passive rules saw
	passive  map[string]bool

	open      *canary.Mint // of what everybody may see
	tallies   map[*plan.Action]*tally
	lastCrash []finding.Evidence
}

// A base is a request of a principal that succeeded.
type base struct {
	draft *draft
	resp  *client.Response
}

// Run probes a service. The error tells what is wrong with the options, the document or
// the credentials; then the coverage says so too.
func Run(ctx context.Context, opts Options) ([]finding.Finding, *finding.Coverage, error) {
	coverage := &finding.Coverage{Engine: "probe", Rules: map[string]string{}}
	fail := func(err error) ([]finding.Finding, *finding.Coverage, error) {
		coverage.Failure = err.Error()
		return nil, coverage, err
	}
	if err := opts.check(); err != nil {
		return fail(err)
	}
	ctx, cancel := context.WithTimeout(ctx, opts.Probe.Limits.Time)
	defer cancel()
	r := newRun(ctx, opts)
	c, err := client.New(opts.Probe.URL, opts.AllowHost, opts.Probe.Limits.Requests)
	if err != nil {
		return fail(err)
	}
	defer c.Close()
	r.c, c.Observe, c.Pause = c, r.observe, r.pause
	opts.Progress("load")
	if r.doc, err = oas.Load(ctx, r.opts.Probe.Spec, c); err != nil {
		return fail(err)
	}
	r.plan = plan.New(r.doc)
	opts.Progress("log in")
	if err := r.begin(); err != nil {
		return fail(errors.New(c.Clean(err.Error())))
	}
	err = r.judge()
	r.cleanUp()
	r.reportLeaks()
	r.looksShared()
	r.ledger(coverage)
	finding.Sort(r.findings)
	if err != nil {
		return r.findings, coverage, errors.New(c.Clean(err.Error()))
	}
	return r.findings, coverage, nil
}

func newRun(ctx context.Context, opts Options) *run {
	r := &run{
		ctx: ctx, opts: opts,
		logins: map[string]bool{}, objects: map[*plan.Resource][]*object{}, bases: map[*plan.Action]*[2]*base{},
		effects: map[*plan.Action]*effect{}, filled: map[*base]bool{}, skipped: map[*plan.Action]string{}, volatile: map[string]bool{},
		unjudged: map[string]string{}, seen: map[string]bool{}, passive: map[string]bool{}, tallies: map[*plan.Action]*tally{}, open: canary.NewMint(),
	}
	for i, name := range opts.names() {
		r.who[i] = &principal{name: name, how: opts.Probe.Principals[name], mint: canary.NewMint(), number: i}
	}
	return r
}

// begin logs both principals in. The second registers first, so that ids that count up
// are not in the order of the names.
func (r *run) begin() error {
	for _, i := range []int{1, 0} {
		if err := r.register(r.who[i]); err != nil {
			return err
		}
	}
	for _, p := range r.who {
		if err := r.login(p); err != nil {
			return err
		}
	}
	return nil
}

// pause waits, but not beyond the end of the run.
func (r *run) pause(d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-r.ctx.Done():
		return r.ctx.Err()
	}
}

// judge calibrates and applies each rule. Reaching a limit is not an error: the rules
// that remain are not judged.
func (r *run) judge() error {
	r.opts.Progress("calibrate")
	r.c.Keep = r.c.Left / 2
	err := r.calibrate()
	if errors.Is(err, client.ErrBudget) {
		err = nil // what was reached is judged
	}
	if err == nil && r.reached() == 0 {
		return fmt.Errorf("no operation succeeded for either principal: %w", errRefused)
	}
	for i, c := range checks {
		// Later checks get a share of the requests, however many this one needs.
		r.c.Keep = 0
		if i < len(checks)-1 {
			r.c.Keep = max(0, r.c.Left-r.c.Reserve) / 2
		}
		switch {
		case err != nil:
		case c.rule == nil:
			if err = c.check(r); errors.Is(err, client.ErrBudget) {
				err = nil
			}
			continue
		case r.opts.ReadOnly && c.writes:
			r.unjudged[c.rule.ID] = "it needs writes"
			continue
		default:
			r.opts.Progress(c.rule.ID)
			err = c.check(r)
		}
		if err != nil && c.rule != nil {
			r.unjudged[c.rule.ID] = r.why(err)
		}
		if errors.Is(err, client.ErrBudget) {
			err = nil
		}
	}
	if err != nil && r.ctx.Err() == nil {
		return err
	}
	return nil
}

// why says in a few words what ended the run.
func (r *run) why(err error) string {
	switch {
	case errors.Is(err, client.ErrBudget):
		return client.ErrBudget.Error()
	case errors.Is(err, context.DeadlineExceeded):
		return "the time of the run was over"
	}
	return r.c.Clean(err.Error())
}

// reached counts the operations that succeeded for somebody.
func (r *run) reached() (n int) {
	for _, b := range r.bases {
		if b[0] != nil || b[1] != nil {
			n++
		}
	}
	return n
}

// other returns the other principal.
func (r *run) other(p *principal) *principal { return r.who[1-p.number] }

// base returns the request of a principal that succeeded, or nil.
func (r *run) base(a *plan.Action, p *principal) *base {
	if b := r.bases[a]; b != nil {
		return b[p.number]
	}
	return nil
}

func (r *run) setBase(a *plan.Action, p *principal, b *base) {
	if r.bases[a] == nil {
		r.bases[a] = new([2]*base)
	}
	r.bases[a][p.number] = b
}

// report records a finding, once for each rule, operation and property.
func (r *run) report(rule *finding.Rule, confidence finding.Confidence, a *plan.Action, property, message string, evidence ...finding.Evidence) *finding.Finding {
	identity := []string{a.Method, a.Path, property}
	key := fmt.Sprint(rule.ID, identity)
	if r.seen[key] {
		return &finding.Finding{}
	}
	r.seen[key] = true
	place := finding.Place{File: a.File, Line: a.Line, Column: a.Col, Object: a.String()}
	f := rule.New(confidence, place, r.c.Clean(message), identity...)
	f.Evidence = evidence
	r.findings = append(r.findings, f)
	return &r.findings[len(r.findings)-1]
}

// found reports whether a rule found something at an operation.
func (r *run) found(rule *finding.Rule, a *plan.Action) bool {
	for i := range r.findings {
		if r.findings[i].Rule == rule.ID && r.findings[i].Place.Object == a.String() {
			return true
		}
	}
	return false
}
