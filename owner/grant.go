package owner

import "github.com/rowkeeper/rowkeeper/owner/internal/core"

// A Grant declares that rows R can be read by others than their owner: by those for
// whom a table of grants has a row. Make one with [GrantedBy].
type Grant[G, R any, O comparable] struct {
	_       [0]func(G, R, O)
	table   *core.Table
	untyped *core.Grant
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
	of, _ := rows.declaration()
	by, _ := grants.declaration()
	return Grant[G, R, O]{table: of, untyped: core.MustGrant(of, by, untypedColumns(columns))}
}

// Where narrows the grants that count, for example to those of a role.
func (g Grant[G, R, O]) Where(conditions ...Condition[G]) Grant[G, R, O] {
	if g.untyped == nil {
		return g
	}
	where, err := untyped(g.untyped.Where, conditions)
	if err != nil {
		panic(err)
	}
	g.untyped = g.untyped.Narrow(where)
	return g
}

// In returns the select on the rows that belong to the scope's owner or are granted
// to that owner.
func (g Grant[G, R, O]) In(scope Scope[O]) Select[R, O] {
	var s Select[R, O]
	s.q.Table, s.q.Identity, s.q.Grant = g.table, scope.id, g.untyped
	return s
}
