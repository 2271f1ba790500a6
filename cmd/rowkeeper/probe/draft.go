package probe

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/rowkeeper/rowkeeper/cmd/rowkeeper/probe/internal/canary"
	"github.com/rowkeeper/rowkeeper/cmd/rowkeeper/probe/internal/client"
	"github.com/rowkeeper/rowkeeper/cmd/rowkeeper/probe/internal/gen"
	"github.com/rowkeeper/rowkeeper/cmd/rowkeeper/probe/internal/oas"
	"github.com/rowkeeper/rowkeeper/cmd/rowkeeper/probe/internal/plan"
)

// A draft is a request before it is encoded, so that one value of it can be replaced.
type draft struct {
	action *plan.Action
	as     *principal // or nil: nobody
	style  gen.Style
	path   map[string]any
	query  map[string]any
	header http.Header
	body   any                    // JSON or the members of a form; nil: none
	raw    string                 // instead of placeholder in the encoded body
	text   []byte                 // instead of the whole encoded body
	uses   map[*plan.Slot]*object // what fills the slots
}

// placeholder stands in a body for raw bytes.
const placeholder = "@@raw@@"

func (d *draft) clone() *draft {
	c := *d
	c.path, c.query, c.header = maps.Clone(d.path), maps.Clone(d.query), d.header.Clone()
	c.uses, c.body = maps.Clone(d.uses), deepCopy(d.body)
	return &c
}

func deepCopy(v any) any {
	switch v := v.(type) {
	case map[string]any:
		c := make(map[string]any, len(v))
		for name, member := range v {
			c[name] = deepCopy(member)
		}
		return c
	case []any:
		c := make([]any, len(v))
		for i, item := range v {
			c[i] = deepCopy(item)
		}
		return c
	}
	return v
}

// with returns a copy with another value at a place: "path", "query" or "header" and a
// name, or "body" and a JSON Pointer.
func (d *draft) with(in, name string, v any) *draft {
	c := d.clone()
	switch in {
	case "path":
		c.path[name] = v
	case "query":
		c.query[name] = v
	case "header":
		c.header.Set(name, text(v))
	case "body":
		c.body = replace(c.body, oas.Tokens(name), v, false)
	}
	return c
}

// without returns a copy that lacks a value.
func (d *draft) without(in, name string) *draft {
	c := d.clone()
	switch in {
	case "query":
		delete(c.query, name)
	case "header":
		c.header.Del(name)
	case "body":
		c.body = replace(c.body, oas.Tokens(name), nil, true)
	}
	return c
}

func (d *draft) mutated(in, name string, m gen.Mutation) *draft {
	switch {
	case m.Drop:
		return d.without(in, name)
	case m.Raw != "":
		c := d.with(in, name, placeholder)
		c.raw = m.Raw
		return c
	}
	return d.with(in, name, m.Value)
}

// filled returns a copy whose slot names another object.
func (d *draft) filled(s *plan.Slot, o *object) *draft {
	c := d.with(s.In, s.Name, o.id)
	c.uses[s] = o
	if s == d.action.Target {
		for name, v := range o.bind {
			if _, ok := c.path[name]; ok && name != s.Name {
				c.path[name] = v
			}
		}
	}
	return c
}

func (d *draft) by(p *principal) *draft {
	c := d.clone()
	c.as = p
	return c
}

// value returns what is at a place, or nil.
func (d *draft) value(in, name string) any {
	switch in {
	case "path":
		return d.path[name]
	case "query":
		return d.query[name]
	case "body":
		return at(d.body, name)
	}
	return nil
}

func replace(v any, tokens []string, with any, drop bool) any {
	if len(tokens) == 0 {
		return with
	}
	switch parent := v.(type) {
	case map[string]any:
		if drop && len(tokens) == 1 {
			delete(parent, tokens[0])
		} else if child, ok := parent[tokens[0]]; ok || len(tokens) == 1 {
			parent[tokens[0]] = replace(child, tokens[1:], with, drop)
		}
		return parent
	case []any:
		for i := range parent {
			parent[i] = replace(parent[i], tokens[1:], with, drop)
		}
		return parent
	}
	return v
}

// request encodes the draft, with the credential of its principal.
func (d *draft) request() client.Request {
	r := client.Request{Who: "nobody", Method: d.action.Method, Header: http.Header{}}
	for name, values := range d.header {
		r.Header[name] = values
	}
	if d.as != nil {
		r.Who = d.as.name
		maps.Copy(r.Header, d.as.header)
	}
	r.Target = d.target()
	r.Header.Set("Accept", "application/json, */*;q=0.5")
	switch {
	case d.text != nil:
		r.Body = d.text
	case d.body == nil:
		return r
	case d.action.Body.Form():
		form := url.Values{}
		members, _ := d.body.(map[string]any)
		for name, v := range members {
			form.Set(name, text(v))
		}
		r.Body = []byte(form.Encode())
	default:
		r.Body = encode(d.body)
		if d.raw != "" {
			r.Body = bytes.Replace(r.Body, []byte(`"`+placeholder+`"`), []byte(d.raw), 1)
		}
	}
	r.Header.Set("Content-Type", d.action.Body.Media)
	return r
}

func encode(v any) []byte {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if e.Encode(v) != nil {
		return nil
	}
	return bytes.TrimSpace(b.Bytes())
}

func (d *draft) target() string {
	parts := strings.Split(d.action.Path, "/")
	for i, part := range parts {
		if strings.HasPrefix(part, "{") {
			parts[i] = url.PathEscape(text(d.path[strings.Trim(part, "{}")]))
		}
	}
	target := strings.Join(parts, "/")
	query := url.Values{}
	for name, v := range d.query {
		if list, ok := v.([]any); ok {
			for _, item := range list {
				query.Add(name, text(item))
			}
			continue
		}
		query.Set(name, text(v))
	}
	if len(query) > 0 {
		target += "?" + query.Encode()
	}
	return target
}

// text is how a value is written in a path, a query or a header.
func text(v any) string {
	switch v := v.(type) {
	case string:
		return v
	case json.Number:
		return v.String()
	case nil:
		return ""
	case bool:
		return strconv.FormatBool(v)
	}
	return fmt.Sprint(v)
}

// An object is a thing of the service that a principal owns.
type object struct {
	resource *plan.Resource
	owner    *principal
	id       any            // a string or a json.Number
	bind     map[string]any // the parameters of its path, by name
	view     map[string]any // as last seen, or nil
	made     bool           // in this run
	gone     bool
}

func (o *object) key() string { return text(o.id) }

// long reports whether nobody meets the id by chance.
func (o *object) long() bool { return canary.Long(o.key()) }

// of returns the living objects of a resource that a principal owns, made ones first.
func (r *run) of(res *plan.Resource, p *principal) (list []*object) {
	if res == nil {
		return nil
	}
	for _, made := range []bool{true, false} {
		for _, o := range r.objects[res] {
			if o.owner == p && o.made == made && !o.gone {
				list = append(list, o)
			}
		}
	}
	if len(list) == 0 && p.self != "" && slices.Contains(personal, res.Name) {
		list = append(list, r.person(res, p))
	}
	return list
}

// personal are resources that a principal itself is one of.
var personal = []string{"user", "owner", "customer", "member", "person", "profile", "client"}

func (r *run) person(res *plan.Resource, p *principal) *object {
	o := &object{resource: res, owner: p, id: p.self}
	if _, err := strconv.ParseInt(p.self, 10, 64); err == nil {
		o.id = json.Number(p.self)
	}
	r.objects[res] = append(r.objects[res], o)
	return o
}
