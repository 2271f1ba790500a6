package kind

// FieldError describes what is wrong with one part of a request. At most one of
// Pointer, Parameter and Header is set. If none is, it describes the request as a
// whole. Clients are shown all of it.
type FieldError struct {
	Pointer   string // a JSON Pointer (RFC 6901) into the body, such as "/email"
	Code      string // the name for machines, such as "email_taken"
	Detail    string // the public text; if empty, that of the whole error
	Parameter string // the name of a query parameter, such as "size"
	Header    string // the name of a header, such as "If-Match"
}

// Fielded is implemented by errors that know which parts of a request are at fault.
// errs.Catalog.Translate carries them to the client, whatever package the error is
// from. One FieldError alone describes the whole error: its Code and Detail become
// those of the response. Of several, one without a place does.
type Fielded interface {
	error
	Kind() Kind
	Fields() []FieldError
}
