package owner

import "slices"

// A Forward stands for a table with rows R that is declared later, or that refers to
// itself. The zero value is ready for use. [References] takes its address, and so does
// the declaration of the table that it stands for, as an option:
//
//	var (
//		comments owner.Forward[Comment]
//		Comments = owner.MustTable[Comment, UserID]("comments", &comments,
//			owner.References(&comments, func(c *Comment) any { return &c.Answers }))
//	)
//
// Until a Forward stands for a table, every statement on a table that refers to it is
// refused, so a forgotten option drops no check. The references must fit the table, and
// a Forward stands for one table only. It must not be copied after its first use.
type Forward[R any] struct {
	_ [0]func(R)
	f forward
}

// forward is a Forward without its type.
type forward struct {
	table   *table // nil until it is defined
	waiting []*reference
}

// awaiting is a reference to a table that is not declared yet.
type awaiting struct {
	on  *forward
	ref *reference
}

func (f *Forward[R]) declared(R) *table {
	if f == nil {
		return nil
	}
	return f.f.table
}

func (f *Forward[R]) declare(_ R, d *declaration) {
	switch {
	case f == nil:
		d.problem("the Forward is nil")
	case f.f.table != nil:
		d.problem("the Forward stands for %s already", f.f.table.name)
	case slices.Contains(d.defines, &f.f):
		d.problem("the same Forward comes twice")
	default:
		d.defines = append(d.defines, &f.f)
	}
}

// await adds a reference to a table that is not declared yet.
func (d *declaration) await(on *forward, r *reference) {
	if slices.ContainsFunc(d.awaits, func(a awaiting) bool { return a.on == on && slices.Equal(a.ref.from, r.from) }) {
		d.problem("References: two point at the same Forward by the same columns")
		return
	}
	d.refer(r, nil)
	d.awaits = append(d.awaits, awaiting{on, r})
}

// checkAwaited checks the references to the table that were declared before it, and
// those to itself.
func (d *declaration) checkAwaited(f *forward) {
	for _, r := range f.waiting {
		r.check(d.table, d.problem)
	}
	for _, a := range d.awaits {
		if a.on == f {
			a.ref.check(d.table, d.problem)
		}
	}
}

// finish makes the references known to the tables that they wait for, and those that
// wait for this table complete.
func (d *declaration) finish() {
	for _, a := range d.awaits {
		a.on.waiting = append(a.on.waiting, a.ref)
		a.ref.child.open.Add(1)
	}
	for _, f := range d.defines {
		f.table = d.table
		for _, r := range f.waiting {
			r.parent = d.table
			r.child.open.Add(-1)
		}
		f.waiting = nil
	}
}
