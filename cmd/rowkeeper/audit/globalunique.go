package audit

import (
	"slices"

	"github.com/rowkeeper/rowkeeper/cmd/rowkeeper/audit/catalog"
	"github.com/rowkeeper/rowkeeper/cmd/rowkeeper/finding"
)

var globalUnique = &finding.Rule{
	ID: "RKA05", Name: "global-unique", Severity: finding.Low,
	Title: "A natural key is unique across owners",
	CWE:   []int{204}, API: "API1",
	Why: "One owner cannot use a name that another one has: the error tells that somebody else's row exists, and a customer can " +
		"occupy names of others.",
	Fix: "Make the key unique for each owner: (owner, name).",
	Silent: "Keys that the database or a random source makes, tokens, references to another table, and what has to be unique in the " +
		"world, such as a login, a domain or a slug. Only names, titles, codes and numbers are more than suspected.",
	Bad:  "create table projects (id bigint primary key, org_id bigint not null references orgs, name text not null unique);",
	Good: "create table projects (id bigint primary key, org_id bigint not null references orgs, name text not null, unique (org_id, name));",
}

// naturalNames are the names of columns whose values owners choose.
var naturalNames = set("name title label display_name code number invoice_number order_number sku nickname")

func checkGlobalUnique(p *pass) {
	for t := range p.tables {
		owner := p.owners.owner(t)
		if owner == nil || p.owners.principals[t.ID] != nil {
			continue
		}
		for _, i := range t.Indexes {
			if !i.Unique || i.Primary || !i.Valid || i.Expression() || p.holdsOwner(t, i) || !natural(t, i) {
				continue
			}
			columns := append([]string{owner.Name}, i.Columns...)
			r := p.report(finding.Strong, t, t.Column(i.Columns[len(i.Columns)-1]), "%s of %s has to be unique among all owners (%s).",
				names(i.Columns), t.Name, i.Name).identify(i.Name)
			drop := "drop index " + catalog.Qualified(t.Schema, i.Name)
			switch {
			case p.Cockroach():
				drop = "drop index " + name(t) + "@" + catalog.Quote(i.Name) + " cascade"
			case i.Constraint != "":
				drop = alter(t, "drop constraint "+catalog.Quote(i.Constraint))
			}
			r.sql(p.createIndex(t, true, columns...), drop)
		}
	}
}

// holdsOwner reports whether an index has a column that holds an owner, or a reference to
// a row that has one.
func (p *pass) holdsOwner(t *catalog.Table, i *catalog.Index) bool {
	return slices.ContainsFunc(i.Columns, func(name string) bool {
		return slices.ContainsFunc(p.owners.columns[t.ID], func(c *ownerColumn) bool { return c.Name == name }) || referring(t, name)
	})
}

// natural reports whether every column of an index is text that an owner chooses.
func natural(t *catalog.Table, i *catalog.Index) bool {
	for _, name := range i.Columns {
		c := t.Column(name)
		if c == nil || !isText(c) || c.Filled() && c.Default != "" && mentions(c.Default, "gen_random_uuid") || !naturalNames[snake(name)] {
			return false
		}
	}
	return true
}

// isText reports whether a column holds text.
func isText(c *catalog.Column) bool {
	switch c.Base {
	case "text", "character varying", "character", "varchar", "string", "citext", "name", "bpchar":
		return true
	}
	return false
}
