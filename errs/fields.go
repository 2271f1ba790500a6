package errs

import (
	"errors"
	"net/http"
	"slices"
)

// FieldError is one part of the request that is at fault: a JSON Pointer to it,
// a code for machines, and a public text.
type FieldError struct{ Pointer, Code, Detail string }

// Fields sets all the parts of the request that are at fault.
func Fields(fields ...FieldError) Option {
	return func(e *Error) error {
		e.fields = slices.Clone(fields)
		var wrong []error
		for _, f := range fields {
			wrong = append(wrong, checkPointer(f.Pointer), checkCode(f.Code))
		}
		return errors.Join(wrong...)
	}
}

// Fields are the parts of the request that are at fault.
func (e *Error) Fields() []FieldError {
	if len(e.fields) == 0 && e.field != "" {
		return []FieldError{{Pointer: e.field, Code: e.Code(), Detail: e.Error()}}
	}
	return slices.Clone(e.fields)
}

func (c *Catalog) localize(_ *http.Request, e *Error) *Error { return e }
