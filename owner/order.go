package owner

// An Order sorts rows by a column; see [ColumnOf.Asc] and [ColumnOf.Desc].
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

// orderBy writes the ORDER BY clause. PostgreSQL sorts NULL as the greatest value and
// CockroachDB as the least: if the column can be NULL, the clause says where NULL
// comes, in a form that both understand.
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
