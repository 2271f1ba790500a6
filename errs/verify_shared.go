package errs

import (
	"slices"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"
)

// checkSharedNames looks at what CockroachDB cannot tell apart, because it
// sends the name of a constraint without the table. Where a rule for any table
// is used there is nothing to say: no better one is possible.
func (v *verification) checkSharedNames() {
	if !v.live.cockroach {
		return
	}
	var names []string
	for _, r := range v.rules {
		if r.column == "" {
			names = append(names, r.constraint)
		}
	}
	for _, name := range uniq(names) {
		sharing := v.contenders(name)
		if len(v.tablesOf(name)) < 2 {
			continue
		}
		if slices.ContainsFunc(sharing, func(l *liveConstraint) bool {
			got, ok := v.lookup(l, name, "")
			if !ok {
				return true
			}
			own, written := v.lookup(l, name, l.table)
			return got.table != "" && got.table != l.table && !(written && got.saysAs(own))
		}) {
			v.saySharedOnCockroach(SharedName, name, sharing)
		}
	}
}

// saySharedOnCockroach proposes one rule for all: the first that is written and
// of the right sort, or a new one.
func (v *verification) saySharedOnCockroach(kind FindingKind, name string, sharing []*liveConstraint) {
	first := sharing[0]
	proposal := v.suggest(first, first.signals)[0]
	for _, l := range sharing {
		v.done[l] = true
		if (l.sort == sortForeignKey) != (first.sort == sortForeignKey) {
			proposal = Rule{}
			kind = SharedName
		}
		if proposal.reply != nil && !slices.Equal(l.columns, first.columns) {
			proposal = Constraint(name).Code(word(name))
		}
	}
	if proposal.constraint == "" {
		v.say(kind, strings.Join(v.tablesOf(name), ", "), name, nil, "",
			"CockroachDB does not say which table it was, and one rule cannot be for a foreign key and another constraint: rename one of them")
		return
	}
	for _, r := range v.rules {
		if r.constraint == name && (r.reply != nil) == (first.sort != sortForeignKey) {
			proposal = r.On("")
			break
		}
	}
	v.say(kind, strings.Join(v.tablesOf(name), ", "), name, []Rule{proposal}, "",
		"CockroachDB does not say which table it was: a rule without On(table) that is right for all of them, or a name of its own for each, is needed")
}

// saysAs reports whether a client hears the same from both.
func (r Rule) saysAs(other Rule) bool {
	same := func(a, b *reply) bool { return a == b || a != nil && b != nil && *a == *b }
	return same(r.reply, other.reply) && same(r.missing, other.missing) && same(r.inUse, other.inUse)
}

func (v *verification) lookupColumn(table, column string) (Rule, bool) {
	r, ok := v.catalog.columnRule(&pgconn.PgError{Code: codeNotNull, TableName: table, ColumnName: column})
	return r, ok && r.column != ""
}

// checkColumnRule looks whether the column of a rule is there and may not be
// NULL.
func (v *verification) checkColumnRule(r Rule) {
	tableThere, nullable, byDomain := false, false, false
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
				nullable, byDomain = true, m.byDomain
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
	case byDomain:
		v.say(WrongRule, r.table, r.column, nil, r.head(),
			"only the domain of the column refuses NULL, and then the server names no column: make the column itself NOT NULL, or drop the rule")
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
		clear := true
		for _, g := range v.live.columns {
			m := g.members[0]
			if g.column != column || !m.notNull || m.generated {
				continue
			}
			tables = append(tables, g.table)
			own, written := v.lookupColumn(g.table, column)
			if !written {
				without = append(without, g.table)
			}
			got, ok := v.lookupColumn("", column)
			clear = clear && ok && written && got.saysAs(own)
		}
		tables, without = uniq(tables), uniq(without)
		switch {
		case len(tables) < 2 || clear:
		case len(without) == 0:
			v.say(SharedName, strings.Join(tables, ", "), column, nil, "",
				"CockroachDB does not say which table it was: a client hears that a value is missing, but not which, unless only one table has a NOT NULL column of this name")
		case len(without) < len(tables):
			v.say(SharedName, strings.Join(tables, ", "), column, nil, "",
				"CockroachDB does not say which table it was: a NULL in %s is taken for the client's fault too, though it has no rule", strings.Join(without, ", "))
		}
	}
}

func uniq(words []string) []string {
	words = slices.Clone(words)
	slices.Sort(words)
	return slices.Compact(words)
}
