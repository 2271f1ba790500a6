package audit

import (
	"regexp"
	"slices"

	"github.com/rowkeeper/rowkeeper/cmd/rowkeeper/audit/catalog"
	"github.com/rowkeeper/rowkeeper/cmd/rowkeeper/finding"
)

var ownerNotFirst = &finding.Rule{
	ID: "RKA03", Name: "owner-not-first", Severity: finding.Low,
	Title: "No index begins with the owner",
	CWE:   []int{405}, API: "API4",
	Why: "Every query of a service asks for rows of one owner. Without an index that begins with the owner the database reads those " +
		"of all others too: slower with each customer, and under SERIALIZABLE every query then conflicts with every write.",
	Fix: "CREATE INDEX CONCURRENTLY that begins with the owner.",
	Silent: "Another index or key begins with the owner, also one without deleted rows, or with the parent that both " +
		"come from in a composite foreign key. Tables known to have fewer than 1,000 rows. " +
		"If the owner may be NULL, or a user takes part in something that has no owner, it is only suspected.",
	Bad:  "create table notes (id bigint primary key, user_id bigint not null references users);",
	Good: "create table notes (id bigint primary key, user_id bigint not null references users); create index on notes (user_id);",
}

// A small table is read as a whole anyway.
const small = 1000

func checkOwnerNotFirst(p *pass) {
	for t := range p.tables {
		owner := p.owners.owner(t)
		if owner == nil || t.Rows >= 0 && t.Rows < small || leads(t, owner.Name) || leadsWithParent(t, owner) {
			continue
		}
		confidence := finding.Strong
		if !owner.NotNull || p.joinsOthers(t, owner) {
			confidence = finding.Suspected
		}
		p.report(confidence, t, owner.Column, "No index of %s begins with %s, which holds the %s that owns the row.", t.Name, owner.Name, owner.kind()).
			sql(p.createIndex(t, false, owner.Name))
	}
}

// joinsOthers reports whether a row connects a user with something that has no owner, so
// that it may be looked for from the other side only.
func (p *pass) joinsOthers(t *catalog.Table, owner *ownerColumn) bool {
	if owner.principal == nil || owner.principal.tenant {
		return false
	}
	return slices.ContainsFunc(t.ForeignKeys, func(fk *catalog.ForeignKey) bool {
		other := p.ByID(fk.To)
		return other != nil && other != t && p.owners.principals[fk.To] == nil && !p.owners.owned(other) && required(t, fk)
	})
}

// leads reports whether an index begins with the column.
func leads(t *catalog.Table, column string) bool {
	return slices.ContainsFunc(t.Indexes, func(i *catalog.Index) bool {
		return len(i.Columns) > 0 && i.Columns[0] == column && i.Valid && (i.Predicate == "" || onlyLiving(i.Predicate, column))
	})
}

// leadsWithParent reports whether the owner comes with the row's parent in a composite
// foreign key, and an index begins with both.
func leadsWithParent(t *catalog.Table, owner *ownerColumn) bool {
	return owner.fk != nil && len(owner.fk.Columns) > 1 && slices.ContainsFunc(t.Indexes, func(i *catalog.Index) bool {
		return len(i.Columns) >= len(owner.fk.Columns) && contains(i.Columns[:len(owner.fk.Columns)], owner.fk.Columns...) &&
			i.Valid && (i.Predicate == "" || onlyLiving(i.Predicate, owner.Name))
	})
}

var nullTest = regexp.MustCompile(`^\(*"?([\w$]+)"?\)* IS (NOT )?NULL\)*$`)

// onlyLiving reports whether a predicate leaves out deleted rows, or those without the
// column, and no others.
func onlyLiving(predicate, column string) bool {
	m := nullTest.FindStringSubmatch(predicate)
	return m != nil && (m[2] == "" && deletedNames[m[1]] || m[2] != "" && m[1] == column)
}

var deletedNames = set("deleted_at deleted_on discarded_at archived_at removed_at")
