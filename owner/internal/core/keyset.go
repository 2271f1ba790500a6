package core

// keyset is true for the rows after the one with these values. NULL counts as greater
// than all others; see [Statement.orderBy].
type keyset struct {
	order []Order
	after position
}

func (n keyset) write(s *Statement) {
	for i, o := range n.order {
		last := i == len(n.order)-1
		s.text("(")
		s.beyond(o, n.after[i])
		if last {
			break
		}
		s.text(" or ")
		s.column(o.Column)
		if n.after[i] == nil {
			s.text(" is null and ")
		} else {
			s.text(" = ")
			s.param(*n.after[i])
			s.text(" and ")
		}
	}
	for range n.order {
		s.text(")")
	}
}

// beyond writes the condition that the column comes after the value.
func (s *Statement) beyond(o Order, value *string) {
	switch {
	case value == nil && o.Desc:
		s.column(o.Column)
		s.text(" is not null")
		return
	case value == nil:
		s.text("false")
		return
	}
	s.column(o.Column)
	if o.Desc {
		s.text(" < ")
	} else {
		s.text(" > ")
	}
	s.param(*value)
	if o.Column.mayBeNull() && !o.Desc {
		s.text(" or ")
		s.column(o.Column)
		s.text(" is null")
	}
}
