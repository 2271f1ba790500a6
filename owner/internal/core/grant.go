package core

import "slices"

// A Grant declares that rows can be read by others than their owner: by those for whom
// the child of the reference has a row that points at them.
type Grant struct {
	Reference Reference
	Where     []Condition // about the child
}

// MustGrant returns the grant on rows by grants whose columns point at them, or panics.
func MustGrant(rows, grants *Table, from []*Column) *Grant {
	if rows == nil || grants == nil {
		panic(Misuse("GrantedBy: a table was not made by MustTable"))
	}
	t, err := tableOf("GrantedBy", from)
	if err != nil {
		panic(err)
	}
	if t != grants || t.Through != nil {
		panic(Misuse("GrantedBy: the columns must be of %s, and that must have an owner column", grants.Name))
	}
	if slices.ContainsFunc(rows.Owners, func(c *Column) bool { return c.PrimaryKey }) {
		panic(Misuse("GrantedBy: the owner is part of the primary key of %s, whose other columns do not say whose row it is", rows.Name))
	}
	if len(from) != len(rows.Key) {
		panic(Misuse("table %s: the key of %s has %s besides its owner, but %s at it", t.Name, rows.Name, counted(len(rows.Key), "column", "columns"), counted(len(from), "column points", "columns point")))
	}
	for i, c := range from {
		if c.Type != rows.Key[i].Type {
			panic(Misuse("column %s: it is of type %s, but points at %s of type %s", c, c.Type, rows.Key[i], rows.Key[i].Type))
		}
	}
	return &Grant{Reference: Reference{Child: t, Parent: rows, From: from}}
}

// Narrow returns the grant by the rows for which these conditions are true.
func (g *Grant) Narrow(where []Condition) *Grant { return &Grant{Reference: g.Reference, Where: where} }

// orGranted writes the owner's predicate together with the grants.
func (s *Statement) orGranted(q *Query) {
	g, t := q.Grant, q.Grant.Reference.Parent
	outer := s.prefix
	if outer == "" {
		outer = t.Ref
	}
	alias := s.alias()
	s.text("(", t.ownedBy(s.prefix, 1), " or exists (select 1 from ", g.Reference.Child.Quoted, " as ", alias, " where ")
	g.Reference.compareKeys(s, false, alias+".", outer)
	s.text(" and ", g.Reference.Child.ownedBy(alias+".", 1))
	before := s.prefix
	s.prefix = alias + "."
	s.narrow(g.Where)
	s.prefix = before
	s.text("))")
}
