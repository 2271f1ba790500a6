package audit

import (
	"slices"

	"github.com/rowkeeper/rowkeeper/cmd/rowkeeper/audit/catalog"
	"github.com/rowkeeper/rowkeeper/cmd/rowkeeper/finding"
)

var ownerNullable = &finding.Rule{
	ID: "RKA01", Name: "owner-nullable", Severity: finding.High,
	Title: "The column that holds the owner may be NULL",
	CWE:   []int{863}, API: "API1", PCI: finding.PCIAccess,
	Why: "A row without an owner belongs to nobody. A condition such as user_id = $1 never finds it, a condition that was " +
		"forgotten shows it to everybody, and NULL in a comparison makes neither branch of the code true.",
	Fix: "Give each row an owner, then SET NOT NULL.",
	Silent: "The table has another owner column that is set, or must refer to an owned row; a CHECK or a partial unique index " +
		"treats the NULL. Rows that outlive their owner by ON DELETE SET NULL, logs, and sessions or carts of visitors are " +
		"only suspected.",
	Bad:       "create table notes (id bigint primary key, user_id bigint references users, body text);",
	Good:      "create table notes (id bigint primary key, user_id bigint not null references users, body text);",
	Rowkeeper: "schema.VerifyT in owner/schema",
}

// Rows of such tables may have no owner yet.
var anonymousWords = set("session cart basket visit visitor request attempt invite invitation")

func checkOwnerNullable(p *pass) {
	for t := range p.tables {
		owner := p.owners.owner(t)
		if owner == nil || owner.NotNull && !owner.NotValid || treatsNull(t, owner.Name) || p.hasOwnedParent(t, owner) {
			continue
		}
		confidence := finding.Strong
		if owner.fk != nil && owner.fk.OnDelete == "n" || p.owners.principals[t.ID] != nil || isLog(t.Name) || hasWord(t.Name, anonymousWords) {
			confidence = finding.Suspected
		}
		r := p.report(confidence, t, owner.Column, "%s.%s holds the %s that owns the row, and may be NULL.", t.Name, owner.Name, owner.kind())
		if owner.NotNull {
			r.Message = t.Name + "." + owner.Name + " holds the " + owner.kind() + " that owns the row, and its NOT NULL is not valid for all rows."
		}
		r.sql(alter(t, "alter column "+catalog.Quote(owner.Name)+" set not null"))
		p.prove(r, where(t, owner.Name, "is null"), "rows belong to nobody")
	}
}

// treatsNull reports whether a check decides between the column and another one, or a
// partial index treats its NULL.
func treatsNull(t *catalog.Table, column string) bool {
	for _, check := range t.Checks {
		if !check.NotNull && (len(check.Columns) > 1 || mentions(check.Definition, "NULL")) && mentions(check.Definition, column) {
			return true
		}
	}
	return slices.ContainsFunc(t.Indexes, func(i *catalog.Index) bool { return mentions(i.Predicate, column) })
}

// hasOwnedParent reports whether each row must refer to a row that has an owner.
func (p *pass) hasOwnedParent(t *catalog.Table, owner *ownerColumn) bool {
	return slices.ContainsFunc(t.ForeignKeys, func(fk *catalog.ForeignKey) bool {
		parent := p.ByID(fk.To)
		return parent != nil && parent != t && p.owners.principals[fk.To] == nil && p.owners.owned(parent) &&
			!slices.Contains(fk.Columns, owner.Name) && required(t, fk)
	})
}
