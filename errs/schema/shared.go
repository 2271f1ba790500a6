package schema

import (
	"slices"
	"strings"

	"github.com/rowkeeper/rowkeeper/errs/internal/rules"
)

// checkSharedNames checks names that CockroachDB cannot tell apart, because it sends
// the name of a constraint without the table. If a rule for any table is used, there
// is nothing to report: no better one is possible.
func (v *verification) checkSharedNames() {
	if !v.live.cockroach {
		return
	}
	var names []string
	for _, r := range v.rules {
		if r.Constraint != "" {
			names = append(names, r.Constraint)
		}
	}
	for _, name := range uniq(names) {
		sharing := v.violable(name)
		if len(v.tablesOf(name)) < 2 || v.oldKey(sharing[0]) {
			continue
		}
		if slices.ContainsFunc(sharing, func(l *liveConstraint) bool {
			got, ok := v.lookup(l, name, "")
			return !ok || got.Table != "" && got.Table != l.table
		}) {
			v.reportSharedOnCockroach(SharedName, name, sharing)
		}
	}
}

// reportSharedOnCockroach proposes one rule for all: the first that is written and
// of the right sort, or a new one.
func (v *verification) reportSharedOnCockroach(kind FindingKind, name string, sharing []*liveConstraint) {
	first := sharing[0]
	proposal := v.suggest(first, first.signals)[0]
	for _, l := range sharing {
		v.done[l] = true
		if (l.sort == sortForeignKey) != (first.sort == sortForeignKey) {
			proposal = rules.Rule{}
			kind = SharedName
		}
		if proposal.Reply != nil && !slices.Equal(l.columns, first.columns) {
			proposal = rules.Rule{Constraint: name, Reply: &rules.Reply{Code: word(name)}}
		}
	}
	if proposal.Constraint == "" {
		v.report(kind, strings.Join(v.tablesOf(name), ", "), name, nil, "",
			"CockroachDB does not say which table it was, and one rule cannot be for a foreign key and another constraint: rename one of them")
		return
	}
	for _, r := range v.rules {
		if r.Constraint == name && (r.Reply != nil) == (first.sort != sortForeignKey) {
			proposal = on(r, "")
			break
		}
	}
	v.report(kind, strings.Join(v.tablesOf(name), ", "), name, []rules.Rule{proposal}, "",
		"CockroachDB does not say which table it was: a rule without On(table) that is right for all of them, or a name of its own for each, is needed")
}

func uniq(words []string) []string {
	words = slices.Clone(words)
	slices.Sort(words)
	return slices.Compact(words)
}
