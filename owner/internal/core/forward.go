package core

import "slices"

// A Forward stands for a table that is declared later, or that refers to itself.
type Forward struct {
	Table   *Table // nil until it is defined
	waiting []*Reference
}

// awaiting is a reference to a table that is not declared yet.
type awaiting struct {
	on  *Forward
	ref *Reference
}

// await adds a reference to a table that is not declared yet.
func (d *Declaration) await(on *Forward, r *Reference) {
	if slices.ContainsFunc(d.awaits, func(a awaiting) bool { return a.on == on && slices.Equal(a.ref.From, r.From) }) {
		d.Problem("References: two point at the same Forward by the same columns")
		return
	}
	d.refer(r, nil)
	d.awaits = append(d.awaits, awaiting{on, r})
}

// checkAwaited checks the references to the table that were declared before it, and
// those to itself.
func (d *Declaration) checkAwaited(f *Forward) {
	for _, r := range f.waiting {
		r.check(d.Table, d.Problem)
	}
	for _, a := range d.awaits {
		if a.on == f {
			a.ref.check(d.Table, d.Problem)
		}
	}
}

// finish makes the references known to the tables that they wait for, and those that
// wait for this table complete.
func (d *Declaration) finish() {
	for _, a := range d.awaits {
		a.on.waiting = append(a.on.waiting, a.ref)
		a.ref.Child.open.Add(1)
	}
	for _, f := range d.defines {
		f.Table = d.Table
		for _, r := range f.waiting {
			r.Parent = d.Table
			r.Child.open.Add(-1)
		}
		f.waiting = nil
	}
}

// Define makes the forward stand for the table that is being declared.
func (d *Declaration) Define(f *Forward) {
	switch {
	case f == nil:
		d.Problem("the Forward is nil")
	case f.Table != nil:
		d.Problem("the Forward stands for %s already", f.Table.Name)
	case slices.Contains(d.defines, f):
		d.Problem("the same Forward comes twice")
	default:
		d.defines = append(d.defines, f)
	}
}
