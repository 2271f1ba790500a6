package probe

import (
	"fmt"
	"net/url"
	"slices"
	"strings"

	"github.com/rowkeeper/rowkeeper/cmd/rowkeeper/finding"
	"github.com/rowkeeper/rowkeeper/cmd/rowkeeper/probe/internal/client"
	"github.com/rowkeeper/rowkeeper/cmd/rowkeeper/probe/internal/oas"
	"github.com/rowkeeper/rowkeeper/cmd/rowkeeper/probe/internal/plan"
)

var listLeak = &finding.Rule{
	ID: "RKP05", Name: "list-leak", Severity: finding.Critical,
	Title: "A list, a filter or a cursor shows rows of another principal",
	CWE:   []int{639}, API: "API1", PCI: finding.PCIAccess,
	Why: "The list is not scoped by the owner, its filter takes the id of a foreign object, or its cursor carries the scope of " +
		"whoever got it.",
	Fix:       "Scope the list by the owner of the request, also if it has a filter or a cursor.",
	Silent:    "The path is listed as shared, the operation is public, or x-rowkeeper says public or shared.",
	Bad:       "select … from transfers where from_id = $1",
	Good:      "select … from transfers where from_id = $1 and user_id = $2",
	Rowkeeper: "transfers.In(me).Where(from.Eq(id)).All(ctx, tx)",
}

func (r *run) checkListLeak() error {
	for _, a := range r.plan.Actions {
		if a.Mutates() || a.Kind == plan.Read && a.Target != nil || r.bases[a] == nil || r.shared(a) {
			continue
		}
		for _, try := range []func(*plan.Action, *principal) (*draft, string, error){r.plainList, r.foreignFilter, r.foreignCursor} {
			if err := r.tryList(a, try); err != nil {
				return err
			}
			if r.found(listLeak, a) {
				break
			}
		}
	}
	return nil
}

func (r *run) tryList(a *plan.Action, try func(*plan.Action, *principal) (*draft, string, error)) error {
	var both sides
	var evidence []finding.Evidence
	property := ""
	for _, victim := range r.who {
		d, where, err := try(a, victim)
		if err != nil {
			return err
		}
		if d == nil {
			continue
		}
		both.tried[victim.number] = true
		resp, err := r.send(d)
		if err != nil {
			return err
		}
		if r.shows(d, resp, victim) != "" {
			both.hit[victim.number], property = true, where
			evidence = append(evidence, r.c.Evidence(d.request(), resp))
		}
	}
	if len(evidence) > 0 {
		how := "shows objects of another principal"
		if property != "" {
			how += " if " + property + " is one of theirs"
		}
		r.report(listLeak, both.confidence(), a, property, fmt.Sprintf("%s %s.", a, how), evidence...)
	}
	return nil
}

// plainList is the list of the other principal, with a large page.
func (r *run) plainList(a *plan.Action, victim *principal) (*draft, string, error) {
	b := r.base(a, r.other(victim))
	if b == nil {
		return nil, "", nil
	}
	return b.draft, "", nil
}

// foreignFilter asks for what belongs to an object of the victim.
func (r *run) foreignFilter(a *plan.Action, victim *principal) (*draft, string, error) {
	b := r.base(a, r.other(victim))
	for _, s := range a.Slots {
		if s.In != "query" || b == nil {
			continue
		}
		res := s.Resource
		if res == nil {
			continue
		}
		if list := r.owned(res, victim); len(list) > 0 {
			return b.draft.filled(s, list[0]), s.Name, nil
		}
	}
	return nil, "", nil
}

var (
	pageSizes = []string{"limit", "page_size", "pagesize", "per_page", "size", "first", "max", "count", "take"}
	cursors   = []string{"cursor", "after", "page_token", "pagetoken", "starting_after", "next", "continuation", "next_token", "since_id", "before"}
)

func queryParam(a *plan.Action, names []string) *oas.Param {
	for _, name := range names {
		for _, p := range a.Params {
			if p.In == "query" && strings.EqualFold(p.Name, name) {
				return p
			}
		}
	}
	return nil
}

// foreignCursor continues the victim's list as the other principal.
func (r *run) foreignCursor(a *plan.Action, victim *principal) (*draft, string, error) {
	size, cursor := queryParam(a, pageSizes), queryParam(a, cursors)
	own, b := r.base(a, victim), r.base(a, r.other(victim))
	if cursor == nil || own == nil || b == nil {
		return nil, "", nil
	}
	page := own.draft
	if size != nil {
		page = page.with("query", size.Name, "1")
	}
	resp, err := r.send(page)
	if err != nil || !resp.OK() {
		return nil, "", err
	}
	value := nextCursor(resp, cursor.Name)
	if value == "" {
		return nil, "", nil
	}
	return b.draft.with("query", cursor.Name, value), cursor.Name, nil
}

// nextCursor finds where a page says that the list goes on.
func nextCursor(resp *client.Response, param string) string {
	candidates := []string{}
	if page, ok := resp.JSON.(map[string]any); ok {
		for name, v := range page {
			plain := strings.ToLower(strings.ReplaceAll(name, "_", ""))
			if s, ok := v.(string); ok && slices.Contains([]string{"next", "nextcursor", "cursor", "nextpagetoken", "nexttoken", "endcursor", "nextpage"}, plain) {
				candidates = append(candidates, s)
			}
			if links, ok := v.(map[string]any); ok {
				if s, ok := links["next"].(string); ok {
					candidates = append(candidates, s)
				}
			}
		}
	}
	if _, rest, ok := strings.Cut(resp.Header.Get("Link"), "<"); ok {
		target, _, _ := strings.Cut(rest, ">")
		candidates = append(candidates, target)
	}
	for _, c := range candidates {
		if u, err := url.Parse(c); err == nil && u.Query().Get(param) != "" {
			return u.Query().Get(param)
		}
	}
	if len(candidates) > 0 && !strings.Contains(candidates[0], "/") {
		return candidates[0]
	}
	return ""
}
