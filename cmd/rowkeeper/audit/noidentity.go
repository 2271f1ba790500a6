package audit

import (
	"slices"

	"github.com/rowkeeper/rowkeeper/cmd/rowkeeper/audit/catalog"
	"github.com/rowkeeper/rowkeeper/cmd/rowkeeper/finding"
)

var noIdentity = &finding.Rule{
	ID: "RKA07", Name: "no-identity", Severity: finding.Medium,
	Title: "A table has no primary key, nor another key that is never NULL",
	CWE:   []int{694}, PCI: finding.PCIData,
	Why: "Two rows can be the same, so that no statement can mean one of them: a repeated insert stays unnoticed, an update or a delete " +
		"hits both, and replication refuses to change them.",
	Fix:    "ADD PRIMARY KEY.",
	Silent: "A unique index without a condition over columns that are NOT NULL. For logs the severity is low.",
	Bad:    "create table memberships (org_id bigint not null references orgs, user_id bigint not null references users);",
	Good:   "create table memberships (org_id bigint not null references orgs, user_id bigint not null references users, primary key (org_id, user_id));",
}

func checkNoIdentity(p *pass) {
	for t := range p.tables {
		if slices.ContainsFunc(t.Indexes, func(i *catalog.Index) bool { return identifies(t, i) }) {
			continue
		}
		r := p.report(finding.Strong, t, nil, "%s has no primary key, nor another key whose columns are NOT NULL.", t.Name)
		if isLog(t.Name) {
			r.Severity = finding.Low
		}
		r.sql(p.addPrimaryKey(t)...)
	}
}

// identifies reports whether an index tells each row apart, and not by the key that
// CockroachDB adds by itself.
func identifies(t *catalog.Table, i *catalog.Index) bool {
	if !i.Enforces() || i.Expression() || i.Deferrable {
		return false
	}
	return !slices.ContainsFunc(i.Columns, func(name string) bool {
		c := t.Column(name)
		return c == nil || !c.NotNull || c.Hidden
	})
}

// addPrimaryKey makes a key of a column "id" if there is one that can be, of the columns of
// a table that joins others, and otherwise of a new column.
func (p *pass) addPrimaryKey(t *catalog.Table) []string {
	if t.Partitioned() { // whose key needs the columns of its partitions
		return nil
	}
	column := "id"
	if c := t.Column(column); c != nil {
		if c.NotNull {
			return p.primaryKey(t, column)
		}
		column = singular(t.Name) + "_pk"
	}
	if joined := joins(t); len(joined) > 1 {
		return p.primaryKey(t, joined...)
	}
	if p.Cockroach() {
		return append([]string{alter(t, "add column "+catalog.Quote(column)+" uuid not null default gen_random_uuid()")}, p.primaryKey(t, column)...)
	}
	return []string{alter(t, "add column "+catalog.Quote(column)+" bigint generated always as identity primary key")}
}

// joins returns the columns that refer to other tables, if there are no others that tell
// rows apart.
func joins(t *catalog.Table) (columns []string) {
	for _, c := range t.Columns {
		if c.Hidden || c.HasDefault {
			continue
		}
		if !c.NotNull || !referring(t, c.Name) {
			return nil
		}
		columns = append(columns, c.Name)
	}
	return columns
}

func (p *pass) primaryKey(t *catalog.Table, columns ...string) []string {
	if p.Cockroach() {
		return []string{alter(t, "alter primary key using columns ("+catalog.QuoteAll(columns)+")")}
	}
	return []string{alter(t, "add primary key ("+catalog.QuoteAll(columns)+")")}
}
