package audit

import (
	"strings"

	"github.com/rowkeeper/rowkeeper/cmd/rowkeeper/audit/catalog"
	"github.com/rowkeeper/rowkeeper/cmd/rowkeeper/finding"
)

var floatMoney = &finding.Rule{
	ID: "RKA09", Name: "float-money", Severity: finding.High,
	Title: "Money is stored as a floating-point number",
	CWE:   []int{1339}, PCI: finding.PCIData,
	Why: "0.1 has no exact floating-point value. Sums depend on the order of their parts, a comparison with a price fails by a " +
		"fraction of a cent, and rounding can be used to gain money.",
	Fix: "Use numeric, or bigint with the smallest unit.",
	Silent: "Rates, ratios, percentages, scores and averages. An amount without a currency, in a table that is not about payments, " +
		"is only suspected.",
	Bad:  "create table invoices (id bigint primary key, total_amount double precision not null);",
	Good: "create table invoices (id bigint primary key, total_amount numeric(19, 4) not null);",
}

var (
	moneyWords    = set("price cost balance subtotal fee salary wage payment revenue refund payout earning money")
	notMoneyWords = set(`rate ratio percent percentage pct score factor weight multiplier exchange average avg mean count
		num units quantity qty share probability confidence estimate estimated predicted elasticity index hours days weight
		sentiment loss energy compute query planner model`)
	currencyWords = set("cents usd eur gbp currency")
	paymentWords  = set(`payment invoice order transaction transfer account ledger charge refund expense budget payroll fee credit
		debit deposit withdrawal wallet purchase sale billing bill receipt donation salary cart checkout coupon loan payout`)
)

func checkFloatMoney(p *pass) {
	for t := range p.tables {
		for _, c := range t.Columns {
			if !isFloat(c) || c.Generated || hasWord(c.Name, notMoneyWords) {
				continue
			}
			confidence := finding.Strong
			switch {
			case hasWord(c.Name, moneyWords), hasWord(c.Name, currencyWords):
			case hasWord(c.Name, set("amount")):
				if !hasWord(t.Name, paymentWords) && !hasCurrency(t) {
					confidence = finding.Suspected
				}
			default:
				continue
			}
			r := p.report(confidence, t, c, "%s.%s is money, and %s cannot hold it exactly.", t.Name, c.Name, c.Base)
			if p.Cockroach() {
				r.sql(p.alterType(t, c.Name, "decimal(19,4)", "")...)
			} else {
				r.sql(p.alterType(t, c.Name, "numeric(19,4)", catalog.Quote(c.Name)+"::numeric(19,4)")...)
			}
		}
	}
}

func hasCurrency(t *catalog.Table) bool {
	for _, c := range t.Columns {
		if strings.Contains(snake(c.Name), "currency") {
			return true
		}
	}
	return false
}
