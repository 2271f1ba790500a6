package core

// An Order sorts rows by a column.
type Order struct {
	Column *Column
	Desc   bool
}

// Check returns why no statement can use the order, or nil.
func (o Order) Check() error {
	if o.Column == nil {
		return ErrNoColumn
	}
	return nil
}

// orderBy writes the ORDER BY clause. PostgreSQL sorts NULL as the greatest value and
// CockroachDB as the least: if the column can be NULL, the clause says where NULL
// comes, in a form that both understand.
func (s *Statement) orderBy(orders []Order) {
	for i, o := range orders {
		if i == 0 {
			s.text(" order by ")
		} else {
			s.text(", ")
		}
		direction := ""
		if o.Desc {
			direction = " desc"
		}
		if o.Column.mayBeNull() {
			s.column(o.Column)
			s.text(" is null", direction, ", ")
		}
		s.column(o.Column)
		s.text(direction)
	}
}
