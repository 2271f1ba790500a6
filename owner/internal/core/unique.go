package core

import "slices"

// A Unique is a unique constraint on the owner's columns and others.
type Unique struct {
	Declared []*Column // as declared
	Columns  []*Column
}

// Unique declares that the owner together with these columns is unique. Without columns
// something was wrong with them, which was said already.
func (d *Declaration) Unique(own []*Column) {
	t := d.Table
	switch {
	case own == nil:
	case t.Shared:
		d.Problem("Unique: the table is shared, and never written")
	case t.uniqueBy(own) != nil:
		d.Problem("Unique: the columns %s come twice", list("", own))
	default:
		t.Uniques = append(t.Uniques, &Unique{own, t.uniqueTarget(own)})
	}
}

// uniqueTarget returns the columns of the constraint that these stand for.
func (t *Table) uniqueTarget(own []*Column) []*Column {
	if sameColumns(own, t.Key) {
		return slices.DeleteFunc(slices.Clone(t.Columns), func(c *Column) bool { return !c.PrimaryKey })
	}
	target := slices.Concat(t.Owners, t.Parent)
	for _, c := range own {
		if !slices.Contains(target, c) {
			target = append(target, c)
		}
	}
	return target
}

// uniqueBy returns the declared key of these columns in any order, or nil.
func (t *Table) uniqueBy(own []*Column) *Unique {
	target := t.uniqueTarget(own)
	i := slices.IndexFunc(t.Uniques, func(u *Unique) bool { return sameColumns(u.Columns, target) })
	if i < 0 {
		return nil
	}
	return t.Uniques[i]
}

func sameColumns(a, b []*Column) bool {
	return len(a) == len(b) && !slices.ContainsFunc(a, func(c *Column) bool { return !slices.Contains(b, c) })
}
