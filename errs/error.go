package errs

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/rowkeeper/rowkeeper/errs/kind"
)

// An Error is safe to show to clients. Its text is constant for its kind or was
// registered by the application; nothing in it comes from the database. Unwrap
// returns the cause, for logs only.
//
// Make one with [New] or [Catalog.Translate].
type Error struct {
	kind       Kind
	status     int // 0: that of the kind
	code       string
	field      string
	fields     []FieldError // overrides field
	message    string
	retryAfter time.Duration
	cause      error
	server     *pgconn.PgError // the database error that determined the kind
	final      bool            // do not resend, whatever other errors are joined to it
	values     bool            // log values too
}

// A FieldError describes an error in one part of a request: in its body at a JSON
// Pointer, in a query parameter or in a header.
//
//	type FieldError struct {
//		Pointer   string // a JSON Pointer (RFC 6901) into the body, such as "/email"
//		Code      string // the name for machines, such as "email_taken"
//		Detail    string // the public text; if empty, that of the whole error
//		Parameter string // instead of Pointer: the name of a query parameter, such as "size"
//		Header    string // instead of Pointer: the name of a header, such as "If-Match"
//	}
//
// Any error can carry field errors to the client: [Catalog.Translate] takes kind and
// fields of an error with the methods Kind() errs.Kind and Fields()
// []errs.FieldError, as *Error has them. A FieldError without a place sets code and
// text of the whole error.
type FieldError = kind.FieldError

// Error returns the public text.
func (e *Error) Error() string {
	if e.message != "" {
		return e.message
	}
	return e.kind.Error()
}

// Kind returns the kind of the error.
func (e *Error) Kind() Kind { return e.kind }

// Status returns the HTTP status: that of the kind unless another one was set.
func (e *Error) Status() int {
	if e.status != 0 {
		return e.status
	}
	return e.kind.Status()
}

// Code returns the name for machines, such as "email_taken", by which a client can
// translate the error. The default is the code of the kind.
func (e *Error) Code() string {
	if e.code != "" {
		return e.code
	}
	return e.kind.Code()
}

// Field returns a JSON Pointer (RFC 6901) to the part of the request at fault, such
// as "/email". It is "" if that is not known or not in the body. If there are
// several, it is the first.
func (e *Error) Field() string {
	if len(e.fields) > 0 {
		return e.fields[0].Pointer
	}
	return e.field
}

// Fields returns the parts of the request at fault, each with code and text. It
// returns none if they are not known.
func (e *Error) Fields() []FieldError {
	if len(e.fields) == 0 && e.field != "" {
		return []FieldError{{Pointer: e.field, Code: e.Code(), Detail: e.Error()}}
	}
	fields := slices.Clone(e.fields)
	for i := range fields {
		if fields[i].Code == "" {
			fields[i].Code = e.Code()
		}
		if fields[i].Detail == "" {
			fields[i].Detail = e.Error()
		}
	}
	return fields
}

// RetryAfter returns how long to wait before sending the same request again. It is
// zero if that is of no use, and always for Internal and OutcomeUnknown.
func (e *Error) RetryAfter() time.Duration {
	switch {
	case e.kind == Internal || e.kind == OutcomeUnknown:
		return 0
	case e.retryAfter == 0 && e.kind.Resend():
		return time.Second
	}
	return e.retryAfter
}

// Unwrap returns the cause. Its text is not safe to show.
func (e *Error) Unwrap() error { return e.cause }

// Is reports whether target is the error's kind.
func (e *Error) Is(target error) bool {
	k, ok := target.(Kind)
	return ok && k == e.kind
}

// An Option configures an error made by [New].
type Option func(*Error) error

// New returns an error of the application:
//
//	return errs.New(errs.Unauthenticated)
//	return errs.New(errs.Invalid, errs.Code("not_positive"), errs.Field("/amount"), errs.Message("The amount must be positive."))
//
// If an option is invalid, New returns an Internal error whose cause says why.
func New(k Kind, opts ...Option) error {
	e := &Error{kind: k.Kind()}
	var wrong []error
	for _, o := range opts {
		if o == nil {
			wrong = append(wrong, errors.New("an option is nil"))
		} else if err := o(e); err != nil {
			wrong = append(wrong, err)
		}
	}
	if wrong != nil {
		return &Error{kind: Internal, cause: &misuseError{kind: k, wrong: wrong, cause: e.cause}}
	}
	return e
}

