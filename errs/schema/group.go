package schema

import (
	"cmp"
	"regexp"
	"slices"

	"github.com/rowkeeper/rowkeeper/internal/livedb"
)

// tableConstraint is a constraint as one table or domain has it. That of a partition
// belongs to the one of its parent.
type tableConstraint struct {
	id, parent  constraintID
	sort        sort
	table, name string
	columns     []string
	referenced  string
	generated   bool
	named       bool // a violation may name it
	missing     bool
	inUse       bool
}

// constraintID tells an index from a constraint of the same oid.
type constraintID struct {
	index bool
	oid   int64
}

// constraintsOf returns the constraints that new rows have to satisfy, by table and name.
func constraintsOf(s *livedb.Schema) (found []tableConstraint) {
	for _, t := range s.Tables {
		if !t.IsOrdinary() {
			continue
		}
		for _, i := range t.Indexes {
			if !i.Unique && !i.Exclusion || !i.Ready {
				continue
			}
			found = append(found, tableConstraint{
				id: constraintID{true, i.ID}, parent: constraintID{true, i.Parent},
				sort: cmp.Or(sort(i.ConstraintType), sortUniqueIndex), table: t.Name, name: i.Name, columns: i.Columns,
				generated: i.Primary && slices.ContainsFunc(i.Columns, func(name string) bool { return serverMade(t.Column(name)) }),
				named:     t.Kind == "r",
			})
		}
		for _, c := range t.Constraints {
			if !c.Enforced {
				continue
			}
			found = append(found, tableConstraint{
				id: constraintID{false, c.ID}, parent: constraintID{false, c.Parent},
				sort: sort(c.Type), table: t.Name, name: c.Name, columns: c.Columns, referenced: c.ReferencedName,
				named: c.Named, missing: c.Missing, inUse: c.InUse,
			})
		}
	}
	for _, d := range s.DomainChecks {
		found = append(found, tableConstraint{id: constraintID{false, d.ID}, sort: sortDomain, table: d.Domain, name: d.Name, named: true})
	}
	slices.SortStableFunc(found, func(a, b tableConstraint) int {
		return cmp.Or(cmp.Compare(a.table, b.table), cmp.Compare(a.name, b.name))
	})
	return found
}

// calls matches a default that calls a function.
var calls = regexp.MustCompile(`[\pL\pN_"]\(`)

// serverMade reports whether the server makes the values of a column of a key.
func serverMade(c *livedb.Column) bool {
	return c != nil && !c.Generated && (c.Identity != "" || calls.MatchString(c.Default))
}

func groupConstraints(all []tableConstraint, cockroach bool) (found []*liveConstraint) {
	byID := map[constraintID]tableConstraint{}
	for _, c := range all {
		byID[c.id] = c
	}
	groups := map[constraintID]*liveConstraint{}
	for _, c := range all {
		root := c
		for {
			parent, ok := byID[root.parent]
			if !ok {
				break
			}
			root = parent
		}
		g := groups[root.id]
		if g == nil {
			g = &liveConstraint{
				sort: root.sort, table: root.table, name: root.name, columns: root.columns,
				referenced: root.referenced, generated: root.generated,
			}
			groups[root.id] = g
			found = append(found, g)
		}
		if !c.named {
			continue
		}
		s := signal{name: c.name, table: c.table, missing: c.missing, inUse: c.inUse}
		if cockroach || c.sort == sortDomain {
			s.table = ""
		}
		g.signals = append(g.signals, s)
	}
	return found
}

func groupColumns(s *livedb.Schema) (found []*liveColumn) {
	tables := slices.DeleteFunc(slices.Clone(s.Tables), func(t *livedb.Table) bool { return !t.IsOrdinary() })
	slices.SortStableFunc(tables, func(a, b *livedb.Table) int { return cmp.Compare(a.Name, b.Name) })
	groups := map[*livedb.Column]*liveColumn{}
	for _, t := range tables {
		for _, c := range t.Columns {
			of, root := rootOf(s, t, c)
			g := groups[root]
			if g == nil {
				g = &liveColumn{table: of.Name, column: c.Name}
				groups[root] = g
				found = append(found, g)
			}
			g.members = append(g.members, memberColumn{
				table: t.Name, rows: t.Kind == "r", notNull: c.NotNull,
				domain: domainType{c.Domain, c.DomainNotNull}, generated: c.Generated,
			})
		}
	}
	return found
}

// rootOf returns the table from which a table has the column, and its column there.
func rootOf(s *livedb.Schema, t *livedb.Table, c *livedb.Column) (*livedb.Table, *livedb.Column) {
	for _, id := range t.Parents {
		if parent := s.ByID(id); parent != nil && parent.IsOrdinary() {
			if up := parent.Column(c.Name); up != nil {
				return rootOf(s, parent, up)
			}
		}
	}
	return t, c
}
