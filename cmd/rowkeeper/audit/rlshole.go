package audit

import (
	"slices"
	"strings"

	"github.com/rowkeeper/rowkeeper/cmd/rowkeeper/audit/catalog"
	"github.com/rowkeeper/rowkeeper/cmd/rowkeeper/finding"
)

var rlsHole = &finding.Rule{
	ID: "RKA13", Name: "rls-hole", Severity: finding.High,
	Title: "Row-level security has a hole",
	CWE:   []int{863}, API: "API1", PCI: "7.3.3",
	Why: "Row-level security does not hold for the owner of a table unless it is forced, for superusers and roles with BYPASSRLS at all, " +
		"and for whoever reads through a view of such a role. A policy USING (true) lets everybody through.",
	Fix: "FORCE ROW LEVEL SECURITY, a role without BYPASSRLS, policies by owner, views with security_invoker.",
	Silent: "Schemas without row-level security. What depends on the service's role is judged only if the role is configured. Rows that all " +
		"may read, by a policy for SELECT, are only suspected.",
	Bad:       "alter table accounts enable row level security; -- and the service owns the table",
	Good:      "alter table accounts enable row level security; alter table accounts force row level security;",
	Rowkeeper: "schema.RLS in owner/schema",
}

func checkRLSHole(p *pass) {
	if p.Cockroach() {
		p.unjudged = "policies of CockroachDB are not read"
		return
	}
	var secured []*catalog.Table
	for t := range p.tables {
		if t.RowSecurity {
			secured = append(secured, t)
		}
	}
	if len(secured) == 0 {
		return
	}
	if p.Role == nil {
		p.unjudged = "only policies and views, because rowkeeper.yaml names no role"
	} else if p.Role.Super || p.Role.Bypass {
		p.checkBypass()
	}
	for _, t := range secured {
		if p.Role != nil && !p.Role.Super && !t.Forced && p.Role.Owns(t) {
			p.report(finding.Strong, t, nil, "Row-level security of %s does not hold for %s, which owns the table: it is not forced.", t.Name, p.Role.Name).
				identify("force").sql(alter(t, "force row level security"))
		}
		for _, policy := range t.Policies {
			p.checkPolicy(t, policy)
		}
	}
	for _, v := range p.Views {
		p.checkView(v)
	}
}

func (p *pass) checkBypass() {
	what, attribute := "has BYPASSRLS", "nobypassrls"
	if p.Role.Super {
		what, attribute = "is a superuser", "nosuperuser"
	}
	r := p.reportObject(finding.Strong, "role "+p.Role.Name, "No policy holds for %s, which %s.", p.Role.Name, what)
	r.Severity = finding.Critical
	statement := "alter role " + catalog.Quote(p.Role.Name) + " " + attribute
	if p.Role.Super && p.Role.Bypass {
		statement += " nobypassrls"
	}
	r.sql(statement)
}

// checkPolicy reports a policy of an owned table that lets everybody through.
func (p *pass) checkPolicy(t *catalog.Table, policy *catalog.Policy) {
	owner := p.owners.owner(t)
	if owner == nil || !policy.Permissive || !p.appliesToService(policy) {
		return
	}
	open := policy.Using == "true" || policy.Check == "true"
	if !open {
		return
	}
	confidence := finding.Strong
	if policy.Command == "r" {
		confidence = finding.Suspected
	}
	clause := "USING (true)"
	if policy.Using != "true" {
		clause = "WITH CHECK (true)"
	}
	p.report(confidence, t, nil, "Policy %s of %s says %s, so that every %s may use the rows of all others.", policy.Name, t.Name, clause, owner.kind()).
		identify(policy.Name).sql("drop policy "+catalog.Quote(policy.Name)+" on "+name(t)).
		note("Without the policy nobody gets through. Add one that compares %s with the user of the session.", owner.Name)
}

func (p *pass) appliesToService(policy *catalog.Policy) bool {
	return slices.Contains(policy.Roles, "public") || p.Role != nil && slices.Contains(policy.Roles, p.Role.Name)
}

// checkView reports a view that reads secured tables with the rights of an owner for whom
// no policy holds.
func (p *pass) checkView(v *catalog.View) {
	if v.Invoker && !v.Materialized || !p.readable(v) {
		return
	}
	secured := p.secured(v, map[int64]bool{})
	secured = slices.DeleteFunc(secured, func(t *catalog.Table) bool {
		return !v.Bypasses && (t.Forced || t.Owner != v.Owner)
	})
	if len(secured) == 0 {
		return
	}
	tables := make([]string, len(secured))
	for i, t := range secured {
		tables[i] = t.Name
	}
	confidence := finding.Strong
	if v.Materialized {
		confidence = finding.Suspected
	}
	r := p.reportObject(confidence, v.String(), "View %s reads %s with the rights of %s, for whom no policy holds.", v.Name, names(tables), v.Owner)
	r.comments = []string{v.Comment}
	if !v.Materialized && p.Number >= 150000 {
		r.sql("alter view " + catalog.Qualified(v.Schema, v.Name) + " set (security_invoker = true)")
		return
	}
	revoke := make([]string, len(v.Readers))
	for i, reader := range v.Readers {
		if reader != "public" {
			reader = catalog.Quote(reader)
		}
		revoke[i] = "revoke select on " + catalog.Qualified(v.Schema, v.Name) + " from " + reader
	}
	if len(revoke) > 0 {
		r.sql(strings.Join(revoke, ";\n"))
	}
}

// readable reports whether somebody else than its owner may read the view.
func (p *pass) readable(v *catalog.View) bool {
	if p.Role != nil {
		return p.Role.CanReadViews[v.ID] && !p.Role.Super
	}
	return len(v.Readers) > 0
}

// secured returns the tables with row-level security that a view reads, also through views.
func (p *pass) secured(v *catalog.View, seen map[int64]bool) (tables []*catalog.Table) {
	if seen[v.ID] {
		return nil
	}
	seen[v.ID] = true
	for _, id := range v.Reads {
		if t := p.ByID(id); t != nil && t.RowSecurity && !slices.Contains(tables, t) {
			tables = append(tables, t)
		}
		for _, other := range p.Views {
			if other.ID == id {
				tables = append(tables, p.secured(other, seen)...)
			}
		}
	}
	return tables
}
