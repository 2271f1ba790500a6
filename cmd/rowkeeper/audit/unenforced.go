package audit

import (
	"strings"

	"github.com/rowkeeper/rowkeeper/cmd/rowkeeper/audit/catalog"
	"github.com/rowkeeper/rowkeeper/cmd/rowkeeper/finding"
)

var unenforced = &finding.Rule{
	ID: "RKA12", Name: "unenforced", Severity: finding.High,
	Title: "A constraint, index, trigger or policy is declared and does not hold",
	CWE:   []int{693}, PCI: finding.PCIData,
	Why: "The schema reads as if the rule held, and code relies on it. A constraint that is NOT VALID has never looked at old rows; " +
		"a disabled trigger or a policy without row-level security stops nothing.",
	Fix: "VALIDATE CONSTRAINT, REINDEX, ENABLE TRIGGER, or ENABLE ROW LEVEL SECURITY.",
	Silent: "An index that is being built. A constraint that is not valid holds for new rows, so its severity is medium; so is that of an index " +
		"that is not unique.",
	Bad:  "alter table accounts add constraint positive check (balance >= 0) not valid;",
	Good: "alter table accounts add constraint positive check (balance >= 0) not valid; alter table accounts validate constraint positive;",
}

func checkUnenforced(p *pass) {
	for t := range p.tables {
		for _, c := range t.Checks {
			p.checkConstraint(t, c.Name, c.Definition, c.Validated, c.Enforced, false)
		}
		for _, fk := range t.ForeignKeys {
			p.checkConstraint(t, fk.Name, "", fk.Validated, fk.Enforced, true)
		}
		for _, i := range t.Indexes {
			if i.Valid || i.Building || t.Partitioned() {
				continue
			}
			r := p.report(finding.Strong, t, nil, "Index %s of %s is not valid: the database does not use it, and it may miss rows.", i.Name, t.Name).
				identify(i.Name).sql("reindex index concurrently " + catalog.Qualified(t.Schema, i.Name))
			if !i.Unique {
				r.Severity = finding.Medium
			}
		}
		p.checkTriggers(t)
		if len(t.Policies) > 0 && !t.RowSecurity {
			p.report(finding.Strong, t, nil, "%s has policies, but row-level security is off, so they hold for nobody.", t.Name).
				identify("policies").sql(alter(t, "enable row level security"))
		}
	}
}

func (p *pass) checkConstraint(t *catalog.Table, constraint, definition string, validated, enforced, foreignKey bool) {
	quoted := catalog.Quote(constraint)
	switch {
	case !enforced && foreignKey:
		p.report(finding.Strong, t, nil, "Foreign key %s of %s is NOT ENFORCED.", constraint, t.Name).identify(constraint).
			sql(alter(t, "alter constraint "+quoted+" enforced"))
	case !enforced:
		definition = strings.TrimSuffix(definition, " NOT ENFORCED")
		p.report(finding.Strong, t, nil, "Constraint %s of %s is NOT ENFORCED.", constraint, t.Name).identify(constraint).
			sql(alter(t, "drop constraint "+quoted), alter(t, "add constraint "+quoted+" "+definition))
	case !validated:
		r := p.report(finding.Strong, t, nil, "Constraint %s of %s is NOT VALID: older rows may break it.", constraint, t.Name).
			identify(constraint).sql(alter(t, "validate constraint "+quoted))
		r.Severity = finding.Medium
	}
}

// checkTriggers reports a foreign key whose triggers are disabled, which ALTER TABLE does
// by DISABLE TRIGGER ALL, once.
func (p *pass) checkTriggers(t *catalog.Table) {
	seen := map[string]bool{}
	for _, tr := range t.Triggers {
		switch {
		case !tr.Disabled, tr.Constraint != "" && seen[tr.Constraint]:
		case tr.Constraint != "":
			seen[tr.Constraint] = true
			p.report(finding.Strong, t, nil, "The triggers that enforce foreign key %s on %s are disabled.", tr.Constraint, t.Name).
				identify("triggers", tr.Constraint).sql(alter(t, "enable trigger all"))
		default:
			p.report(finding.Strong, t, nil, "Trigger %s of %s is disabled.", tr.Name, t.Name).
				identify("trigger", tr.Name).sql(alter(t, "enable trigger "+catalog.Quote(tr.Name)))
		}
	}
}
