package schema

import (
	"slices"
	"strings"

	"github.com/rowkeeper/rowkeeper/errs/internal/rules"
)

// oldKey reports whether the server gives the primary key the same name as all others, so
// that only its columns tell which one it is.
func (v *verification) oldKey(l *liveConstraint) bool {
	return v.live.cockroach && l.sort == sortPrimary && l.name == rules.OldPrimaryKey
}

// sameKey returns the other tables that an old primary key may be taken for.
func (v *verification) sameKey(l *liveConstraint) (tables []string) {
	for _, other := range v.live.constraints {
		if other != l && other.table != l.table && v.oldKey(other) && !other.generated && slices.Equal(other.columns, l.columns) {
			tables = append(tables, other.table)
		}
	}
	return uniq(tables)
}

// checkKey checks a rule for a primary key, and reports whether there is no more to
// check.
func (v *verification) checkKey(r rules.Rule, named []*liveConstraint) bool {
	if v.live.cockroach && r.Constraint == rules.OldPrimaryKey && len(named) > 0 &&
		!slices.ContainsFunc(named, func(l *liveConstraint) bool { return l.sort != sortPrimary }) {
		v.report(WrongRule, r.Table, r.Constraint, nil, head(r),
			"this version of CockroachDB gives every primary key this name: the rule is never used, PrimaryKey with columns is")
		return true
	}
	i := slices.IndexFunc(v.live.constraints, func(l *liveConstraint) bool {
		return l.sort == sortPrimary && l.table == r.Table && (v.oldKey(l) || l.has(r.Constraint, r.Table) || v.live.cockroach && l.hasName(r.Constraint))
	})
	if i < 0 || r.Constraint != r.Table+rules.PrimaryKeySuffix {
		return false
	}
	l := v.live.constraints[i]
	columns := strings.Join(l.columns, ", ")
	mended := r
	mended.Key = l.columns
	switch same := v.sameKey(l); {
	case len(r.Key) == 0 && !v.oldKey(l):
		return false
	case v.oldKey(l) && len(same) > 0:
		v.done[l] = true
		v.report(SharedName, l.table, l.name, nil, "",
			"%s has a primary key of the same columns (%s), and this version of CockroachDB names neither table nor key: give it a name of its own",
			strings.Join(same, ", "), columns)
	case !slices.Equal(r.Key, l.columns):
		v.done[l] = true
		v.report(WrongRule, l.table, r.Constraint, []rules.Rule{mended}, head(r),
			"the columns of the primary key are %s, and CockroachDB before 21.2 is told by them which one it is", columns)
	}
	return true
}
