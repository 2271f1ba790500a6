package audit

import (
	"slices"
	"strings"

	"github.com/rowkeeper/rowkeeper/cmd/rowkeeper/audit/catalog"
	"github.com/rowkeeper/rowkeeper/cmd/rowkeeper/finding"
)

var unboundedBalance = &finding.Rule{
	ID: "RKA08", Name: "unbounded-balance", Severity: finding.High,
	Title: "A balance or a stock has no CHECK",
	CWE:   []int{1284}, PCI: finding.PCIData,
	Why: "Code that reads the balance, compares and subtracts lets two requests spend it twice. With a CHECK the second one fails, " +
		"whatever the code and the isolation level.",
	Fix: "ADD CHECK (balance >= 0) NOT VALID, then VALIDATE CONSTRAINT.",
	Silent: "Any check of the column or of its domain. Debts, and tables with an overdraft or a credit limit, may be negative; ledgers and " +
		"histories only record. Behind a trigger it is only suspected.",
	Bad:       "create table accounts (id bigint primary key, balance bigint not null);",
	Good:      "create table accounts (id bigint primary key, balance bigint not null check (balance >= 0));",
	Rowkeeper: "errs.Catalog, which turns the violation into a 4xx",
}

var (
	balanceNames = set(`balance balance_cents balance_amount available_balance current_balance account_balance wallet_balance
		cash_balance credit_balance credits_balance points_balance token_balance balance_amount_cents remaining_balance
		stock stock_quantity stock_count stock_level stock_on_hand on_hand quantity_on_hand qty_on_hand quantity_in_stock
		in_stock_quantity available_stock available_quantity quantity_available units_in_stock inventory inventory_count
		inventory_quantity remaining_stock credits_remaining remaining_credits seats_available available_seats seats_left`)

	// With such a word in its name, or in that of a column of its table, a balance may be
	// less than zero.
	negativeWords = set("debt overdraft delta liability adjustment owed due outstanding receivable payable opening closing running")

	// Tables that record balances of the past.
	recordWords = set("ledger entry transaction movement snapshot history log statement report summary daily monthly event audit")
)

func checkUnboundedBalance(p *pass) {
	for t := range p.tables {
		if hasWord(t.Name, recordWords) || hasWord(t.Name, negativeWords) || mayBeNegative(t) {
			continue
		}
		for _, c := range t.Columns {
			if !balanceNames[snake(c.Name)] || !isNumber(c) || c.Generated || c.DomainChecked || checked(t, c.Name) {
				continue
			}
			confidence := finding.Strong
			if slices.ContainsFunc(t.Triggers, func(tr *catalog.Trigger) bool { return tr.Writes && !tr.Disabled }) {
				confidence = finding.Suspected
			}
			r := p.report(confidence, t, c, "%s.%s may fall below zero: no CHECK bounds it.", t.Name, c.Name)
			r.sql(p.addConstraint(t, nameOf(t, []string{c.Name}, "check"), "check ("+catalog.Quote(c.Name)+" >= 0)")...)
			p.prove(r, where(t, c.Name, "< 0"), "rows are below zero; mend them before VALIDATE CONSTRAINT")
		}
	}
}

// mayBeNegative reports whether a column says that balances may be.
func mayBeNegative(t *catalog.Table) bool {
	return slices.ContainsFunc(t.Columns, func(c *catalog.Column) bool {
		name := snake(c.Name)
		return hasWord(name, set("overdraft")) || strings.Contains(name, "credit_limit") || strings.Contains(name, "allow_negative") ||
			strings.Contains(name, "negative_allowed")
	})
}

// checked reports whether a check that holds for new rows is about the column.
func checked(t *catalog.Table, column string) bool {
	return slices.ContainsFunc(t.Checks, func(c *catalog.Check) bool {
		return !c.NotNull && c.Enforced && (slices.Contains(c.Columns, column) || mentions(c.Definition, column))
	})
}

func isNumber(c *catalog.Column) bool {
	return isInteger(c) || isFloat(c) || c.Base == "numeric" || c.Base == "decimal"
}

func isInteger(c *catalog.Column) bool { return width(c.Base) > 0 }

// width returns the bytes of an integer type, or 0.
func width(typ string) int {
	switch typ {
	case "smallint", "int2":
		return 2
	case "integer", "int4":
		return 4
	case "bigint", "int8":
		return 8
	}
	return 0
}

func isFloat(c *catalog.Column) bool {
	switch c.Base {
	case "real", "double precision", "float4", "float8":
		return true
	}
	return false
}
