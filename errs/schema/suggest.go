package schema

import (
	"slices"
	"strings"

	"github.com/rowkeeper/rowkeeper/errs/internal/rules"
)

// suggest returns the rules that a constraint lacks. The codes are a first guess from the
// names in the schema.
func (v *verification) suggest(l *liveConstraint, signals []signal) (suggested []rules.Rule) {
	var names []string
	for _, s := range signals {
		if !slices.Contains(names, s.name) {
			names = append(names, s.name)
		}
	}
	for _, name := range names {
		r := v.ruleFor(l, name)
		var tables []string
		var of signal
		for _, s := range signals {
			if s.name == name {
				tables = append(tables, s.table)
				of.missing = of.missing || s.missing
				of.inUse = of.inUse || s.inUse
			}
		}
		tables = uniq(tables)
		switch {
		case l.sort != sortCheck && l.sort != sortForeignKey:
			// Unique for the schema in PostgreSQL: a table adds nothing.
		case v.live.cockroach:
			if len(v.tablesOf(name)) == 1 {
				r.Table = l.table
			}
		case len(tables) == 1:
			r.Table = tables[0]
		}
		if l.sort != sortForeignKey {
			r.Reply = &rules.Reply{Code: l.code(), Field: l.field()}
		}
		if of.missing {
			r.Missing = &rules.Reply{Code: l.code(), Field: l.field()}
		}
		if of.inUse {
			r.InUse = &rules.Reply{Code: word(l.referenced) + "_in_use"}
		}
		suggested = append(suggested, r)
	}
	return suggested
}

// ruleFor names a primary key by its table if the server would give it that name.
// Columns are needed only if every primary key has that name.
func (v *verification) ruleFor(l *liveConstraint, name string) rules.Rule {
	key := rules.Rule{Constraint: l.table + rules.PrimaryKeySuffix, Table: l.table}
	if v.oldKey(l) {
		key.Key = l.columns
		return key
	}
	if l.sort == sortPrimary && key.Constraint == name && len(name) <= rules.MaxIdentifierLength {
		return key
	}
	return rules.Rule{Constraint: name}
}

func (l *liveConstraint) code() string {
	known := len(l.columns) > 0 && !slices.Contains(l.columns, "")
	columns := word(strings.Join(l.columns, "_"))
	switch l.sort {
	case sortForeignKey:
		if len(l.columns) == 1 {
			return "unknown_" + strings.TrimSuffix(columns, "_id")
		}
		return "unknown_" + word(l.referenced)
	case sortCheck:
		if len(l.columns) == 1 {
			return columns + "_invalid"
		}
	case sortExclusion:
		if known {
			return columns + "_overlap"
		}
	case sortPrimary, sortUnique, sortUniqueIndex:
		if known {
			return columns + "_taken"
		}
	}
	return word(l.name)
}

// field names a part of the request only if exactly one column is at fault.
func (l *liveConstraint) field() string {
	if len(l.columns) != 1 || l.columns[0] == "" {
		return ""
	}
	return pointer(l.columns[0])
}

func pointer(column string) string {
	return "/" + strings.NewReplacer("~", "~0", "/", "~1").Replace(column)
}

// word makes a name one that a code may have.
func word(name string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z', r >= '0' && r <= '9', r == '_':
			return r
		case r >= 'A' && r <= 'Z':
			return r - 'A' + 'a'
		}
		return '_'
	}, name)
}
