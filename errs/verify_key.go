package errs

import (
	"slices"
	"strings"
)

// oldKey reports whether the server calls the primary key like all others, so
// that only its columns tell which one it is.
func (v *verification) oldKey(l *liveConstraint) bool {
	return v.live.cockroach && l.sort == sortPrimary && l.name == constraintPrimary
}

// sameKey gives the other tables that an old primary key may be taken for.
func (v *verification) sameKey(l *liveConstraint) (tables []string) {
	for _, other := range v.live.constraints {
		if other != l && other.table != l.table && v.oldKey(other) && !other.generated && slices.Equal(other.columns, l.columns) {
			tables = append(tables, other.table)
		}
	}
	return uniq(tables)
}

// checkKey looks at rules for primary keys, and reports whether there is no more
// to look for.
func (v *verification) checkKey(r Rule, named []*liveConstraint) bool {
	if v.live.cockroach && r.constraint == constraintPrimary && len(named) > 0 &&
		!slices.ContainsFunc(named, func(l *liveConstraint) bool { return l.sort != sortPrimary }) {
		v.say(WrongRule, r.table, r.constraint, nil, r.head(),
			"this version of CockroachDB gives every primary key this name: the rule is never used, PrimaryKey with columns is")
		return true
	}
	i := slices.IndexFunc(v.live.constraints, func(l *liveConstraint) bool {
		return l.sort == sortPrimary && l.table == r.table && (v.oldKey(l) || l.has(r.constraint, r.table) || v.live.cockroach && l.hasName(r.constraint))
	})
	if i < 0 || r.constraint != r.table+suffixPrimaryKey {
		return false
	}
	l := v.live.constraints[i]
	columns := strings.Join(l.columns, ", ")
	mended := r
	mended.key = l.columns
	switch same := v.sameKey(l); {
	case len(r.key) == 0 && !v.oldKey(l):
		return false
	case v.oldKey(l) && len(same) > 0:
		v.done[l] = true
		v.say(SharedName, l.table, l.name, nil, "",
			"%s has a primary key of the same columns (%s), and this version of CockroachDB names neither table nor key: give it a name of its own",
			strings.Join(same, ", "), columns)
	case !slices.Equal(r.key, l.columns):
		v.done[l] = true
		v.say(WrongRule, l.table, r.constraint, []Rule{mended}, r.head(),
			"the columns of the primary key are %s, and CockroachDB before 21.2 is told by them which one it is", columns)
	}
	return true
}
