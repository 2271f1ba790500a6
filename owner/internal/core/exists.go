package core

var errNoReference = Misuse("the Reference was not made by owner.ReferenceOf")

// Has returns the condition that one of the owner's rows of the child points at the row
// and satisfies the conditions, unless err says that these are wrong.
func (r *Reference) Has(where []Condition, err error) Condition {
	if r == nil {
		return Failing(errNoReference)
	}
	if err == nil && !prefixOf(r.Child.OwnerTypes, r.Parent.OwnerTypes) {
		err = Misuse("table %s: the scope of %s does not say whose rows of it are meant", r.Child.Name, r.Parent.Name)
	}
	return Condition{node: &exists{r, false, where}, err: err}
}

// To returns the condition that the row points at a row of the parent that is the
// owner's and satisfies the conditions, unless err says that these are wrong.
func (r *Reference) To(where []Condition, err error) Condition {
	if r == nil {
		return Failing(errNoReference)
	}
	return Condition{node: &exists{r, true, where}, err: err}
}

// exists is a condition on rows related to the current row.
type exists struct {
	ref    *Reference
	toward bool // from the child to its parent
	where  []Condition
}

func (n *exists) write(s *Statement) {
	inner, outer := n.ref.Child, n.ref.Parent
	if n.toward {
		inner, outer = outer, inner
	}
	before := s.prefix
	if before == "" {
		before = outer.Ref
	}
	alias := s.alias()
	s.text("exists (select 1 from ", inner.Quoted, " as ", alias, " where ")
	n.ref.compareKeys(s, n.toward, alias+".", before)
	s.text(" and ", inner.ownedBy(alias+".", 1))
	restore := s.prefix
	s.prefix = alias + "."
	s.narrow(n.where)
	s.prefix = restore
	s.text(")")
}
