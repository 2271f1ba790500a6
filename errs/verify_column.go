package errs

import (
	"slices"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"
)

func (v *verification) lookupColumn(table, column string) (Rule, bool) {
	r := v.catalog.notNullRule(&pgconn.PgError{Code: stateNotNull, TableName: table, ColumnName: column})
	if r == nil || r.column == "" {
		return Rule{}, false
	}
	return *r, true
}

// checkColumnRule looks whether the column of a rule is there and may not be
// NULL.
func (v *verification) checkColumnRule(r Rule) {
	tableThere, nullable := false, false
	var domain domainType
	var parent *liveColumn
	for _, g := range v.live.columns {
		for _, m := range g.members {
			if m.table != r.table {
				continue
			}
			tableThere = true
			switch {
			case g.column != r.column:
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
		v.say(WrongRule, r.table, r.column, v.unruledMembers(parent, r), r.head(),
			"%s has partitions, and the server names the partition instead of it", r.table)
	case domain.notNull:
		mended := r
		mended.table, mended.column, mended.domain = "", "", domain.name
		var add []Rule
		if !slices.ContainsFunc(v.rules, func(r Rule) bool { return r.domain == domain.name }) {
			add = []Rule{mended}
		}
		v.say(WrongRule, r.table, r.column, add, r.head(),
			"only the domain of the column refuses NULL, and then the server names the domain, not the column")
	case nullable:
		v.say(WrongRule, r.table, r.column, nil, r.head(),
			"the column may be NULL: make it NOT NULL, or drop the rule")
	case tableThere:
		v.say(StaleRule, r.table, r.column, nil, r.head(), "the table has no such column")
	default:
		v.say(StaleRule, r.table, r.column, nil, r.head(),
			"the schema %s has no such table", strings.Join(v.live.searched, ", "))
	}
}

// unruledMembers gives what model says to the partitions that have no rule.
func (v *verification) unruledMembers(g *liveColumn, model Rule) (rules []Rule) {
	for _, m := range g.members {
		if _, ok := v.lookupColumn(m.table, g.column); m.rows && m.notNull && !ok {
			model.table = m.table
			rules = append(rules, model)
		}
	}
	return rules
}

// checkColumns looks at columns of which only some have a rule: partitions of
// one table, and on CockroachDB those of the same name.
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
				v.say(MissingRule, g.table, g.column, add, "",
					"the server names the partition or inheriting table, and not all of them have a rule")
			}
			break
		}
	}
}

func (v *verification) checkSharedColumns() {
	var columns []string
	for _, r := range v.rules {
		if r.column != "" {
			columns = append(columns, r.column)
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
			v.say(SharedName, strings.Join(tables, ", "), column, nil, "",
				"CockroachDB does not say which table it was: a client hears that a value is missing, but not which, unless only one table has a NOT NULL column of this name")
		case len(without) < len(tables):
			v.say(SharedName, strings.Join(tables, ", "), column, nil, "",
				"CockroachDB does not say which table it was: a NULL in %s is taken for the client's fault too, though it has no rule", strings.Join(without, ", "))
		}
	}
}

// checkDomainRule looks whether a column has the domain, and the domain refuses
// NULL.
func (v *verification) checkDomainRule(r Rule) {
	there := false
	for _, g := range v.live.columns {
		for _, m := range g.members {
			if m.domain.name == r.domain {
				if m.domain.notNull {
					return
				}
				there = true
			}
		}
	}
	if there {
		v.say(WrongRule, r.domain, r.domain, nil, r.head(), "the domain may be NULL: make it NOT NULL, or drop the rule")
		return
	}
	v.say(StaleRule, r.domain, r.domain, nil, r.head(), "no column of the schema %s is of this domain", strings.Join(v.live.searched, ", "))
}
