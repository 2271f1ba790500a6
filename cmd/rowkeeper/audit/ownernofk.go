package audit

import (
	"slices"

	"github.com/rowkeeper/rowkeeper/cmd/rowkeeper/audit/catalog"
	"github.com/rowkeeper/rowkeeper/cmd/rowkeeper/finding"
)

var ownerNoFK = &finding.Rule{
	ID: "RKA02", Name: "owner-no-fk", Severity: finding.Medium,
	Title: "A column named after the owner has no foreign key",
	CWE:   []int{639}, API: "API1", PCI: finding.PCIData,
	Why: "Without a foreign key a row can name an owner who does not exist. If an ID is used again, or chosen by a client, the " +
		"new owner gets the rows of the old one; and rows of deleted users stay.",
	Fix: "ADD FOREIGN KEY NOT VALID, then VALIDATE CONSTRAINT.",
	Silent: "Tables of logs, events, history and archives keep rows on purpose. The type differs from the key's, the column is part of another " +
		"foreign key, or it is one half of a polymorphic reference. An owner_id is " +
		"only suspected.",
	Bad:       "create table notes (id bigint primary key, user_id bigint not null, body text);",
	Good:      "create table notes (id bigint primary key, user_id bigint not null references users, body text);",
	Rowkeeper: "schema.VerifyT in owner/schema",
}

func checkOwnerNoFK(p *pass) {
	for t := range p.tables {
		if isLog(t.Name) {
			continue
		}
		for _, c := range t.Columns {
			if owner := p.unreferenced(t, c); owner != nil {
				key := owner.table.Column(owner.key)
				confidence := finding.Strong
				if snake(c.Name) == "owner_id" { // which may be a group, too
					confidence = finding.Suspected
				}
				r := p.report(confidence, t, c, "%s.%s is named after %s.%s and has its type, but no foreign key.",
					t.Name, c.Name, owner.table.Name, owner.key)
				r.sql(p.addForeignKey(t, []string{c.Name}, owner.table, []string{key.Name})...)
				if p.prove(r, orphans(t, c.Name, owner.table, key.Name), "rows name an owner who does not exist") {
					r.Severity = finding.High
				}
			}
		}
	}
}

// unreferenced returns the principal that the column must mean, if no foreign key says so.
func (p *pass) unreferenced(t *catalog.Table, c *catalog.Column) *principal {
	if referring(t, c.Name) || polymorphic(t, c.Name) || c.Generated {
		return nil
	}
	var found []*principal
	for _, owner := range p.owners.principals {
		name := snake(c.Name)
		if owner.table != t && owner.table.Schema == t.Schema && owner.table.Column(owner.key).Base == c.Base &&
			(name == owner.name+"_id" || name == "owner_id" && !owner.tenant || name == "tenant_id" && owner.tenant) {
			found = append(found, owner)
		}
	}
	if len(found) != 1 {
		return nil
	}
	return found[0]
}

// referring reports whether the column is part of a foreign key.
func referring(t *catalog.Table, column string) bool {
	return slices.ContainsFunc(t.ForeignKeys, func(fk *catalog.ForeignKey) bool { return slices.Contains(fk.Columns, column) })
}

// polymorphic reports whether another column says which table the column refers to.
func polymorphic(t *catalog.Table, column string) bool {
	base := snake(column)
	if cut := len(base) - len("_id"); cut > 0 && base[cut:] == "_id" {
		base = base[:cut]
	}
	return slices.ContainsFunc(t.Columns, func(c *catalog.Column) bool {
		name := snake(c.Name)
		return name == base+"_type" || name == base+"_kind" || name == base+"_table"
	})
}
