package core

import (
	"reflect"
	"slices"
)

// A Reference is a foreign key: rows of Child point at rows of Parent.
type Reference struct {
	Child, Parent *Table    // parent is nil until a Forward is defined
	From          []*Column // point at the parent's key
}

// Refer declares that the columns are a foreign key to the primary key of that table. If
// the table is nil, it is the one for which later will stand. Without columns something
// was wrong with them, which was said already.
func (d *Declaration) Refer(from []*Column, to *Table, later *Forward) {
	r := &Reference{Child: d.Table, From: from}
	switch {
	case to == nil && later != nil:
		d.await(later, r)
	case to == nil || to.View != nil:
		d.Problem("References: the parent was not made by MustTable, MustThrough or MustShared")
	default:
		d.refer(r, to)
	}
}

// refer adds a reference to the table, whose parent is nil if it is not declared yet.
func (d *Declaration) refer(r *Reference, to *Table) {
	t := d.Table
	if r.From == nil {
		return
	}
	for _, c := range r.From {
		if c.Default && !t.Shared {
			d.Problem("column %s: it is tagged default, but what the database fills in is not checked to be the owner's; remove the word, and set the column", c)
		}
	}
	if to != nil {
		r.check(to, d.Problem)
		r.Parent = to
	}
	t.foreignKeys = append(t.foreignKeys, r)
	if t.Shared { // never written
		return
	}
	for _, c := range r.From {
		c.refers = true
	}
	t.References = append(t.References, r)
}

// check checks that the reference can point at that table.
func (r *Reference) check(to *Table, problem func(string, ...any)) {
	t := r.Child
	if len(r.From) != len(to.Key) {
		problem("table %s: the key of %s has %s besides its owner, but %s at it", t.Name, to.Name, counted(len(to.Key), "column", "columns"), counted(len(r.From), "column points", "columns point"))
		return
	}
	for i, c := range r.From {
		if c.Type != to.Key[i].Type && c.Type != reflect.PointerTo(to.Key[i].Type) {
			problem("column %s: it is of type %s, but points at %s of type %s", c, c.Type, to.Key[i], to.Key[i].Type)
		}
	}
	if !prefixOf(to.OwnerTypes, t.OwnerTypes) {
		problem("table %s: its owner is no owner of %s, at which it is to point", t.Name, to.Name)
	}
	if t.referenceBy(to, r.From) != nil {
		problem("table %s: it points at %s by the same columns twice", t.Name, to.Name)
	}
}

// referenceBy returns the declared reference to that table by those columns, or nil.
func (t *Table) referenceBy(to *Table, from []*Column) *Reference {
	i := slices.IndexFunc(t.foreignKeys, func(r *Reference) bool { return r.Parent == to && slices.Equal(r.From, from) })
	if i < 0 {
		return nil
	}
	return t.foreignKeys[i]
}

// Complete refuses a table with a reference to a table that was never declared, since
// it cannot be checked.
func (t *Table) Complete() error {
	if t.open.Load() != 0 {
		return Misuse("table %s: it refers to a table that is not declared yet; give the Forward to that declaration", t.Name)
	}
	return nil
}

// prefixOf reports whether in begins with of: rows of a tenant's members can point at
// the tenant's rows.
func prefixOf(of, in []reflect.Type) bool {
	return len(of) <= len(in) && slices.Equal(of, in[:len(of)])
}

// MustReference returns the declared reference to that table by these columns, or panics.
func MustReference(to *Table, from []*Column) *Reference {
	if to == nil || to.View != nil {
		panic(Misuse("ReferenceOf: the parent was not made by MustTable, MustThrough or MustShared"))
	}
	t, err := tableOf("ReferenceOf", from)
	if err != nil {
		panic(err)
	}
	r := t.referenceBy(to, from)
	if r == nil {
		panic(Misuse("table %s: its declaration has no reference to %s by the columns %s", t.Name, to.Name, list("", from)))
	}
	return r
}

// tableOf returns the table of these columns. A column is nil if it was not made by
// owner.Column.
func tableOf(what string, columns []*Column) (*Table, error) {
	if slices.Contains(columns, nil) {
		return nil, Misuse("%s: a column was not made by owner.Column", what)
	}
	if len(columns) == 0 {
		return nil, Misuse("%s: at least one column is needed", what)
	}
	for i, c := range columns {
		if c.Table != columns[0].Table || c.Table.View != nil {
			return nil, Misuse("%s: the columns must be of one table", what)
		}
		if slices.Contains(columns[:i], c) {
			return nil, Misuse("%s: column %s comes twice", what, c)
		}
	}
	return columns[0].Table, nil
}

// compareKeys writes that key and foreign key are equal. If toward, inner is the parent.
func (r *Reference) compareKeys(s *Statement, toward bool, inner, outer string) {
	parent, child := outer, inner
	if toward {
		parent, child = inner, outer
	}
	for i, c := range r.From {
		if i > 0 {
			s.text(" and ")
		}
		s.text(parent, r.Parent.Key[i].Quoted, " = ", child, c.Quoted)
	}
}
