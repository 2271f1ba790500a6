package audit

import (
	"github.com/rowkeeper/rowkeeper/cmd/rowkeeper/finding"
)

var fkType = &finding.Rule{
	ID: "RKA11", Name: "fk-type", Severity: finding.Medium,
	Title: "The column of a foreign key is narrower than the key",
	CWE:   []int{190}, PCI: finding.PCIData,
	Why: "Once the key outgrows the narrower type, no new row can be referred to: every insert fails, on a day that nobody chose, and " +
		"the repair rewrites a large table.",
	Fix:    "ALTER COLUMN TYPE to the type of the key.",
	Silent: "Types of the same width, and wider ones.",
	Bad:    "create table items (id bigint primary key, order_id integer references orders (id)); -- orders.id is bigint",
	Good:   "create table items (id bigint primary key, order_id bigint references orders (id));",
}

func checkFKType(p *pass) {
	for t := range p.tables {
		for _, fk := range t.ForeignKeys {
			to := p.ByID(fk.To)
			if to == nil || len(fk.Columns) != len(fk.ToColumns) {
				continue
			}
			for i := range fk.Columns {
				c, key := t.Column(fk.Columns[i]), to.Column(fk.ToColumns[i])
				if c == nil || key == nil || width(c.Base) == 0 || width(c.Base) >= width(key.Base) {
					continue
				}
				p.report(finding.Strong, t, c, "%s.%s is %s, but refers to %s.%s, which is %s.", t.Name, c.Name, c.Base, to.Name, key.Name, key.Base).
					sql(p.alterType(t, c.Name, key.Base, "")...)
			}
		}
	}
}
