package probe

import (
	"errors"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/rowkeeper/rowkeeper/cmd/rowkeeper/probe/internal/client"
	"github.com/rowkeeper/rowkeeper/cmd/rowkeeper/probe/internal/gen"
	"github.com/rowkeeper/rowkeeper/cmd/rowkeeper/probe/internal/oas"
	"github.com/rowkeeper/rowkeeper/cmd/rowkeeper/probe/internal/plan"
)

const (
	idempotencyKey = "Idempotency-Key"
	ifMatch        = "If-Match"
)

// generator makes values with marks of p.
func (r *run) generator(p *principal, style gen.Style) *gen.Generator {
	return &gen.Generator{
		Style: style, Now: time.Now(), Mark: p.mint.New,
		Skip: func(name string, s *oas.Schema) bool {
			return plan.TakesID(name, s) || secretName(name)
		},
	}
}

// build makes a request of a principal with objects of its own. The reason says what is
// missing if it cannot.
func (r *run) build(a *plan.Action, p *principal, style gen.Style, chosen map[*plan.Slot]*object) (d *draft, reason string) {
	g := r.generator(p, style)
	if r.isOpen(a.Resource) {
		g.Mark = r.open.New // everybody may see it
	}
	d = &draft{action: a, as: p, style: style, path: map[string]any{}, query: map[string]any{}, header: http.Header{}, uses: map[*plan.Slot]*object{}}
	for _, param := range a.Params {
		r.fillParam(d, g, param)
	}
	if a.Body != nil {
		if !a.Body.JSON() && !a.Body.Form() {
			return nil, "its body is " + a.Body.Media + ", which is not sent"
		}
		d.body = g.Value("", a.Body.Schema)
	}
	used := map[*object]bool{}
	for _, s := range ordered(a) {
		o := chosen[s]
		if o == nil && !s.Required {
			continue
		}
		if o == nil && d.path[s.Name] != nil && s.In == "path" && d.uses[a.Target] != nil && d.uses[a.Target].bind[s.Name] != nil {
			continue // the target's path says it
		}
		if o == nil {
			o = r.unused(s.Resource, p, used)
		}
		if o == nil {
			name := s.Name
			if s.Resource != nil {
				name = s.Resource.Name
			}
			return nil, "no " + name + " of " + p.name + " is known"
		}
		used[o] = true
		d = d.filled(s, o)
	}
	return d, ""
}

// ordered returns the slots with the target first, because its path binds others.
func ordered(a *plan.Action) []*plan.Slot {
	if a.Target == nil {
		return a.Slots
	}
	rest := slices.DeleteFunc(slices.Clone(a.Slots), func(s *plan.Slot) bool { return s == a.Target })
	return append([]*plan.Slot{a.Target}, rest...)
}

// unused returns an object that fills no other slot yet, or else one that does.
func (r *run) unused(res *plan.Resource, p *principal, used map[*object]bool) *object {
	list := r.of(res, p)
	for _, o := range list {
		if !used[o] {
			return o
		}
	}
	if len(list) > 0 {
		return list[0]
	}
	return nil
}

func (r *run) fillParam(d *draft, g *gen.Generator, param *oas.Param) {
	v := func() any {
		if param.Example != nil && g.Style != gen.Marked {
			return param.Example
		}
		return g.Value(param.Name, param.Schema)
	}
	switch param.In {
	case "path":
		d.path[param.Name] = v()
	case "query":
		// Filters and page sizes are left to their defaults.
		if param.Required || d.action.Mutates() && !plan.TakesID(param.Name, param.Schema) && g.Style != gen.Least {
			d.query[param.Name] = v()
		}
	case "header":
		switch {
		case strings.EqualFold(param.Name, idempotencyKey):
			d.header.Set(idempotencyKey, gen.UUID())
		case strings.EqualFold(param.Name, ifMatch), strings.EqualFold(param.Name, "Authorization"):
		case param.Required:
			d.header.Set(param.Name, text(v()))
		}
	}
}

// again makes the request of a base anew: other marks, another idempotency key, the
// same objects.
func (r *run) again(b *base) *draft {
	d, reason := r.build(b.draft.action, b.draft.as, b.draft.style, b.draft.uses)
	if reason != "" {
		return b.draft.clone()
	}
	if n := amountOf(b.draft.action); n != nil {
		d = d.with(n.in, n.name, b.draft.value(n.in, n.name))
	}
	return d
}

var errWrite = errors.New("a write in a run that only reads was not sent")

// send sends a draft. A credential that ran out is got again, once.
func (r *run) send(d *draft) (*client.Response, error) {
	if r.opts.ReadOnly && d.action.Mutates() {
		return nil, errWrite // each caller asks first
	}
	if err := r.match(d); err != nil {
		return nil, err
	}
	resp, err := r.c.Do(r.ctx, d.request())
	if err == nil && resp.Status == http.StatusUnauthorized && d.as != nil && d.as.refreshable() && r.base(d.action, d.as) != nil {
		if err := r.login(d.as); err != nil {
			return nil, err
		}
		resp, err = r.c.Do(r.ctx, d.request())
	}
	return resp, err
}

// match fills a required If-Match with the current ETag of the target.
func (r *run) match(d *draft) error {
	param := d.action.Param("header", ifMatch)
	if param == nil || !param.Required || d.header.Get(ifMatch) != "" || d.as == nil {
		return nil
	}
	tag, err := r.etag(d)
	if err == nil && tag != "" {
		d.header.Set(ifMatch, tag)
	}
	return err
}

// etag returns the ETag that the reader of the draft's target gets, or "".
func (r *run) etag(d *draft) (string, error) {
	o := d.uses[d.action.Target]
	if o == nil {
		return "", nil
	}
	read := r.reader(o)
	if read == nil {
		return "", nil
	}
	resp, err := r.c.Do(r.ctx, read.request())
	if err != nil || !resp.OK() {
		return "", err
	}
	return resp.Header.Get("ETag"), nil
}

// succeeded reports whether a response means that what was asked for was done. Some
// services answer with 200 and say in the body that it was not.
func (r *run) succeeded(a *plan.Action, resp *client.Response) bool {
	if resp == nil || !resp.OK() {
		return false
	}
	o, _ := resp.JSON.(map[string]any)
	if o == nil {
		return true
	}
	var declared *oas.Schema
	if s := a.Success(); s != nil {
		declared = s.Schema
	}
	for _, name := range []string{"error", "errors", "fault", "exception"} {
		if v := o[name]; v != nil && v != false && text(v) != "" && text(v) != "[]" && declared.Property(name) == nil {
			return false
		}
	}
	if o["success"] == false || o["ok"] == false {
		return false
	}
	if s := declared.Object(); s != nil && len(s.Required) > 0 {
		_, keyword := declared.Violates(resp.JSON)
		return keyword != "required"
	}
	return true
}
