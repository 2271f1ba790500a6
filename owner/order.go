package owner

// An Order says by which column to sort, and which way; see [ColumnOf.Asc] and
// [ColumnOf.Desc].
type Order[R any] struct {
	_ [0]func(R)
	order
}

type order struct {
	col  *column
	desc bool
}

func (o order) check() error {
	if o.col == nil {
		return errNoColumn
	}
	return nil
}

// orderBy writes the ORDER BY clause. PostgreSQL takes NULL for the greatest
// value, and CockroachDB for the least: where there may be one, the order says
// itself where it comes, in a way that both understand.
func (s *statement) orderBy(orders []order) {
	for i, o := range orders {
		if i == 0 {
			s.text(" order by ")
		} else {
			s.text(", ")
		}
		direction := ""
		if o.desc {
			direction = " desc"
		}
		if o.col.mayBeNull() {
			s.column(o.col)
			s.text(" is null", direction, ", ")
		}
		s.column(o.col)
		s.text(direction)
	}
}
