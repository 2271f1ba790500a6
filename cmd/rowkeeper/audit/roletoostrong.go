package audit

import (
	"github.com/rowkeeper/rowkeeper/cmd/rowkeeper/audit/catalog"
	"github.com/rowkeeper/rowkeeper/cmd/rowkeeper/finding"
)

var roleTooStrong = &finding.Rule{
	ID: "RKA14", Name: "role-too-strong", Severity: finding.High,
	Title: "The service's role may do more than the service does",
	CWE:   []int{250}, API: "API8", PCI: "7.2.5",
	Why: "Whoever finds one injection has all rights of the role. A superuser reads files and runs programs, an owner drops constraints " +
		"and switches off row-level security, TRUNCATE ignores policies. A SECURITY DEFINER function without a search_path runs what a " +
		"caller puts in front of it.",
	Fix:    "Let another role own the tables, and grant the service SELECT, INSERT, UPDATE and DELETE.",
	Silent: "Without a configured role.",
	Bad:    "alter table accounts owner to service;",
	Good:   "alter table accounts owner to migrations; grant select, insert, update, delete on accounts to service;",
}

func checkRoleTooStrong(p *pass) {
	if p.Role == nil {
		p.unjudged = "rowkeeper.yaml names no role"
		return
	}
	role := catalog.Quote(p.Role.Name)
	if p.Role.Super {
		statement := "alter role " + role + " nosuperuser"
		if p.Cockroach() {
			statement = "revoke admin from " + role
		}
		p.reportObject(finding.Strong, "role "+p.Role.Name, "The service's role %s is a superuser.", p.Role.Name).
			identify("superuser").sql(statement)
		return
	}
	p.checkOwning(role)
	p.checkTruncating()
	for _, f := range p.Role.Definers {
		function := catalog.Qualified(f.Schema, f.Name) + "(" + f.Arguments + ")"
		r := p.reportObject(finding.Strong, function, "Function %s runs with the rights of %s, and with the search_path of whoever calls it.", f.Name, f.Owner)
		r.sql("alter function " + function + " set search_path = " + catalog.Quote(f.Schema) + ", pg_temp")
	}
}

// checkOwning reports all tables that the role owns as one finding.
func (p *pass) checkOwning(role string) {
	var tables, statements []string
	schemas := map[string]bool{}
	other := objectName(p.Role.Name, "owner")
	for t := range p.tables {
		if !p.Role.Owns(t) {
			continue
		}
		tables = append(tables, t.Name)
		if !schemas[t.Schema] {
			schemas[t.Schema] = true
			statements = append(statements, "grant create, usage on schema "+catalog.Quote(t.Schema)+" to "+other)
		}
		statements = append(statements, alter(t, "owner to "+other),
			"grant select, insert, update, delete on table "+name(t)+" to "+role)
	}
	if len(tables) > 0 {
		p.reportObject(finding.Strong, "role "+p.Role.Name, "The service's role %s owns %s.", p.Role.Name, names(tables)).
			identify("owner").sql(append([]string{"create role " + other}, statements...)...)
	}
}

func (p *pass) checkTruncating() {
	var tables, statements []string
	for _, x := range p.Role.Tables {
		t := p.ByID(x.Table)
		if t == nil || x.Owns || !x.Truncates || foreign(t) != "" {
			continue
		}
		grantee := x.Grantee
		if grantee != "public" {
			grantee = catalog.Quote(grantee)
		}
		privilege := "truncate"
		if p.Cockroach() {
			privilege = "drop"
		}
		tables = append(tables, t.Name)
		statements = append(statements, "revoke "+privilege+" on table "+name(t)+" from "+grantee)
	}
	if len(tables) > 0 {
		r := p.reportObject(finding.Strong, "role "+p.Role.Name, "The service's role %s may TRUNCATE %s.", p.Role.Name, names(tables)).
			identify("truncate").sql(statements...)
		r.Severity = finding.Medium
	}
}
