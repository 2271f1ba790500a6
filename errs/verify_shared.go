package errs

import (
	"slices"
	"strings"
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
		if r.constraint != "" {
			names = append(names, r.constraint)
		}
	}
	for _, name := range uniq(names) {
		sharing := v.contenders(name)
		if len(v.tablesOf(name)) < 2 || v.oldKey(sharing[0]) {
			continue
		}
		if slices.ContainsFunc(sharing, func(l *liveConstraint) bool {
			got, ok := v.lookup(l, name, "")
			return !ok || got.table != "" && got.table != l.table
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

func uniq(words []string) []string {
	words = slices.Clone(words)
	slices.Sort(words)
	return slices.Compact(words)
}
