package owner

import (
	"reflect"
	"slices"
)

// A Reference is a foreign key by which rows C point at rows P, as it was declared by
// [References]. [ReferenceOf] returns it. It makes conditions on related rows and joins
// them in a [View]. The zero Reference is an error of the statement or view.
type Reference[C, P any] struct {
	_   [0]func(C, P)
	ref *reference
}

type reference struct {
	child, parent *table    // parent is nil until a Forward is defined
	from          []*column // point at the parent's key
}

// References declares that fields of the row are a foreign key to the primary key of
// another table, the parent: one field for each of the parent's pk columns that is not
// the owner, in that order and of the same type or a pointer to it.
//
//	var Transfers = owner.MustTable[Transfer, UserID]("transfers",
//		owner.References(Accounts, func(t *Transfer) any { return &t.From }),
//		owner.References(Accounts, func(t *Transfer) any { return &t.To }))
//
// Every insert or update that gives the foreign key a value checks, in the same
// statement, that it points at a row of the owner's or of a [SharedTable]. Otherwise
// nothing is written and the error is [ErrReference], whether the target is missing or
// belongs to another owner. Package errs answers it as its catalog says of that
// foreign key. NULL points at nothing and passes.
//
// Every insert sends these columns, including pk columns, because a value that the
// database fills in cannot be checked. So they must not be tagged default. The owner
// of the parent must be that of the table, or its tenant.
//
// For the table itself, and for one that is declared later, give a [Forward].
func References[C, P any](parent Declared[P], fields ...func(row *C) any) TableOption[C] {
	return tableOption[C](func(d *declaration) {
		r := &reference{child: d.table, from: columnsAt(d, "References", fields)}
		to := defined(parent)
		later, forward := parent.(*Forward[P])
		switch {
		case to == nil && forward && later != nil:
			d.await(&later.f, r)
		case to == nil || to.view != nil:
			d.problem("References: the parent was not made by MustTable, MustThrough or MustShared")
		default:
			d.refer(r, to)
		}
	})
}

// refer adds a reference to the table, whose parent is nil if it is not declared yet.
func (d *declaration) refer(r *reference, to *table) {
	t := d.table
	if r.from == nil {
		return // columnsAt has said why
	}
	for _, c := range r.from {
		if c.dfault && !t.shared {
			d.problem("column %s: it is tagged default, but what the database fills in is not checked to be the owner's; remove the word, and set the column", c)
		}
	}
	if to != nil {
		r.check(to, d.problem)
		r.parent = to
	}
	t.foreignKeys = append(t.foreignKeys, r)
	if t.shared { // never written
		return
	}
	for _, c := range r.from {
		c.refers = true
	}
	t.references = append(t.references, r)
}

// check checks that the reference can point at that table.
func (r *reference) check(to *table, problem func(string, ...any)) {
	t := r.child
	if len(r.from) != len(to.key) {
		problem("table %s: the key of %s has %d columns besides its owner, but %d point at it", t.name, to.name, len(to.key), len(r.from))
		return
	}
	for i, c := range r.from {
		if c.typ != to.key[i].typ && c.typ != reflect.PointerTo(to.key[i].typ) {
			problem("column %s: it is of type %s, but points at %s of type %s", c, c.typ, to.key[i], to.key[i].typ)
		}
	}
	if !prefixOf(to.ownerTypes, t.ownerTypes) {
		problem("table %s: its owner is no owner of %s, at which it is to point", t.name, to.name)
	}
	if t.referenceBy(to, r.from) != nil {
		problem("table %s: it points at %s by the same columns twice", t.name, to.name)
	}
}

// referenceBy returns the declared reference to that table by those columns, or nil.
func (t *table) referenceBy(to *table, from []*column) *reference {
	i := slices.IndexFunc(t.foreignKeys, func(r *reference) bool { return r.parent == to && slices.Equal(r.from, from) })
	if i < 0 {
		return nil
	}
	return t.foreignKeys[i]
}

// complete refuses a table with a reference to a table that was never declared, since
// it cannot be checked.
func (t *table) complete() error {
	if t.open.Load() != 0 {
		return misuse("table %s: it refers to a table that is not declared yet; give the Forward to that declaration", t.name)
	}
	return nil
}

// ReferenceOf returns the reference by which these columns point at the parent. Keep
// it in a package variable, for conditions and views:
//
//	var OfCoupon = owner.ReferenceOf(Coupons, OrderCoupon)
//
// It panics unless the declaration of their table has it: by the option [References]
// with the same columns in the same order, or as the parent of [MustThrough].
func ReferenceOf[C, P any](parent Declared[P], columns ...AnyColumn[C]) Reference[C, P] {
	to := defined(parent)
	if to == nil || to.view != nil {
		panic(misuse("ReferenceOf: the parent was not made by MustTable, MustThrough or MustShared"))
	}
	from, t := mustColumns("ReferenceOf", columns)
	r := t.referenceBy(to, from)
	if r == nil {
		panic(misuse("table %s: its declaration has no reference to %s by the columns %s", t.name, to.name, list("", from)))
	}
	return Reference[C, P]{ref: r}
}

// untypedColumns returns the columns without their types, and their table.
func untypedColumns[R any](what string, columns []AnyColumn[R]) ([]*column, *table, error) {
	var row R
	var out []*column
	for _, c := range columns {
		if c == nil || c.column(row) == nil {
			return nil, nil, misuse("%s: a column was not made by owner.Column", what)
		}
		out = append(out, c.column(row))
	}
	if len(out) == 0 {
		return nil, nil, misuse("%s: at least one column is needed", what)
	}
	for i, c := range out {
		if c.table != out[0].table || c.table.view != nil {
			return nil, nil, misuse("%s: the columns must be of one table", what)
		}
		if slices.Contains(out[:i], c) {
			return nil, nil, misuse("%s: column %s comes twice", what, c)
		}
	}
	return out, out[0].table, nil
}

// mustColumns is like untypedColumns, and panics on an error.
func mustColumns[R any](what string, columns []AnyColumn[R]) ([]*column, *table) {
	out, t, err := untypedColumns(what, columns)
	if err != nil {
		panic(err)
	}
	return out, t
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

var errNoReference = misuse("the Reference was not made by owner.ReferenceOf")

// exists is a condition on rows related to the current row.
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
	n.ref.compareKeys(s, n.toward, alias+".", before)
	s.text(" and ", inner.ownedBy(alias+".", 1))
	restore := s.prefix
	s.prefix = alias + "."
	s.narrow(n.where)
	s.prefix = restore
	s.text(")")
}

// compareKeys writes that key and foreign key are equal. If toward, inner is the parent.
func (r *reference) compareKeys(s *statement, toward bool, inner, outer string) {
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
