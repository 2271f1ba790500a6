// Package plan finds out from a document which operations make objects, which read them,
// and where an operation takes the id of one.
//
// It goes by paths, names and formats, so it can be wrong; what it says is tried before
// anything is concluded from it.
package plan

import (
	"slices"
	"strings"

	"github.com/rowkeeper/rowkeeper/cmd/rowkeeper/probe/internal/oas"
)

// A Kind is what an operation seems to do.
type Kind string

// The kinds.
const (
	List   Kind = "list"   // reads several objects
	Read   Kind = "read"   // reads one object, or the principal itself
	Create Kind = "create" // may make an object
	Update Kind = "update" // changes the object that it names
	Delete Kind = "delete"
	Act    Kind = "act" // does something to the object that it names
)

// An Action is an operation with its slots.
type Action struct {
	*oas.Operation
	Kind     Kind
	Resource *Resource // what it lists, reads, makes, changes
	Target   *Slot     // the object that it reads, changes or acts on, or nil
	Slots    []*Slot   // Target and all others
}

// A Slot is a place of a request that takes the id of an object.
type Slot struct {
	In       string // "path", "query" or "body"
	Name     string // of the parameter, or a JSON Pointer
	Resource *Resource
	Required bool
	Schema   *oas.Schema
}

// A Resource is a kind of objects.
type Resource struct {
	Name    string
	Creates []*Action
	Lists   []*Action
	Reads   []*Action
	Updates []*Action
	Deletes []*Action
	Acts    []*Action
}

// A Plan is what was found in a document.
type Plan struct {
	Actions   []*Action // in the order in which they can be tried: makers first
	Resources []*Resource

	byName map[string]*Resource
	paths  map[string]bool
	listed map[string]bool // paths whose GET returns a list
}

// New makes the plan of a document.
func New(d *oas.Document) *Plan {
	p := &Plan{byName: map[string]*Resource{}, paths: map[string]bool{}, listed: map[string]bool{}}
	for _, op := range d.Operations {
		p.paths[op.Path] = true
		if r := op.Success(); op.Method == "GET" && r != nil && HoldsList(r.Schema) {
			p.listed[op.Path] = true
		}
		for i, part := range segments(op.Path) {
			if isParam(part) {
				p.resource(pathResource(segments(op.Path), i))
			}
		}
	}
	for _, op := range d.Operations {
		if op.Method == "POST" && !strings.HasSuffix(op.Path, "}") && len(pathParams(op.Path)) == 0 {
			p.resource(singular(lastStatic(op.Path)))
		}
	}
	for _, op := range d.Operations {
		a := p.action(op)
		p.Actions = append(p.Actions, a)
		a.register()
	}
	order := map[Kind]int{List: 1, Create: 0, Act: 2, Read: 3, Update: 4, Delete: 5}
	slices.SortStableFunc(p.Actions, func(a, b *Action) int {
		if d := order[a.Kind] - order[b.Kind]; d != 0 {
			return d
		}
		return len(a.Slots) - len(b.Slots)
	})
	return p
}

func (p *Plan) resource(name string) *Resource {
	r := p.byName[name]
	if r == nil {
		r = &Resource{Name: name}
		p.byName[name] = r
		p.Resources = append(p.Resources, r)
	}
	return r
}

func (a *Action) register() {
	r := a.Resource
	switch a.Kind {
	case List:
		r.Lists = append(r.Lists, a)
	case Read:
		r.Reads = append(r.Reads, a)
	case Create:
		r.Creates = append(r.Creates, a)
	case Update:
		r.Updates = append(r.Updates, a)
	case Delete:
		r.Deletes = append(r.Deletes, a)
	case Act:
		r.Acts = append(r.Acts, a)
	}
}

