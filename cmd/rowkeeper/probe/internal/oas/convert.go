package oas

import (
	"cmp"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"
)

// converter makes our model of the library's, each schema once.
type converter struct {
	doc     *openapi3.T
	schemas map[*openapi3.Schema]*Schema
	folder  string // the working directory
}

func convert(t *openapi3.T) (*Document, error) {
	folder, err := os.Getwd()
	if err != nil {
		folder = ""
	}
	c := &converter{doc: t, schemas: map[*openapi3.Schema]*Schema{}, folder: folder}
	d := &Document{}
	if t.Components != nil {
		for _, ref := range t.Components.SecuritySchemes {
			d.Security = true
			if ref.Value != nil && ref.Value.Flows != nil && ref.Value.Flows.Password != nil {
				d.TokenURL = ref.Value.Flows.Password.TokenURL
			}
		}
	}
	for path, item := range t.Paths.Map() {
		if item == nil {
			continue
		}
		for method, op := range item.Operations() {
			d.Operations = append(d.Operations, c.operation(method, path, item, op))
		}
		if len(d.Operations) > MaxOperations {
			return nil, fmt.Errorf("the document has more than %d operations", MaxOperations)
		}
	}
	slices.SortFunc(d.Operations, func(a, b *Operation) int {
		return cmp.Or(strings.Compare(a.Path, b.Path), strings.Compare(a.Method, b.Method))
	})
	return d, nil
}

func (c *converter) operation(method, path string, item *openapi3.PathItem, op *openapi3.Operation) *Operation {
	o := &Operation{
		Method: method, Path: path, Secured: c.secured(op),
		Mark:      cmp.Or(mark(op.Extensions), mark(item.Extensions)),
		Responses: map[string]*Response{},
	}
	c.place(o, op.Origin)
	for _, ref := range slices.Concat(op.Parameters, item.Parameters) {
		if p := c.param(ref); p != nil && o.Param(p.In, p.Name) == nil {
			o.Params = append(o.Params, p)
		}
	}
	o.declarePath()
	if op.RequestBody != nil && op.RequestBody.Value != nil {
		o.Body = c.body(op.RequestBody.Value)
	}
	if op.Responses != nil {
		for status, ref := range op.Responses.Map() {
			if ref != nil && ref.Value != nil {
				o.Responses[status] = c.response(ref.Value)
			}
		}
	}
	return o
}

// declarePath adds parameters that the path has and the document forgot.
func (o *Operation) declarePath() {
	for _, part := range strings.Split(o.Path, "/") {
		if name, ok := strings.CutPrefix(part, "{"); ok {
			name = strings.TrimSuffix(name, "}")
			if o.Param("path", name) == nil {
				o.Params = append(o.Params, &Param{Name: name, In: "path", Required: true, Schema: &Schema{Types: []string{"string"}}})
			}
		}
	}
}

func (c *converter) place(o *Operation, origin *openapi3.Origin) {
	if origin == nil || origin.Key == nil {
		return
	}
	o.File, o.Line, o.Col = origin.Key.File, origin.Key.Line, origin.Key.Column
	if below, err := filepath.Rel(c.folder, filepath.FromSlash(o.File)); err == nil && filepath.IsLocal(below) {
		o.File = filepath.ToSlash(below)
	}
}

// secured reports whether none of the ways to call the operation is anonymous.
func (c *converter) secured(op *openapi3.Operation) bool {
	needs := c.doc.Security
	if op.Security != nil {
		needs = *op.Security
	}
	return len(needs) > 0 && !slices.ContainsFunc(needs, func(r openapi3.SecurityRequirement) bool { return len(r) == 0 })
}

func mark(extensions map[string]any) string {
	s, _ := extensions["x-rowkeeper"].(string)
	return s
}

func (c *converter) param(ref *openapi3.ParameterRef) *Param {
	if ref == nil || ref.Value == nil {
		return nil
	}
	v := ref.Value
	p := &Param{Name: v.Name, In: v.In, Required: v.Required || v.In == "path", Example: cmp.Or(v.Example, firstExample(v.Examples))}
	schema := v.Schema
	if schema == nil {
		for _, m := range v.Content {
			schema = m.Schema
		}
	}
	p.Schema = c.schema(schema)
	return p
}

func (c *converter) body(v *openapi3.RequestBody) *Body {
	media := ""
	for name := range v.Content {
		rank := func(m string) int {
			switch {
			case isJSON(m):
				return 3
			case strings.HasPrefix(m, "application/x-www-form-urlencoded"):
				return 2
			case m != "":
				return 1
			}
			return 0
		}
		if d := rank(name) - rank(media); d > 0 || d == 0 && name < media {
			media = name
		}
	}
	b := &Body{Required: v.Required, Media: media, Schema: c.schema(nil)}
	if media == "*/*" {
		b.Media = "application/json"
	}
	if m := v.Content[media]; m != nil {
		b.Schema, b.Example = c.schema(m.Schema), cmp.Or(m.Example, firstExample(m.Examples))
	}
	return b
}

func (c *converter) response(v *openapi3.Response) *Response {
	r := &Response{}
	for name := range v.Headers {
		r.Headers = append(r.Headers, name)
	}
	for media, m := range v.Content {
		if m != nil && isJSON(media) && m.Schema != nil {
			r.Schema = c.schema(m.Schema)
		}
	}
	return r
}

func firstExample(all openapi3.Examples) any {
	names := make([]string, 0, len(all))
	for name := range all {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		if e := all[name]; e != nil && e.Value != nil && e.Value.Value != nil {
			return e.Value.Value
		}
	}
	return nil
}
