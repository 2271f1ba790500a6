package audit

import (
	"math"
	"slices"

	"github.com/rowkeeper/rowkeeper/cmd/rowkeeper/audit/catalog"
	"github.com/rowkeeper/rowkeeper/cmd/rowkeeper/finding"
)

var runningOut = &finding.Rule{
	ID: "RKA15", Name: "running-out", Severity: finding.High,
	Title: "A sequence or a key has used over 70 % of its type",
	CWE:   []int{190}, PCI: finding.PCIData,
	Why:    "When the last number is given, every insert fails until the column has a wider type, and that rewrites the table.",
	Fix:    "ALTER COLUMN TYPE bigint, for the foreign keys too.",
	Silent: "Sequences that CYCLE, unless the column is unique. Keys without a sequence are looked at only with Options.Rows.",
	Bad:    "create table events (id serial primary key); -- at 1,600,000,000",
	Good:   "create table events (id bigserial primary key);",
}

// full is the share of a type from which it is reported.
const full = 0.7

func checkRunningOut(p *pass) {
	counted := map[*catalog.Column]bool{}
	for _, s := range p.Sequences {
		t := p.ByID(s.Table)
		if s.Step <= 0 || t != nil && foreign(t) != "" {
			continue
		}
		var c *catalog.Column
		if t != nil {
			c = t.Column(s.Column)
		}
		limit := s.Max
		if c != nil {
			counted[c] = true
			limit = min(limit, largest(c.Base))
			if s.Cycle && !inUnique(t, c.Name) {
				continue
			}
		} else if s.Cycle {
			continue
		}
		if float64(s.Last) > full*float64(limit) {
			p.reportRunningOut(t, c, s, s.Last, limit)
		}
	}
	if p.rows == nil {
		return
	}
	for t := range p.tables {
		c := keyColumn(t)
		if c == nil || counted[c] || width(c.Base) == 0 || width(c.Base) == 8 {
			continue
		}
		if last, err := p.rows.largest(p.ctx, t, c.Name); err == nil && float64(last) > full*float64(largest(c.Base)) {
			p.reportRunningOut(t, c, nil, last, largest(c.Base))
		}
	}
}

// largest returns the largest integer of a type.
func largest(typ string) int64 {
	switch width(typ) {
	case 2:
		return math.MaxInt16
	case 4:
		return math.MaxInt32
	}
	return math.MaxInt64
}

func (p *pass) reportRunningOut(t *catalog.Table, c *catalog.Column, s *catalog.Sequence, last, limit int64) {
	percent := int(100 * (float64(last) / float64(limit)))
	if c == nil {
		r := p.reportObject(finding.Proved, s.String(), "Sequence %s has given %d %% of its numbers.", s.Name, percent)
		r.sql(p.widen(s)...)
		return
	}
	r := p.report(finding.Proved, t, c, "%s.%s has used %d %% of its numbers.", t.Name, c.Name, percent)
	var statements []string
	if width(c.Base) < 8 {
		statements = p.alterType(t, c.Name, "bigint", "")
		for child := range p.tables {
			for _, fk := range child.ForeignKeys {
				if i := slices.Index(fk.ToColumns, c.Name); fk.To == t.ID && i >= 0 {
					statements = append(statements, p.alterType(child, fk.Columns[i], "bigint", "")...)
				}
			}
		}
	}
	if s != nil {
		statements = append(statements, p.widen(s)...)
	}
	if len(statements) > 0 {
		r.sql(statements...)
	}
}

// widen gives a sequence all numbers of bigint.
func (p *pass) widen(s *catalog.Sequence) []string {
	if s.Max == math.MaxInt64 {
		return nil
	}
	sequence := "alter sequence " + catalog.Qualified(s.Schema, s.Name)
	if p.Cockroach() {
		return []string{sequence + " maxvalue 9223372036854775807"} // NO MAXVALUE changes nothing in version 21.1
	}
	return []string{sequence + " as bigint no maxvalue"}
}
