package owner

import "slices"

// A Grant declares that rows R can be read by others than their owner: by those for
// whom a table of grants has a row. Make one with [GrantedBy].
type Grant[G, R any, O comparable] struct {
	_     [0]func(G, R, O)
	table *table
	g     *grant
}

type grant struct {
	ref   reference
	where []cond
}

// GrantedBy declares that each row of grants lets its owner, the grantee, read the
// row of rows at which the columns point: one column for each pk column of rows that
// is not the owner.
//
//	var Readers = owner.GrantedBy(Documents, Grants, GrantDocument)
//	docs, err := Readers.In(me).All(ctx, db) // my own, and those shared with me
//
// To declare who may make grants, declare the same table of grants a second time:
// made by [MustThrough] with rows as its parent, it lets the owner of those rows write
// grants. Do not let grantees write grants of their own.
//
// GrantedBy panics if the columns do not fit. It also panics if the owner is part of
// the primary key of rows: two owners may then have rows with the same key, and a
// grant on one would be a grant on both.
func GrantedBy[G, R any, O comparable](rows *Table[R, O], grants *Table[G, O], columns ...AnyColumn[G]) Grant[G, R, O] {
	if rows == nil || rows.def == nil || grants == nil || grants.def == nil {
		panic(misuse("GrantedBy: a table was not made by MustTable"))
	}
	from, t := mustColumns("GrantedBy", columns)
	to := rows.def
	if t != grants.def || t.through != nil {
		panic(misuse("GrantedBy: the columns must be of %s, and that must have an owner column", grants.def.name))
	}
	if slices.ContainsFunc(to.owners, func(c *column) bool { return c.pk }) {
		panic(misuse("GrantedBy: the owner is part of the primary key of %s, whose other columns do not say whose row it is", to.name))
	}
	if len(from) != len(to.key) {
		panic(misuse("table %s: the key of %s has %d columns besides its owner, but %d point at it", t.name, to.name, len(to.key), len(from)))
	}
	for i, c := range from {
		if c.typ != to.key[i].typ {
			panic(misuse("column %s: it is of type %s, but points at %s of type %s", c, c.typ, to.key[i], to.key[i].typ))
		}
	}
	return Grant[G, R, O]{table: to, g: &grant{ref: reference{child: t, parent: to, from: from}}}
}

// Where narrows the grants that count, for example to those of a role.
func (g Grant[G, R, O]) Where(conditions ...Condition[G]) Grant[G, R, O] {
	if g.g == nil {
		return g
	}
	where, err := untyped(g.g.where, conditions)
	if err != nil {
		panic(err)
	}
	g.g = &grant{ref: g.g.ref, where: where}
	return g
}

// In returns the select on the rows that belong to the scope's owner or are granted
// to that owner.
func (g Grant[G, R, O]) In(scope Scope[O]) Select[R, O] {
	var s Select[R, O]
	s.q.table, s.q.id, s.q.granted = g.table, scope.id, g.g
	return s
}

// orGranted writes the owner's predicate together with the grants.
func (s *statement) orGranted(q *query) {
	g, t := q.granted, q.granted.ref.parent
	outer := s.prefix
	if outer == "" {
		outer = t.ref
	}
	alias := s.alias()
	s.text("(", t.ownedBy(s.prefix, 1), " or exists (select 1 from ", g.ref.child.quoted, " as ", alias, " where ")
	g.ref.compareKeys(s, false, alias+".", outer)
	s.text(" and ", g.ref.child.ownedBy(alias+".", 1))
	before := s.prefix
	s.prefix = alias + "."
	s.narrow(g.where)
	s.prefix = before
	s.text("))")
}
