package errs

import (
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/rowkeeper/rowkeeper/errs/internal/rules"
)

func init() {
	rules.Of = func(catalog any) rules.Catalog { return catalog.(*Catalog).view() }
}

// view returns what package errs/schema compares with a schema.
func (c *Catalog) view() rules.Catalog {
	v := rules.Catalog{Find: c.find}
	if c == nil {
		return v
	}
	v.Inherited = c.partitions != nil
	for i := range c.rules {
		if r := &c.rules[i]; r.constraint != "" || r.column != "" || r.domain != "" {
			v.Rules = append(v.Rules, r.view())
		}
	}
	return v
}

func (c *Catalog) find(violation *pgconn.PgError) (rules.Rule, bool) {
	lookup := c.constraintRule
	if violation.Code == stateNotNull {
		lookup = c.notNullRule
	}
	if r := lookup(violation); r != nil {
		return r.view(), true
	}
	return rules.Rule{}, false
}

func (r *Rule) view() rules.Rule {
	return rules.Rule{
		Constraint: r.constraint, Column: r.column, Domain: r.domain, Table: r.table,
		Key: r.key, Columns: r.columns,
		Reply: r.reply.view(), Missing: r.missing.view(), InUse: r.inUse.view(),
		Kind: r.kind, Kinded: r.kinded, Status: r.status,
	}
}

func (p *reply) view() *rules.Reply {
	if p == nil {
		return nil
	}
	return &rules.Reply{Code: p.code, Field: p.field, Message: p.message}
}
