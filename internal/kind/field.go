package kind

// FieldError says what is wrong with one part of a request. Of Pointer, Parameter
// and Header one at most is set; with none it speaks of the request as a whole.
// All of it is shown to clients.
type FieldError struct {
	Pointer   string // a JSON Pointer (RFC 6901) into the body, such as "/email"
	Code      string // its name for machines, such as "email_taken"
	Detail    string // the public text; without one it is that of the whole error
	Parameter string // the name of a query parameter, such as "size"
	Header    string // the name of a header, such as "If-Match"
}

// Fielded is an error that knows which parts of a request are at fault. It is the
// one way in which such knowledge gets from any package to errs.
type Fielded interface {
	error
	Kind() Kind
	Fields() []FieldError
}

// ForeignKey names a foreign key by its columns, for whoever does not know the name of
// its constraint.
type ForeignKey struct {
	Table   string   // without its schema
	Columns []string // that point at the parent's key
	Owners  []string // columns of the owner, which may be a part of it
	Parent  string   // the other table
}

// Pointing is an error about a row that points at nothing. A catalog's rule for the
// foreign key says what that means to a client.
type Pointing interface {
	error
	ForeignKey() (ForeignKey, bool) // false if it is not known which one
}

// Described is an error that says in constant words, or names of the schema, what was
// being done: without what it wraps, and without any value. It is for logs.
type Described interface {
	error
	Describe() string
}
