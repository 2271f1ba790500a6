package core

// An Assignment gives a column a value, or adds to it.
type Assignment struct {
	Column *Column
	add    bool
	Arg    any
	err    error
}

func (a Assignment) check() error {
	if a.err == nil && a.Column == nil {
		return ErrNoColumn
	}
	return a.err
}

// Add returns the assignment that adds to the column, unless it is not numeric.
func Add(c *Column, arg any, err error) Assignment {
	if !IsNumeric(c.Type) {
		return Assignment{err: Misuse("column %s: Add needs a numeric column, not one of type %s", c, c.Type)}
	}
	return Assignment{Column: c, add: true, Arg: arg, err: err}
}
