package pgerr

// ForeignKey identifies a foreign key by its columns, for errors without the name
// of its constraint.
type ForeignKey struct {
	Table   string   // without its schema
	Columns []string // that refer to the parent's key
	Owners  []string // columns of the owner, which may be a part of the foreign key
	Parent  string   // the table that is referred to
}

// MissingReference is an error about a row that refers to nothing. The rule of a
// catalog for the foreign key decides what a client is told.
type MissingReference interface {
	error
	ForeignKey() (ForeignKey, bool) // false if it is not known which one
}
