package errs

import (
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"time"
)

// Error is an error that is safe to show. Its text is constant for its kind, or
// was registered by the application; nothing of it comes from the database.
// What caused it is reached by Unwrap, for logs only.
//
// Make one with [New] or [Catalog.Translate].
type Error struct {
	kind       Kind
	code       string
	field      string
	fields     []FieldError
	message    string
	retryAfter time.Duration
	cause      error
}

// Error is the public text.
func (e *Error) Error() string {
	if e.message != "" {
		return e.message
	}
	return e.kind.Error()
}

// Kind is what the error means.
func (e *Error) Kind() Kind { return e.kind }

// Status is the HTTP status of the kind.
func (e *Error) Status() int { return e.kind.Status() }

// Code is the error's name for machines, such as "email_taken": what a client
// translates by. Without one of its own it is the kind's.
func (e *Error) Code() string {
	if e.code != "" {
		return e.code
	}
	return e.kind.Code()
}

// Field is a JSON Pointer (RFC 6901) to the part of the request that is at
// fault, such as "/email", or "" where that is not known.
func (e *Error) Field() string {
	if len(e.fields) > 0 {
		return e.fields[0].Pointer
	}
	return e.field
}

// RetryAfter is how long to wait before the same request is sent again; zero
// where that is no use.
func (e *Error) RetryAfter() time.Duration {
	if e.retryAfter == 0 && e.kind.Resend() {
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

// LogValue gives kind, code and cause to log/slog. Of a database error these
// are SQLSTATE and the names of constraint, table and column: its text may hold
// values of rows, and is left out. The text of any other cause is logged as it
// is; that of an argument which pgx cannot encode holds its value.
func (e *Error) LogValue() slog.Value {
	attrs := []slog.Attr{slog.String("kind", e.kind.Code()), slog.Int("status", e.Status())}
	add := func(key, value string) {
		if value != "" {
			attrs = append(attrs, slog.String(key, value))
		}
	}
	if e.code != "" {
		add("code", e.code)
	}
	add("field", e.Field())
	if s, ok := findServerError(e.cause); ok {
		add("sqlstate", s.Code)
		add("constraint", s.ConstraintName)
		add("table", s.TableName)
		add("column", notNullColumn(s))
		add("routine", s.Routine)
	} else if e.cause != nil {
		add("cause", e.cause.Error())
	}
	return slog.GroupValue(attrs...)
}

// Option adds to an error made by [New].
type Option func(*Error) error

// New makes an error of the application's own:
//
//	return errs.New(errs.Unauthenticated)
//	return errs.New(errs.Invalid, errs.Code("not_positive"), errs.Field("/amount"), errs.Message("The amount must be positive."))
//
// An option that makes no sense turns it into an Internal error that says why
// in its cause.
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
		return &Error{kind: Internal, cause: fmt.Errorf("errs.New(%s): %w", k.Code(), errors.Join(append(wrong, e.cause)...))}
	}
	return e
}

// Code sets the name for machines: lower-case letters, digits and underscores.
// Without it the code is the kind's.
func Code(code string) Option {
	return func(e *Error) error {
		e.code = code
		return checkCode(code)
	}
}

// Field sets the JSON Pointer to the part of the request that is at fault.
func Field(pointer string) Option {
	return func(e *Error) error {
		e.field = pointer
		return checkPointer(pointer)
	}
}

// Message sets the public text. It should be a constant of the program: what is
// put into it is shown to the client. Without it the text is the kind's.
func Message(text string) Option {
	return func(e *Error) error {
		e.message = text
		if text == "" {
			return errors.New("the message is empty")
		}
		return nil
	}
}

// RetryAfter says how long to wait before the same request is sent again. The
// default is one second for kinds that may be sent again, and never for others.
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
