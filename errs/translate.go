package errs

import (
	"context"
	"database/sql"
	"net/http"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// Translate turns any error into an [*Error], which is safe to show, and nil
// into nil. What it does not understand is Internal, with a constant text.
//
// The outermost error that means something decides: an *Error, an error with a
// method Kind() errs.Kind (and RetryAfter() time.Duration, if it knows when to
// come again), a database error, pgx.ErrNoRows, the end of a
// context. The error that was given is in the result's Unwrap.
func (c *Catalog) Translate(err error) error {
	if err == nil {
		return nil
	}
	return c.translate(err)
}

func (c *Catalog) translate(err error) *Error {
	if e, ok := err.(*Error); ok && e != nil {
		return e
	}
	e := c.understand(err)
	if e == nil {
		e = &Error{kind: Internal}
	}
	e.cause = err
	return e
}

// understand walks the tree of err from the outside, and gives what the first
// error that it knows means.
func (c *Catalog) understand(err error) *Error {
	if e := c.know(err); e != nil {
		return e
	}
	switch u := err.(type) {
	case interface{ Unwrap() error }:
		if inner := u.Unwrap(); inner != nil {
			return c.understand(inner)
		}
	case interface{ Unwrap() []error }:
		for _, inner := range u.Unwrap() {
			if inner == nil {
				continue
			}
			if e := c.understand(inner); e != nil {
				return e
			}
		}
	}
	return nil
}

func (c *Catalog) know(err error) *Error {
	switch e := err.(type) {
	case *Error:
		if e == nil {
			return &Error{kind: Internal}
		}
		copied := *e
		return &copied
	case *pgconn.PgError:
		if e == nil {
			return &Error{kind: Internal}
		}
		return c.fromServer(e)
	case interface{ Kind() Kind }:
		known := &Error{kind: e.Kind().Kind()}
		if r, ok := err.(interface{ RetryAfter() time.Duration }); ok {
			known.retryAfter = r.RetryAfter()
		}
		return known
	case *http.MaxBytesError:
		return &Error{kind: TooLarge}
	}
	if fields, kind, ok := fieldErrors(err); ok {
		return &Error{kind: kind, fields: fields}
	}
	switch err {
	case pgx.ErrNoRows, sql.ErrNoRows:
		return &Error{kind: NotFound}
	case context.DeadlineExceeded:
		return &Error{kind: Timeout}
	case context.Canceled:
		return &Error{kind: Canceled}
	}
	return nil
}

func (c *Catalog) fromServer(pe *pgconn.PgError) *Error {
	m := meanings[pe.Code]
	e := &Error{kind: m.kind, code: m.code, message: m.text}
	switch pe.Code {
	case codeNotNull:
		rule, known := c.columnRule(pe)
		if known {
			e.kind = Required
			e.apply(rule.reply)
		}
		return e
	case codeCheck:
		if pe.ConstraintName == "" { // no partition for the row: ours to mend
			return &Error{kind: Internal}
		}
	}
	rule, known := c.constraintRule(pe)
	switch pe.Code {
	case codeForeignKey:
		switch foreignKeyDirection(pe.Message) {
		case missing:
			e.kind = ReferenceNotFound
			e.apply(rule.missing)
		case inUse:
			e.kind = StillReferenced
			e.apply(rule.inUse)
		}
	case codeRestrict:
		e.apply(rule.inUse)
	default:
		if known {
			e.apply(rule.reply)
		}
	}
	return e
}

func (e *Error) apply(p *reply) {
	if p == nil {
		return
	}
	e.code, e.field = p.code, p.field
	if p.message != "" {
		e.message = p.message
	}
}

func (c *Catalog) constraintRule(pe *pgconn.PgError) (Rule, bool) {
	if c == nil || pe.ConstraintName == "" {
		return Rule{}, false
	}
	return pick(c.constraints[pe.ConstraintName], pe.TableName)
}

// columnRule also finds one where several tables have rules for the column and
// the server does not say which it was: what the client left out is known then,
// though not what to call it.
func (c *Catalog) columnRule(pe *pgconn.PgError) (Rule, bool) {
	column := notNullColumn(pe)
	if c == nil || column == "" {
		return Rule{}, false
	}
	rules := c.columns[column]
	if rule, ok := pick(rules, pe.TableName); ok {
		return rule, true
	}
	return Rule{}, len(rules) > 1 && pe.TableName == ""
}
