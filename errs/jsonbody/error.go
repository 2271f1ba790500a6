package jsonbody

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/rowkeeper/rowkeeper/errs/kind"
	"github.com/rowkeeper/rowkeeper/internal/strictjson"
)

// Error is the error of [Decode]. errs.Catalog.Translate makes problem details of it,
// by its methods Kind and Fields.
type Error struct {
	kind   kind.Kind
	fields []kind.FieldError
	cause  error
}

var _ kind.Fielded = (*Error)(nil)

// Error returns a text for logs: the codes with their places, and the cause. It holds no
// value that the client sent.
func (e *Error) Error() string {
	var b strings.Builder
	b.WriteString("jsonbody: " + e.kind.Code())
	for i, f := range e.fields {
		if i == textFields {
			fmt.Fprintf(&b, ", and %d more", len(e.fields)-i)
			break
		}
		if f.Pointer != "" {
			fmt.Fprintf(&b, ", %s at %q", f.Code, f.Pointer)
		} else if f.Code != e.kind.Code() {
			b.WriteString(", " + f.Code)
		}
	}
	if e.cause != nil {
		b.WriteString(": " + e.cause.Error())
	}
	return b.String()
}

// textFields bounds the text of an error.
const textFields = 4

// Kind returns what the error means: TooLarge, UnsupportedMediaType, Malformed or Invalid,
// or Internal for an option that makes no sense.
func (e *Error) Kind() kind.Kind { return e.kind }

// Fields returns what is wrong, with code and public text, and for a part of the body its
// JSON Pointer. Of several, the first has no place and stands for the whole. There is none
// if the kind says all.
func (e *Error) Fields() []kind.FieldError { return slices.Clone(e.fields) }

// Unwrap returns the cause, or nil.
func (e *Error) Unwrap() error { return e.cause }

// refused makes one error of the faults of a body.
func refused(faults []strictjson.Fault) error {
	e := &Error{kind: kind.Invalid}
	whole := kind.FieldError{Code: faults[0].Code}
	var causes []error
	for i := range faults {
		f := &faults[i]
		if f.Syntactic() {
			e.kind = kind.Malformed
		}
		if f.Code != whole.Code {
			whole.Code = ""
		}
		if f.Pointer != "" {
			e.fields = append(e.fields, kind.FieldError{Pointer: f.Pointer, Code: f.Code, Detail: f.Detail})
		}
		causes = append(causes, f.Cause)
	}
	if len(faults) == 1 || len(e.fields) == 0 {
		f := &faults[0]
		return refuse(e.kind, f.Code, f.Detail, f.Pointer, f.Cause)
	}
	e.cause = errors.Join(causes...)
	if whole.Code == "" {
		whole.Code = e.kind.Code()
	}
	whole.Detail = e.kind.Error()
	e.fields = slices.Insert(e.fields, 0, whole)
	return e
}

// refuse names the part of the body at fault, unless that is the whole.
func refuse(k kind.Kind, code, detail, at string, cause error) error {
	return &Error{kind: k, fields: []kind.FieldError{{Pointer: at, Code: code, Detail: detail}}, cause: cause}
}
