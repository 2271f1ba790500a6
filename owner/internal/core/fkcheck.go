package core

import (
	"unsafe"

	"github.com/rowkeeper/rowkeeper/owner/internal/pgvalue"
)

// fkCheck is a foreign key with its values, to be checked.
type fkCheck struct {
	parent *Table
	from   []*Column
	args   []any
}

// checkReference writes the condition that the arguments point at a row of the
// owner's, and locks that row. The arguments are sent once more, because a parameter
// has one type and the two columns may differ.
func (s *Statement) checkReference(parent *Table, args []any, first int) {
	alias := s.alias()
	owned, lock := parent.heldAs(alias+".", first)
	s.text("exists (select 1 from ", parent.Quoted, " as ", alias, " where ", owned)
	for i, arg := range args {
		s.text(" and ", alias, ".", parent.Key[i].Quoted, " = ")
		s.param(arg)
	}
	s.text(lock, ")")
}

// fkChecks returns the foreign keys of a row, the parent first.
func (t *Table) fkChecks(row unsafe.Pointer) []fkCheck {
	var out []fkCheck
	if t.Through != nil {
		p := fkCheck{parent: t.Through, from: t.Parent}
		for _, c := range t.Parent {
			p.args = append(p.args, pgvalue.Argument(c.Pointer(row).Elem()))
		}
		out = append(out, p)
	}
	for _, r := range t.References {
		p := fkCheck{parent: r.Parent, from: r.From}
		for _, c := range r.From {
			arg := pgvalue.Argument(c.Pointer(row).Elem())
			if null, err := pgvalue.IsNull(arg); null && err == nil {
				break
			}
			p.args = append(p.args, arg)
		}
		if len(p.args) == len(r.From) {
			out = append(out, p)
		}
	}
	return out
}
