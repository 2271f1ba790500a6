package audit

import (
	"slices"
	"strings"

	"github.com/rowkeeper/rowkeeper/cmd/rowkeeper/audit/catalog"
	"github.com/rowkeeper/rowkeeper/cmd/rowkeeper/finding"
)

var keyNotUnique = &finding.Rule{
	ID: "RKA06", Name: "key-not-unique", Severity: finding.High,
	Title: "A login, a secret that is looked up, or an idempotency key is not unique",
	CWE:   []int{694}, PCI: finding.PCIData,
	Why: "The code looks for one row and takes the first. Two requests at once insert two rows, whatever the code asked before: two " +
		"accounts with one email, a token that opens somebody else's session, a payment that is made twice.",
	Fix: "Add a unique index; for an idempotency key with the owner in it.",
	Silent: "Any unique index that has the column, also with an expression or a condition. Codes, numbers and references are never meant, " +
		"nor is a second login column beside a unique one, nor tokens that others issued.",
	Bad:       "create table users (id bigint primary key, email text not null);",
	Good:      "create table users (id bigint primary key, email text not null); create unique index on users (lower(email));",
	Rowkeeper: "once.Key in txn/once, for idempotency keys",
}

var (
	loginNames = set("email email_address username user_name login login_name")

	// Secrets by which a row is found. What others issued, such as access_token, is stored
	// and not looked up.
	secretNames = set(`token token_hash token_digest hashed_token api_key api_key_hash api_token api_token_hash session_token
		session_token_hash reset_token reset_password_token password_reset_token confirmation_token invitation_token invite_token
		verification_token magic_token magic_link_token unsubscribe_token`)

	idempotencyNames = set("idempotency_key idempotency_token")
)

func checkKeyNotUnique(p *pass) {
	for t := range p.tables {
		login := false
		for _, c := range t.Columns {
			login = login || loginNames[snake(c.Name)] && inUnique(t, c.Name)
		}
		for _, c := range t.Columns {
			column := snake(c.Name)
			if inUnique(t, c.Name) || c.Hidden {
				continue
			}
			columns := []string{c.Name}
			switch principal := p.owners.principals[t.ID]; {
			case loginNames[column] && principal != nil && !principal.tenant && isText(c) && !login:
				p.notUnique(t, c, columns, "%s.%s is a login, and two rows may have the same.", "logins are there twice")
			case secretNames[column] && lookedUp(c) && !isLog(t.Name):
				p.notUnique(t, c, columns, "%s.%s is a secret by which a row is found, and two rows may have the same.", "secrets are there twice")
			case idempotencyNames[column] && !isLog(t.Name):
				if owner := p.owners.owner(t); owner != nil {
					columns = []string{owner.Name, c.Name}
				}
				p.notUnique(t, c, columns, "%s.%s is an idempotency key, and two rows may have the same.", "keys are there twice")
			}
		}
	}
}

func (p *pass) notUnique(t *catalog.Table, c *catalog.Column, columns []string, message, what string) {
	index, query := p.createIndex(t, true, columns...), duplicates(t, columns...)
	if strings.HasPrefix(c.Default, "''") { // rows without a value have the same one
		index += " where " + catalog.Quote(c.Name) + " <> ''"
		query = "select 1 from " + name(t) + " where " + quoted(c.Name) + " <> '' group by " + quoted(columns...) + " having count(*) > 1"
	}
	r := p.report(finding.Strong, t, c, message, t.Name, c.Name).sql(index)
	p.prove(r, query, what)
}

// inUnique reports whether a unique index has the column, as it is or in an expression.
func inUnique(t *catalog.Table, column string) bool {
	return slices.ContainsFunc(t.Indexes, func(i *catalog.Index) bool {
		return (i.Unique && i.Valid || i.Exclusion) &&
			(slices.Contains(i.Columns, column) || mentions(i.Expressions, column))
	})
}

func lookedUp(c *catalog.Column) bool { return isText(c) || c.Base == "bytea" || c.Base == "uuid" }
