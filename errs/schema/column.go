package schema

import (
	"slices"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/rowkeeper/rowkeeper/errs/internal/rules"
)

func (v *verification) lookupColumn(table, column string) (rules.Rule, bool) {
	r, ok := v.catalog.Find(&pgconn.PgError{Code: stateNotNull, TableName: table, ColumnName: column})
	if !ok || r.Column == "" {
		return rules.Rule{}, false
	}
	return r, true
}

// checkColumnRule checks that the column of a rule exists and is NOT NULL.
func (v *verification) checkColumnRule(r rules.Rule) {
	tableThere, nullable := false, false
	var domain domainType
	var parent *liveColumn
	for _, g := range v.live.columns {
		for _, m := range g.members {
			if m.table != r.Table {
				continue
			}
			tableThere = true
			switch {
			case g.column != r.Column:
			case !m.notNull:
				nullable, domain = true, m.domain
			case m.rows:
				return
			default:
				parent = g
			}
		}
	}
	switch {
	case parent != nil:
		v.doneColumns[parent] = true
		v.report(WrongRule, r.Table, r.Column, v.unruledMembers(parent, r), head(r),
			"%s has partitions, and the server names the partition instead of it", r.Table)
	case domain.notNull:
		mended := r
		mended.Table, mended.Column, mended.Domain = "", "", domain.name
		var add []rules.Rule
		if !slices.ContainsFunc(v.rules, func(r rules.Rule) bool { return r.Domain == domain.name }) {
			add = []rules.Rule{mended}
		}
		v.report(WrongRule, r.Table, r.Column, add, head(r),
			"only the domain of the column refuses NULL, and then the server names the domain, not the column")
	case nullable:
		v.report(WrongRule, r.Table, r.Column, nil, head(r),
			"the column may be NULL: make it NOT NULL, or drop the rule")
	case tableThere:
		v.report(StaleRule, r.Table, r.Column, nil, head(r), "the table has no such column")
	default:
		v.report(StaleRule, r.Table, r.Column, nil, head(r),
			"the schema %s has no such table", strings.Join(v.live.searched, ", "))
	}
}

// unruledMembers returns a copy of model for each of the partitions that have no rule.
func (v *verification) unruledMembers(g *liveColumn, model rules.Rule) (add []rules.Rule) {
	for _, m := range g.members {
		if _, ok := v.lookupColumn(m.table, g.column); m.rows && m.notNull && !ok {
			model.Table = m.table
			add = append(add, model)
		}
	}
	return add
}

// checkColumns checks columns of which only some have a rule: partitions of one table,
// and on CockroachDB those of the same name.
func (v *verification) checkColumns() {
	if v.live.cockroach {
		v.checkSharedColumns()
		return
	}
	for _, g := range v.live.columns {
		if v.doneColumns[g] {
			continue
		}
		for _, m := range g.members {
			model, ok := v.lookupColumn(m.table, g.column)
			if !ok {
				continue
			}
			if add := v.unruledMembers(g, model); add != nil {
				v.report(MissingRule, g.table, g.column, add, "",
					"the server names the partition or inheriting table, and not all of them have a rule")
			}
			break
		}
	}
}

func (v *verification) checkSharedColumns() {
	var columns []string
	for _, r := range v.rules {
		if r.Column != "" {
			columns = append(columns, r.Column)
		}
	}
	for _, column := range uniq(columns) {
		var tables, without []string
		for _, g := range v.live.columns {
			m := g.members[0]
			if g.column != column || !m.notNull || m.generated {
				continue
			}
			tables = append(tables, g.table)
			if _, ok := v.lookupColumn(g.table, column); !ok {
				without = append(without, g.table)
			}
		}
		tables, without = uniq(tables), uniq(without)
		switch {
		case len(tables) < 2:
		case len(without) == 0:
			v.report(SharedName, strings.Join(tables, ", "), column, nil, "",
				"CockroachDB does not say which table it was: a client hears that a value is missing, but not which, unless only one table has a NOT NULL column of this name")
		case len(without) < len(tables):
			v.report(SharedName, strings.Join(tables, ", "), column, nil, "",
				"CockroachDB does not say which table it was: a NULL in %s is taken for the client's fault too, though it has no rule", strings.Join(without, ", "))
		}
	}
}

// checkDomainRule checks that a column has the domain, and that the domain refuses NULL.
func (v *verification) checkDomainRule(r rules.Rule) {
	there := false
	for _, g := range v.live.columns {
		for _, m := range g.members {
			if m.domain.name == r.Domain {
				if m.domain.notNull {
					return
				}
				there = true
			}
		}
	}
	if there {
		v.report(WrongRule, r.Domain, r.Domain, nil, head(r), "the domain may be NULL: make it NOT NULL, or drop the rule")
		return
	}
	v.report(StaleRule, r.Domain, r.Domain, nil, head(r), "no column of the schema %s is of this domain", strings.Join(v.live.searched, ", "))
}
