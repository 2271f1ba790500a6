package audit

import (
	"strings"

	"github.com/rowkeeper/rowkeeper/cmd/rowkeeper/audit/catalog"
	"github.com/rowkeeper/rowkeeper/cmd/rowkeeper/finding"
)

var missingFK = &finding.Rule{
	ID: "RKA10", Name: "missing-fk", Severity: finding.Medium,
	Title: "A column named after another table has no foreign key",
	CWE:   []int{664}, PCI: finding.PCIData,
	Why: "A row can refer to one that does not exist. A delete and an insert at the same time leave orphans, whatever the code asks " +
		"before, and joins lose rows silently.",
	Fix: "ADD FOREIGN KEY NOT VALID, then VALIDATE CONSTRAINT.",
	Silent: "Another type than the key's, or another schema; logs, events and archives; partitioned tables; one half of a polymorphic " +
		"reference. Options.Rows counts orphans, which make the severity high.",
	Bad:  "create table items (id bigint primary key, order_id bigint not null);",
	Good: "create table items (id bigint primary key, order_id bigint not null references orders);",
}

func checkMissingFK(p *pass) {
	byName := map[string]*catalog.Table{}
	for t := range p.tables {
		key := t.Schema + "." + singular(t.Name)
		if _, twice := byName[key]; twice {
			byName[key] = nil
		} else {
			byName[key] = t
		}
	}
	for t := range p.tables {
		if isLog(t.Name) || t.Partitioned() {
			continue
		}
		for _, c := range t.Columns {
			base, ok := strings.CutSuffix(snake(c.Name), "_id")
			if !ok || c.Generated || referring(t, c.Name) || polymorphic(t, c.Name) {
				continue
			}
			to := byName[t.Schema+"."+base]
			if to == nil || to == t || to.Partitioned() || p.owners.principals[to.ID] != nil {
				continue
			}
			key := keyColumn(to)
			if key == nil || key.Base != c.Base || key.Hidden {
				continue
			}
			r := p.report(finding.Strong, t, c, "%s.%s is named after %s.%s and has its type, but no foreign key.", t.Name, c.Name, to.Name, key.Name)
			r.sql(p.addForeignKey(t, []string{c.Name}, to, []string{key.Name})...)
			if p.prove(r, orphans(t, c.Name, to, key.Name), "rows refer to one that does not exist") {
				r.Severity = finding.High
			}
		}
	}
}
