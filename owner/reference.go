package owner

import (
	"reflect"
	"slices"
)

// A Reference declares that rows C point at rows P by a foreign key. Make one with
// [References], once, as a package variable.
//
// From then on every insert or update that gives the foreign key a value checks, in
// the same statement, that it points at a row of the owner's or of a [SharedTable].
// Otherwise nothing is written and the error is [ErrReference], whether the target is
// missing or belongs to another owner. Package errs answers it as its catalog says of
// that foreign key. NULL points at nothing and passes.
type Reference[C, P any] struct {
	_   [0]func(C, P)
	ref *reference
}

type reference struct {
	child, parent *table
	from          []*column // point at the parent's key
}

// References declares that columns of one table are a foreign key to the primary key
// of another, the parent: one column for each of the parent's pk columns that is not
// the owner, in that order and of the same type or a pointer to it.
//
//	var From = owner.References(Accounts, TransferFrom)
//
// Every insert sends these columns, including pk columns, because a value that the
// database fills in cannot be checked.
//
// It panics if the columns do not fit or are tagged default, if the parent's owner is
// of another kind than the child's, or if a statement has used the child's table
// already, since that statement was not checked.
func References[C, P any](parent Declared[P], columns ...AnyColumn[C]) Reference[C, P] {
	to := defined(parent)
	if to == nil || to.view != nil {
		panic(misuse("References: the parent was not made by MustTable, MustThrough or MustShared"))
	}
	from, t := columnsOf("References", columns)
	if len(from) != len(to.key) {
		panic(misuse("table %s: the key of %s has %d columns besides its owner, but %d point at it", t.name, to.name, len(to.key), len(from)))
	}
	for i, c := range from {
		if c.typ != to.key[i].typ && c.typ != reflect.PointerTo(to.key[i].typ) {
			panic(misuse("column %s: it is of type %s, but points at %s of type %s", c, c.typ, to.key[i], to.key[i].typ))
		}
	}
	if !prefixOf(to.ownerTypes, t.ownerTypes) {
		panic(misuse("table %s: its owner is no owner of %s, at which it is to point", t.name, to.name))
	}
	r := &reference{child: t, parent: to, from: from}
	switch {
	case t.shared, t.through == to && slices.Equal(t.parent, from): // never written, or checked anyway
	case t.used.Load():
		panic(misuse("table %s: declare the reference to %s before the first statement", t.name, to.name))
	default:
		for _, c := range from {
			if c.dfault {
				panic(misuse("column %s: it is tagged default, but what the database fills in is not checked to be the owner's; remove the word, and set the column", c))
			}
			c.refers = true
		}
		t.references = append(t.references, r)
	}
	return Reference[C, P]{ref: r}
}

// columnsOf returns the untyped columns and their table, and panics if they are not
// of one table.
func columnsOf[R any](what string, columns []AnyColumn[R]) ([]*column, *table) {
	var row R
	var out []*column
	for _, c := range columns {
		if c == nil || c.column(row) == nil {
			panic(misuse("%s: a column was not made by owner.Column", what))
		}
		out = append(out, c.column(row))
	}
	if len(out) == 0 {
		panic(misuse("%s: at least one column is needed", what))
	}
	for i, c := range out {
		if c.table != out[0].table || c.table.view != nil {
			panic(misuse("%s: the columns must be of one table", what))
		}
		if slices.Contains(out[:i], c) {
			panic(misuse("%s: column %s comes twice", what, c))
		}
	}
	return out, out[0].table
}

// prefixOf reports whether in begins with of: rows of a tenant's members can point at
// the tenant's rows.
func prefixOf(of, in []reflect.Type) bool {
	return len(of) <= len(in) && slices.Equal(of, in[:len(of)])
}

// Has is true if one of the owner's rows C points at the row and satisfies all
// conditions.
func (r Reference[C, P]) Has(conditions ...Condition[C]) Condition[P] {
	if r.ref == nil {
		return failing[P](errNoReference)
	}
	where, err := untyped(nil, conditions)
	if err == nil && !prefixOf(r.ref.child.ownerTypes, r.ref.parent.ownerTypes) {
		err = misuse("table %s: the scope of %s does not say whose rows of it are meant", r.ref.child.name, r.ref.parent.name)
	}
	return Condition[P]{cond: cond{node: &exists{r.ref, false, where}, err: err}}
}

// To is true if the row points at a row P that is the owner's and satisfies all
// conditions.
func (r Reference[C, P]) To(conditions ...Condition[P]) Condition[C] {
	if r.ref == nil {
		return failing[C](errNoReference)
	}
	where, err := untyped(nil, conditions)
	return Condition[C]{cond: cond{node: &exists{r.ref, true, where}, err: err}}
}

var errNoReference = misuse("the Reference was not made by owner.References")

// exists is a condition on rows linked to the current row.
type exists struct {
	ref    *reference
	toward bool // from the child to its parent
	where  []cond
}

func (n *exists) write(s *statement) {
	inner, outer := n.ref.child, n.ref.parent
	if n.toward {
		inner, outer = outer, inner
	}
	before := s.prefix
	if before == "" {
		before = outer.ref
	}
	alias := s.alias()
	s.text("exists (select 1 from ", inner.quoted, " as ", alias, " where ")
	n.ref.link(s, n.toward, alias+".", before)
	s.text(" and ", inner.ownedBy(alias+".", 1))
	restore := s.prefix
	s.prefix = alias + "."
	s.narrow(n.where)
	s.prefix = restore
	s.text(")")
}

// link compares key and foreign key. If toward, inner is the parent.
func (r *reference) link(s *statement, toward bool, inner, outer string) {
	parent, child := outer, inner
	if toward {
		parent, child = inner, outer
	}
	for i, c := range r.from {
		if i > 0 {
			s.text(" and ")
		}
		s.text(parent, r.parent.key[i].quoted, " = ", child, c.quoted)
	}
}

// checkReference writes the condition that the arguments point at a row of the
// owner's, and locks that row. The arguments are sent once more, because a parameter
// has one type and the two columns may differ.
func (s *statement) checkReference(parent *table, args []any, first int) {
	alias := s.alias()
	owned, lock := parent.heldAs(alias+".", first)
	s.text("exists (select 1 from ", parent.quoted, " as ", alias, " where ", owned)
	for i, arg := range args {
		s.text(" and ", alias, ".", parent.key[i].quoted, " = ")
		s.param(arg)
	}
	s.text(lock, ")")
}