// misuseError reports wrong arguments of New. They come from the program itself, so
// its text is logged unredacted.
type misuseError struct {
	kind  Kind
	wrong []error
	cause error
}

func (e *misuseError) Error() string {
	return fmt.Sprintf("errs.New(%s): %v", e.kind.Code(), errors.Join(e.wrong...))
}

func (e *misuseError) Unwrap() error { return e.cause }

// Code sets the name for machines: lower-case letters, digits and underscores. The
// default is the code of the kind.
func Code(code string) Option {
	return func(e *Error) error {
		e.code = code
		return checkCode(code)
	}
}

// Field sets the JSON Pointer to the part of the request at fault.
func Field(pointer string) Option {
	return func(e *Error) error {
		e.field = pointer
		return checkPointer(pointer)
	}
}

// Fields sets several parts of the request at fault, instead of Field. Each needs a
// code and one of a pointer, the name of a parameter or the name of a header.
func Fields(fields ...FieldError) Option {
	return func(e *Error) error {
		e.fields = slices.Clone(fields)
		if len(fields) == 0 {
			return errors.New("there are no fields")
		}
		var wrong []error
		for _, f := range fields {
			wrong = append(wrong, checkPlace(f), checkCode(f.Code))
		}
		return errors.Join(wrong...)
	}
}

// Status sets an HTTP status from 400 to 599 instead of the kind's, such as 410 for
// NotFound.
func Status(status int) Option {
	return func(e *Error) error {
		e.status = status
		return checkStatus(status)
	}
}

// Message sets the public text. It should be a constant of the program, because
// clients see all of it. The default is the text of the kind.
func Message(text string) Option {
	return func(e *Error) error {
		e.message = text
		if text == "" {
			return errors.New("the message is empty")
		}
		return nil
	}
}

// RetryAfter sets how long to wait before sending the same request again. The default
// is one second for kinds that may be sent again, and never for others.
func RetryAfter(d time.Duration) Option {
	return func(e *Error) error {
		e.retryAfter = d
		if d <= 0 {
			return fmt.Errorf("the time to retry after, %v, is not positive", d)
		}
		return nil
	}
}

// Cause sets what Unwrap returns. It is for logs and never shown.
func Cause(err error) Option {
	return func(e *Error) error {
		e.cause = err
		return nil
	}
}

func checkCode(code string) error {
	if code == "" {
		return errors.New("the code is empty")
	}
	if strings.Trim(code, "abcdefghijklmnopqrstuvwxyz0123456789_") != "" {
		return fmt.Errorf("the code %q is not of lower-case letters, digits and underscores", code)
	}
	return nil
}

func checkStatus(status int) error {
	if status < 400 || status > 599 {
		return fmt.Errorf("the status %d is not one of an error, 400 to 599", status)
	}
	return nil
}

func checkPlace(f FieldError) error {
	switch places := countPlaces(f); {
	case places > 1:
		return errors.New("a field is a pointer, a parameter or a header, and not two of them")
	case places == 0, f.Pointer != "":
		return checkPointer(f.Pointer)
	}
	return nil
}

func countPlaces(f FieldError) (n int) {
	for _, place := range [...]string{f.Pointer, f.Parameter, f.Header} {
		if place != "" {
			n++
		}
	}
	return n
}

func checkPointer(pointer string) error {
	if !strings.HasPrefix(pointer, "/") {
		return fmt.Errorf("the field %q is not a JSON Pointer such as \"/email\"", pointer)
	}
	for rest := pointer; ; {
		_, after, found := strings.Cut(rest, "~")
		if !found {
			return nil
		}
		if after == "" || after[0] != '0' && after[0] != '1' {
			return fmt.Errorf("the field %q has a ~ that is not ~0 or ~1", pointer)
		}
		rest = after
	}
}
