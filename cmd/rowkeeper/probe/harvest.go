package probe

import (
	"encoding/json"
	"maps"
	"net/url"
	"slices"
	"strings"

	"github.com/rowkeeper/rowkeeper/cmd/rowkeeper/probe/internal/client"
	"github.com/rowkeeper/rowkeeper/cmd/rowkeeper/probe/internal/plan"
)

// learn keeps the objects that a response shows.
func (r *run) learn(d *draft, resp *client.Response) *object {
	a := d.action
	switch a.Kind {
	case plan.Create:
		return r.learnMade(d, resp)
	case plan.List:
		for _, item := range items(resp.JSON) {
			if id := identify(item, a.Resource.Name); id != nil {
				r.know(a.Resource, d, id, item, false)
			}
		}
	case plan.Read:
		view, _ := resp.JSON.(map[string]any)
		if a.Target == nil && d.as != nil && d.as.self == "" && view != nil && isSelf(a.Path) {
			if id := identify(view, a.Resource.Name); id != nil {
				d.as.self = text(id)
			}
		}
		if o := d.uses[a.Target]; o != nil && view != nil {
			o.view = unwrap(view, o)
		}
	}
	return nil
}

func isSelf(path string) bool {
	last := path[strings.LastIndexByte(path, '/')+1:]
	return slices.Contains([]string{"me", "self", "whoami", "profile", "userinfo", "current"}, strings.ToLower(last))
}

// unwrap returns the object itself, if the answer wraps it in another.
func unwrap(view map[string]any, o *object) map[string]any {
	if view["id"] == nil {
		for _, member := range view {
			if inner, ok := member.(map[string]any); ok && text(inner["id"]) == o.key() {
				return inner
			}
		}
	}
	return view
}

func (r *run) learnMade(d *draft, resp *client.Response) *object {
	a := d.action
	view, _ := resp.JSON.(map[string]any)
	id := identify(view, a.Resource.Name)
	if id == nil {
		for _, member := range view { // {"data": {"id": …}}
			if inner, ok := member.(map[string]any); ok && id == nil {
				if id = identify(inner, a.Resource.Name); id != nil {
					view = inner
				}
			}
		}
	}
	if id == nil {
		id = fromLocation(resp)
	}
	if id == nil {
		switch bare := resp.JSON.(type) {
		case string, json.Number:
			id = bare
		}
	}
	if id == nil {
		return nil
	}
	for _, o := range d.uses {
		if o.key() == text(id) {
			return nil // it answered with the object that it acted on
		}
	}
	return r.know(a.Resource, d, id, view, true)
}

func fromLocation(resp *client.Response) any {
	u, err := url.Parse(resp.Header.Get("Location"))
	if err != nil {
		return nil
	}
	last := u.Path[strings.LastIndexByte(u.Path, '/')+1:]
	if last == "" {
		return nil
	}
	if strings.Trim(last, "0123456789") == "" {
		return json.Number(last)
	}
	return last
}

// know returns the object with that id, which it adds if it is new.
func (r *run) know(res *plan.Resource, d *draft, id any, view map[string]any, made bool) *object {
	for _, o := range r.objects[res] {
		if o.owner == d.as && o.key() == text(id) {
			o.view = view
			return o
		}
	}
	o := &object{resource: res, owner: d.as, id: id, view: view, made: made, bind: maps.Clone(d.path)}
	r.objects[res] = append(r.objects[res], o)
	return o
}

// identify returns the id of an object, or nil.
func identify(v map[string]any, resource string) any {
	short := strings.NewReplacer("-", "", "_", "").Replace(resource)
	var found any
	for name, member := range v {
		plain := strings.ToLower(strings.NewReplacer("-", "", "_", "").Replace(name))
		rank := slices.Index([]string{"id", "uuid", short + "id", short + "uuid"}, plain)
		switch member.(type) {
		case string, json.Number:
			if rank == 0 {
				return member
			}
			if rank > 0 {
				found = member
			}
		}
	}
	return found
}

// items returns the objects of a list, or of the page that holds one.
func items(v any) (list []map[string]any) {
	switch v := v.(type) {
	case []any:
		for _, item := range v {
			if o, ok := item.(map[string]any); ok {
				list = append(list, o)
			}
		}
	case map[string]any:
		for _, name := range slices.Sorted(maps.Keys(v)) {
			if inner, ok := v[name].([]any); ok {
				if found := items(inner); len(found) > len(list) {
					list = found
				}
			}
			if inner, ok := v[name].(map[string]any); ok && (name == "data" || name == "_embedded") {
				if found := items(inner); len(found) > len(list) {
					list = found
				}
			}
		}
	}
	return list
}
