package audit

import (
	"slices"

	"github.com/rowkeeper/rowkeeper/cmd/rowkeeper/audit/catalog"
	"github.com/rowkeeper/rowkeeper/cmd/rowkeeper/finding"
)

var looseType = &finding.Rule{
	ID: "RKA17", Name: "loose-type", Severity: finding.Low,
	Title: "A status is free text, or times are stored in two ways",
	CWE:   []int{20}, PCI: finding.PCIData,
	Why: "A status that may be any text gets one that no branch of the code knows; a role of a user decides what he may do, and a typing " +
		"error in it is a right. A timestamp without a time zone means another moment than one with it, and comparing the two depends on " +
		"a setting of the connection.",
	Fix: "Add a CHECK with the values, or an enum; use timestamptz.",
	Silent: "A check, a foreign key, an enum or a domain with a check. The state of an address. A status in a table that names another system, such as a " +
		"payment provider, is only suspected. Whichever way of storing time is the only one " +
		"of a schema. There is one finding for the times of a schema.",
	Bad:  "create table orders (id bigint primary key, status text not null);",
	Good: "create table orders (id bigint primary key, status text not null check (status in ('open', 'paid', 'shipped')));",
}

// A table with such a column may keep the status that another system gave.
var otherSystems = set("provider external remote upstream stripe paypal adyen gateway webhook")

func checkLooseType(p *pass) {
	for t := range p.tables {
		for _, c := range t.Columns {
			column := snake(c.Name)
			isRole := column == "role" && p.owners.principals[t.ID] != nil
			if column != "status" && !isRole || !isText(c) || c.Generated || c.DomainChecked || isLog(t.Name) ||
				checked(t, c.Name) || referring(t, c.Name) {
				continue
			}
			confidence := finding.Strong
			if slices.ContainsFunc(t.Columns, func(c *catalog.Column) bool { return hasWord(c.Name, otherSystems) }) {
				confidence = finding.Suspected
			}
			p.report(confidence, t, c, "%s.%s is free text: no CHECK, enum or foreign key says which values there are.", t.Name, c.Name)
		}
	}
	p.checkTimes()
}

// times are the columns of a schema that hold a moment, without and with a time zone.
type times struct{ without, with []timeColumn }

type timeColumn struct {
	table  *catalog.Table
	column *catalog.Column
}

func checkTimesOf(p *pass) (schemas []string, all map[string]*times) {
	all = map[string]*times{}
	for t := range p.tables {
		x := all[t.Schema]
		if x == nil {
			x = new(times)
			all[t.Schema] = x
			schemas = append(schemas, t.Schema)
		}
		for _, c := range t.Columns {
			switch c.Base {
			case "timestamp without time zone":
				x.without = append(x.without, timeColumn{t, c})
			case "timestamp with time zone":
				x.with = append(x.with, timeColumn{t, c})
			}
		}
	}
	return schemas, all
}

func (p *pass) checkTimes() {
	schemas, all := checkTimesOf(p)
	for _, schema := range schemas {
		x := all[schema]
		if len(x.without) == 0 || len(x.with) == 0 {
			continue
		}
		var columns, statements []string
		for _, c := range x.without {
			columns = append(columns, c.table.Name+"."+c.column.Name)
			for _, s := range p.alterType(c.table, c.column.Name, "timestamptz", catalog.Quote(c.column.Name)+" at time zone 'UTC'") {
				if !slices.Contains(statements, s) {
					statements = append(statements, s)
				}
			}
		}
		if len(x.without) > len(x.with) { // the exception is what should be looked at
			columns = nil
			for _, c := range x.with {
				columns = append(columns, c.table.Name+"."+c.column.Name)
			}
		}
		p.reportObject(finding.Strong, schema, "Schema %s has %d times without a time zone and %d with one; the exceptions are %s.",
			schema, len(x.without), len(x.with), names(columns)).identify("times").sql(statements...)
	}
}