func (p *Plan) action(op *oas.Operation) *Action {
	a := &Action{Operation: op}
	parts := segments(op.Path)
	for i, part := range parts {
		if isParam(part) {
			name := strings.Trim(part, "{}")
			s := &Slot{In: "path", Name: name, Required: true, Resource: p.resource(pathResource(parts, i))}
			if param := op.Param("path", name); param != nil {
				s.Schema = param.Schema
			}
			a.Slots = append(a.Slots, s)
		}
	}
	inPath := len(a.Slots)
	stem := p.stem(op.Path)
	for _, param := range op.Params {
		if param.In == "query" && (TakesID(param.Name, param.Schema) || p.byName[strings.ToLower(param.Name)] != nil && !param.Schema.Is("boolean")) {
			a.Slots = append(a.Slots, &Slot{In: "query", Name: param.Name, Required: param.Required, Schema: param.Schema, Resource: p.named(param.Name, stem)})
		}
	}
	if op.Body != nil {
		a.bodySlots(p, "", op.Body.Schema, 0)
	}
	p.classify(a, parts, inPath, stem)
	return a
}

func (a *Action) bodySlots(p *Plan, at string, s *oas.Schema, depth int) {
	o := s.Object()
	if o == nil || depth > 3 {
		return
	}
	for _, name := range s.Names() {
		member, where := o.Properties[name], at+"/"+oas.Token(name)
		switch {
		case member.ReadOnly:
		case TakesID(name, member):
			a.Slots = append(a.Slots, &Slot{In: "body", Name: where, Required: slices.Contains(o.Required, name), Schema: member, Resource: p.named(name, "")})
		case member.Object() != nil:
			a.bodySlots(p, where, member, depth+1)
		}
	}
}

// classify tells what the operation does and to what.
func (p *Plan) classify(a *Action, parts []string, inPath int, stem string) {
	atItem := len(parts) > 0 && isParam(parts[len(parts)-1])
	switch {
	case inPath > 0:
		a.Target = a.Slots[inPath-1]
		a.Resource = a.Target.Resource
	default:
		a.Resource = p.resource(stem)
		for _, s := range a.Slots {
			if s.In == "query" && s.Required && s.Resource == a.Resource {
				a.Target = s
			}
		}
	}
	nested := !atItem && inPath > 0
	switch a.Method {
	case "GET", "HEAD":
		a.Kind = p.reading(a, nested)
		if nested && a.Kind == List {
			a.Resource = p.resource(singular(parts[len(parts)-1]))
		}
	case "PUT", "PATCH":
		a.Kind = Update
	case "DELETE":
		a.Kind = Delete
	default:
		a.Kind = Act
		switch {
		case a.Target == nil:
			a.Kind = Create
		case nested && (p.hasItem(a.Path) || p.listed[a.Path]):
			a.Kind, a.Resource = Create, p.resource(singular(parts[len(parts)-1]))
		}
	}
}

// hasItem reports whether the document has a path for one member of the collection.
func (p *Plan) hasItem(path string) bool {
	for other := range p.paths {
		if rest, ok := strings.CutPrefix(other, strings.TrimSuffix(path, "/")+"/"); ok && isParam(rest) {
			return true
		}
	}
	return false
}

func (p *Plan) reading(a *Action, nested bool) Kind {
	var s *oas.Schema
	if r := a.Success(); r != nil {
		s = r.Schema
	}
	switch {
	case HoldsList(s):
		return List
	case s.Object() != nil || !nested && a.Target != nil:
		return Read
	case nested:
		return List
	case plural(lastStatic(a.Path)):
		return List
	}
	return Read
}

// HoldsList reports whether values of the schema are lists of objects, or pages with one.
func HoldsList(s *oas.Schema) bool {
	if s == nil {
		return false
	}
	if s.Is("array") {
		return true
	}
	for _, name := range s.Names() {
		if m := s.Property(name); m.Is("array") && (m.Items.Object() != nil) && (name == "items" || name == "data" || name == "results" || name == "content" || len(s.Names()) <= 5) {
			return s.Property("id") == nil
		}
	}
	return false
}
