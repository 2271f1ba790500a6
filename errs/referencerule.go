package errs

import (
	"slices"
	"strings"

	"github.com/rowkeeper/rowkeeper/internal/pgerr"
)

// referenceRule finds the rule for a foreign key whose columns an error knows: a rule
// that names the columns, or one with a name that a database gives to a foreign key.
func (c *Catalog) referenceRule(err pgerr.MissingReference) *Rule {
	if c == nil || isNil(err) {
		return nil
	}
	fk, ok := err.ForeignKey()
	if !ok {
		return nil
	}
	for i := range c.rules {
		if r := &c.rules[i]; r.columns != nil && r.table == fk.Table && r.missing != nil && sameNames(r.columns, fk) {
			return r
		}
	}
	for _, columns := range [][]string{fk.Columns, slices.Concat(fk.Owners, fk.Columns), slices.Concat(fk.Columns, fk.Owners)} {
		list := strings.Join(columns, "_")
		for _, name := range []string{fk.Table + "_" + list + "_fkey", "fk_" + list + "_ref_" + fk.Parent} {
			if r := pick(c.constraints[name], fk.Table); r != nil && r.missing != nil {
				return r
			}
		}
	}
	return nil
}

// sameNames reports whether the columns of a rule are those of the foreign key, in
// any order, with or without those of the owner.
func sameNames(columns []string, fk pgerr.ForeignKey) bool {
	left := slices.Clone(columns)
	for _, name := range fk.Columns {
		i := slices.Index(left, name)
		if i < 0 {
			return false
		}
		left = slices.Delete(left, i, i+1)
	}
	return !slices.ContainsFunc(left, func(name string) bool { return !slices.Contains(fk.Owners, name) })
}
