package audit

import (
	"github.com/rowkeeper/rowkeeper/cmd/rowkeeper/audit/catalog"
	"github.com/rowkeeper/rowkeeper/cmd/rowkeeper/finding"
)

var cardData = &finding.Rule{
	ID: "RKA18", Name: "card-data", Severity: finding.Critical,
	Title: "Data of payment cards is stored that must not be",
	CWE:   []int{312}, API: "API3", PCI: "3.3.1.1 to 3.3.1.3, 3.5.1",
	Why: "A card verification code, the track of a magnetic stripe and a PIN block must not be kept after authorization, not even " +
		"encrypted. A card number must be unreadable wherever it is stored. Whoever reads the table, a backup or a replica can pay with it.",
	Fix: "Do not store it: keep the token of the payment provider, and the last four digits.",
	Silent: "Last digits, BINs, masked, hashed and encrypted numbers, tokens, results of a check, and numbers of cards that are not for " +
		"paying. A column pan is only suspected unless the table is about cards.",
	Bad:  "create table cards (id bigint primary key, user_id bigint not null references users, number_pan text, cvv text);",
	Good: "create table cards (id bigint primary key, user_id bigint not null references users, provider_token text not null, last4 text);",
}

var (
	verificationNames = set(`cvv cvv2 cvc cvc2 cav2 cvn card_cvv card_cvc card_cvv2 card_cvc2 cvv_code cvc_code cvv_number
		card_verification_code card_verification_value card_security_code track1 track2 track_1 track_2 track_data track1_data
		track2_data magstripe magstripe_data magnetic_stripe pin_block encrypted_pin_block card_pin`)
	numberNames = set(`card_number cardnumber card_no credit_card_number creditcard_number cc_number debit_card_number
		payment_card_number primary_account_number card_pan number_pan pan`)
	cardWords       = set("card payment creditcard charge billing")
	otherCardsWords = set("library loyalty gift membership member id identity business sim student health insurance report score punch time bonus discount")
)

func checkCardData(p *pass) {
	for t := range p.tables {
		for _, c := range t.Columns {
			column := snake(c.Name)
			switch {
			case c.Base == "boolean" || c.Generated:
			case verificationNames[column]:
				p.report(finding.Strong, t, c, "%s.%s stores what must not be kept after authorization.", t.Name, c.Name).
					sql(alter(t, "drop column "+catalog.Quote(c.Name)))
			case numberNames[column] && (isText(c) || isInteger(c) || c.Base == "numeric") && !hasWord(t.Name, otherCardsWords):
				p.reportNumber(t, c, column)
			}
		}
	}
}

// reportNumber reports a card number. PAN is also the name of a tax number.
func (p *pass) reportNumber(t *catalog.Table, c *catalog.Column, column string) {
	confidence := finding.Strong
	if column == "pan" && !hasWord(t.Name, cardWords) {
		confidence = finding.Suspected
	}
	r := p.report(confidence, t, c, "%s.%s stores card numbers that can be read.", t.Name, c.Name)
	statements := []string{alter(t, "drop column "+catalog.Quote(c.Name))}
	if t.Column("card_last4") == nil {
		last := "right(" + catalog.Quote(c.Name) + "::text, 4)"
		statements = append([]string{
			alter(t, "add column card_last4 text"), "update " + name(t) + " set card_last4 = " + last,
		}, statements...)
	}
	r.sql(statements...)
	if isText(c) {
		p.prove(r, where(t, c.Name, `~ '^[2-6][0-9 -]{12,22}$'`), "values look like card numbers")
	}
}
