package audit

import (
	"fmt"
	"slices"

	"github.com/rowkeeper/rowkeeper/cmd/rowkeeper/audit/catalog"
	"github.com/rowkeeper/rowkeeper/cmd/rowkeeper/finding"
)

var crossOwnerFK = &finding.Rule{
	ID: "RKA04", Name: "cross-owner-fk", Severity: finding.High,
	Title: "A foreign key between owned tables leaves the owner out",
	CWE:   []int{639}, API: "API1", PCI: finding.PCIAccess,
	Why: "The database accepts a row of one owner that refers to a row of another. A client that sends a foreign ID in a body " +
		"then reads or changes what it refers to, through a join that looks right.",
	Fix: "Add a unique key (owner, id) to the parent, and a composite foreign key with the owner.",
	Silent: "A composite foreign key keeps the owner; rows of the parent may be shared, because its owner may be NULL. Between " +
		"tables of users, who share things, a column may name a recipient, and only accounts, cards, addresses and the like are more than suspected. " +
		"There is one finding for each parent.",
	Bad: "create table invoices (id bigint primary key, org_id bigint not null references orgs,\n" +
		"\tcustomer_id bigint not null references customers (id));",
	Good: "create table invoices (id bigint primary key, org_id bigint not null references orgs, customer_id bigint not null,\n" +
		"\tforeign key (org_id, customer_id) references customers (org_id, id));",
	Rowkeeper: "Accounts.In(me) in owner: an insert or update checks whose row it refers to",
}

// A column with such a word may refer to somebody else's row.
var recipientWords = set("to recipient receiver payee beneficiary destination dest target invited invitee shared guest counterparty other")

// privateNames are the names of tables whose rows users do not share, so that a
// reference to somebody else's is a fault.
var privateNames = set(`account bank_account wallet card credit_card payment_card payment_method address shipping_address
	billing_address cart order invoice contact_method credential api_key subscription`)

func checkCrossOwnerFK(p *pass) {
	for parent := range p.tables {
		owner := p.owners.owner(parent)
		if owner == nil || !owner.NotNull || owner.principal == nil {
			continue
		}
		var keys, statements []string
		for child := range p.tables {
			mine := p.ownedAlike(child, owner)
			if mine == nil {
				continue
			}
			for _, fk := range child.ForeignKeys {
				if fk.To != parent.ID || !owner.principal.tenant && namesRecipient(fk) || keepsOwner(child, fk, mine.Name, owner.Name) {
					continue
				}
				keys = append(keys, child.Name+"."+names(fk.Columns))
				if len(keys) == 1 {
					statements = append(statements, p.uniqueForOwner(parent, owner.Name, fk.ToColumns)...)
				}
				statements = append(statements, p.addForeignKey(child, append([]string{mine.Name}, fk.Columns...),
					parent, append([]string{owner.Name}, fk.ToColumns...))...)
			}
		}
		if len(keys) == 0 {
			continue
		}
		confidence := finding.Suspected
		if owner.principal.tenant || privateNames[singular(parent.Name)] {
			confidence = finding.Strong
		}
		how := fmt.Sprintf("%d foreign keys let", len(keys))
		if len(keys) == 1 {
			how = "A foreign key lets"
		}
		p.report(confidence, parent, nil, "%s a row of one %s refer to %s of another: %s.", how, owner.kind(), parent.Name, names(keys)).
			sql(statements...)
	}
}

func namesRecipient(fk *catalog.ForeignKey) bool {
	return slices.ContainsFunc(fk.Columns, func(c string) bool { return hasWord(c, recipientWords) })
}

// ownedAlike returns the column of the child that holds the same kind of owner, or nil.
func (p *pass) ownedAlike(child *catalog.Table, owner *ownerColumn) *ownerColumn {
	for _, c := range p.owners.columns[child.ID] {
		if c.principal == owner.principal {
			return c
		}
	}
	return nil
}

// keepsOwner reports whether this foreign key, or another one over its columns, makes the
// owners of both rows the same.
func keepsOwner(child *catalog.Table, fk *catalog.ForeignKey, mine, owner string) bool {
	return slices.ContainsFunc(child.ForeignKeys, func(other *catalog.ForeignKey) bool {
		if other.To != fk.To || !contains(other.Columns, fk.Columns...) {
			return false
		}
		i := slices.Index(other.Columns, mine)
		return i >= 0 && other.ToColumns[i] == owner
	})
}

// uniqueForOwner returns the statements that add the key which the foreign keys need, if
// there is none. CockroachDB compares the order of its columns, too.
func (p *pass) uniqueForOwner(t *catalog.Table, owner string, key []string) []string {
	columns := append([]string{owner}, key...)
	for _, i := range t.Indexes {
		if i.Enforces() && !i.Deferrable && len(i.Columns) == len(columns) && contains(i.Columns, columns...) &&
			(!p.Cockroach() || slices.Equal(i.Columns, columns)) {
			return nil
		}
	}
	return []string{p.createIndex(t, true, columns...)}
}
