package errs

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// suggest makes the rules that a constraint lacks. The codes are a first guess,
// which says something only if names in the schema do.
func (v *verification) suggest(l *liveConstraint, signals []signal) (rules []Rule) {
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
				r = r.On(l.table)
			}
		case len(tables) == 1:
			r = r.On(tables[0])
		}
		if l.sort != sortForeignKey {
			r = r.Code(l.code())
			if field := l.field(); field != "" {
				r = r.Field(field)
			}
		}
		if of.missing {
			r = r.Missing(l.code(), l.field(), "")
		}
		if of.inUse {
			r = r.InUse(word(l.referenced)+"_in_use", "")
		}
		rules = append(rules, r)
	}
	return rules
}

// ruleFor names a primary key by its table, where the server would give it that
// name. Columns are only of use where it is the name of every primary key.
func (v *verification) ruleFor(l *liveConstraint, name string) Rule {
	if v.oldKey(l) {
		return PrimaryKey(l.table, l.columns...)
	}
	if r := PrimaryKey(l.table); l.sort == sortPrimary && r.constraint == name && r.wrong == "" {
		return r
	}
	return Constraint(name)
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

// field names a part of the request only where one column alone is at fault.
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

// head is how the rule was made. Constraint("t_pkey").On("t") is the same rule
// as PrimaryKey("t").
func (r Rule) head() string {
	if r.table == "" || r.constraint != r.table+suffixPrimaryKey || len(r.constraint) > maxIdentifierLength {
		return "errs." + r.name()
	}
	names := []string{strconv.Quote(r.table)}
	for _, column := range r.key {
		names = append(names, strconv.Quote(column))
	}
	return "errs.PrimaryKey(" + strings.Join(names, ", ") + ")"
}

// source is the rule as it is written in Go.
func (r Rule) source() string {
	var b strings.Builder
	b.WriteString(r.head())
	if p := r.reply; p != nil {
		fmt.Fprintf(&b, ".Code(%q)", p.code)
		if p.field != "" {
			fmt.Fprintf(&b, ".Field(%q)", p.field)
		}
		if p.message != "" {
			fmt.Fprintf(&b, ".Message(%q)", p.message)
		}
	}
	if r.kinded {
		b.WriteString(".Kind(errs." + kindName(r.kind) + ")")
	}
	if r.status != 0 {
		fmt.Fprintf(&b, ".Status(%d)", r.status)
	}
	if p := r.missing; p != nil {
		fmt.Fprintf(&b, ".Missing(%q, %q, %q)", p.code, p.field, p.message)
	}
	if p := r.inUse; p != nil {
		fmt.Fprintf(&b, ".InUse(%q, %q)", p.code, p.message)
	}
	return b.String()
}

// kindName is the constant's: the code already_exists is that of AlreadyExists.
func kindName(k Kind) string {
	var b strings.Builder
	for _, part := range strings.Split(k.Code(), "_") {
		b.WriteString(strings.ToUpper(part[:1]) + part[1:])
	}
	return b.String()
}

// sources has a rule on each line, ready for the arguments of NewCatalog.
func sources(rules []Rule) string {
	var b strings.Builder
	for _, r := range rules {
		b.WriteString(r.source() + ",\n")
	}
	return strings.TrimSuffix(b.String(), "\n")
}
