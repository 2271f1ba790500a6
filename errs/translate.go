package errs

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"io"
	"net"
	"net/http"
	"net/url"
	"reflect"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/rowkeeper/rowkeeper/errs/internal/rules"
	"github.com/rowkeeper/rowkeeper/errs/kind"
	"github.com/rowkeeper/rowkeeper/internal/pgerr"
)

// Translate translates any error into an [*Error], which is safe to show. It returns
// nil for nil. An error that it does not understand is Internal, with a constant
// text.
//
// The outermost error with a known meaning decides: an *Error, one for which the
// catalog has a rule ([Is], [As]), an error with a method Kind() errs.Kind (and
// optionally Fields() []errs.FieldError, see [FieldError], and RetryAfter()
// time.Duration), a database error of any driver, a lost connection, pgx.ErrNoRows,
// the end of a context, and an argument that pgx refuses as out of range. Of joined
// errors the first decides, but no other error ever hides an unknown outcome. The result
// wraps err.
//
// Translate cannot distinguish a connection that is lost during COMMIT from others,
// and returns Unavailable, which asks for the request to be sent again. If that would
// do harm, use package txn, which knows the outcome.
func (c *Catalog) Translate(err error) error {
	if err == nil {
		return nil
	}
	return c.translate(err)
}

func (c *Catalog) translate(err error) *Error {
	if e, ok := err.(*Error); ok && e != nil {
		if c == nil || !c.values || e.values {
			return e
		}
		copied := *e
		copied.values = true
		return &copied
	}
	e := c.classify(err)
	switch {
	case e != nil:
	case pgerr.OutOfRange(err):
		e = c.refused()
	default:
		e = &Error{kind: Internal}
	}
	if e.server != nil && e.server.Code == stateQueryCanceled && e.kind == Timeout && errors.Is(err, context.Canceled) {
		e.kind = Canceled
	}
	e.cause = err
	e.values = c != nil && c.values
	return e
}

// classify walks the tree of err from the outside in, and returns the meaning of
// the first error that it knows.
func (c *Catalog) classify(err error) *Error {
	if e := c.classifyOne(err); e != nil {
		return e
	}
	switch u := err.(type) {
	case interface{ Unwrap() error }:
		if inner := u.Unwrap(); inner != nil {
			return c.classify(inner)
		}
	case interface{ Unwrap() []error }:
		return c.classifyJoined(u.Unwrap())
	}
	return nil
}

func (c *Catalog) classifyJoined(joined []error) (first *Error) {
	for _, inner := range joined {
		if inner == nil {
			continue
		}
		e := c.classify(inner)
		switch {
		case e == nil:
		case e.kind == OutcomeUnknown:
			return e
		case first == nil, e.final && first.kind.Resend():
			first = e
		}
	}
	return first
}

func (c *Catalog) classifyOne(err error) *Error {
	if e, ok := err.(*Error); ok {
		if e == nil {
			return &Error{kind: Internal}
		}
		copied := *e
		return &copied
	}
	if c != nil {
		for i := range c.causes {
			if r := &c.causes[i]; r.match(err) {
				e := new(Error)
				e.apply(r, r.reply)
				return e
			}
		}
	}
	switch e := err.(type) {
	case *pgconn.PgError:
		if e == nil {
			return &Error{kind: Internal}
		}
		return c.fromServer(e)
	case interface{ Kind() Kind }:
		return c.fromKind(e, err)
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
	case pgconn.ErrConnClosed, sql.ErrConnDone, driver.ErrBadConn, io.EOF, io.ErrUnexpectedEOF, net.ErrClosed:
		return &Error{kind: Unavailable}
	case pgx.ErrTxClosed, pgx.ErrTxCommitRollback, pgx.ErrTooManyRows, sql.ErrTxDone: // faults of the service
		return &Error{kind: Internal}
	}
	switch e := err.(type) {
	case *http.MaxBytesError:
		return &Error{kind: TooLarge}
	case *pgconn.ConnectError:
		if e == nil {
			return &Error{kind: Internal}
		}
		return c.fromConnect(e)
	case *net.OpError, *net.DNSError:
		return &Error{kind: endOfContext(err, Unavailable)}
	case *url.Error:
		// This is a call to another service. Its effects are not known, so the client
		// must not be asked to send the request again.
		return &Error{kind: endOfContext(err, Internal)}
	case *pgconn.ParseConfigError, pgx.ScanArgError, *pgx.ScanArgError: // whatever they wrap
		return &Error{kind: Internal}
	}
	if pe := serverError(err); pe != nil {
		return c.fromServer(pe)
	}
	if k, ok := plainMeaning(err); ok {
		return &Error{kind: k}
	}
	return nil
}

// refused is for a value that the driver found out of range before the database saw
// it. It means the same as the database's error.
func (c *Catalog) refused() *Error {
	e := c.fromServer(&pgconn.PgError{Code: stateOutOfRange})
	e.server = nil
	return e
}

// plainMeaning is for errors that have neither a type of their own nor a variable
// that can be imported here: those of closed pools, and the ErrNoRows of pgx v4.
func plainMeaning(err error) (Kind, bool) {
	if reflect.TypeOf(err) == plainError {
		switch err.Error() {
		case "no rows in result set":
			return NotFound, true
		case "closed pool", "sql: database is closed": // the service stops
			return Unavailable, true
		}
	}
	return Internal, false
}

var plainError = reflect.TypeOf(errors.New(""))

func (c *Catalog) fromKind(k interface{ Kind() Kind }, err error) *Error {
	if isNil(err) {
		return &Error{kind: Internal}
	}
	e := &Error{kind: k.Kind().Kind()}
	e.final = e.kind == Internal
	if f, ok := err.(kind.Fielded); ok {
		e.carry(f.Fields())
	}
	if p, ok := err.(pgerr.MissingReference); ok {
		if r := c.referenceRule(p); r != nil {
			e.fields = nil
			e.apply(r, r.missing)
		}
	}
	if r, ok := err.(interface{ RetryAfter() time.Duration }); ok {
		e.retryAfter = max(r.RetryAfter(), 0)
	}
	return e
}

// carry takes over the field errors of another package. A single one is what the
// whole error is about.
func (e *Error) carry(given []FieldError) {
	for _, f := range given {
		if checkCode(f.Code) != nil {
			f.Code = ""
		}
		whole := countPlaces(f) == 0
		if whole || len(given) == 1 {
			e.code, e.message = f.Code, f.Detail
		}
		if !whole && checkPlace(f) == nil && len(e.fields) < fieldErrorsMax {
			e.fields = append(e.fields, f)
		}
	}
}

func endOfContext(err error, otherwise Kind) Kind {
	switch {
	case isNil(err):
		return Internal
	case errors.Is(err, context.Canceled):
		return Canceled
	case errors.Is(err, context.DeadlineExceeded):
		return Timeout
	}
	return otherwise
}

// fromConnect is for connections that were never established: no client is at fault,
// but resending does not help against a wrong password.
func (c *Catalog) fromConnect(err *pgconn.ConnectError) *Error {
	e := &Error{kind: endOfContext(err, Unavailable), server: findServerError(err)}
	if e.kind == Unavailable && e.server != nil && c.fromServer(e.server).kind == Internal {
		e.kind = Internal
	}
	return e
}

func (c *Catalog) fromServer(pe *pgconn.PgError) *Error {
	byState := c.stateRule(pe)
	if byState == nil || byState.hint == "" {
		if r := c.raisedRule(pe); r != nil {
			e := &Error{server: pe, kind: Invalid}
			e.apply(r, r.reply)
			return e
		}
	}
	if byState != nil {
		e := &Error{server: pe}
		e.apply(byState, byState.reply)
		return e
	}
	s := meaningOf(pe.Code)
	e := &Error{kind: s.kind, code: s.code, message: s.text, server: pe}
	switch pe.Code {
	case stateQueryCanceled:
		if pgerr.CopyOutOfRange(pe.Message) {
			return c.refused()
		}
	case stateNotNull:
		if r := c.notNullRule(pe); r != nil {
			e.kind = Required
			e.apply(r, r.reply)
		} else {
			e.kind = Internal
		}
		return e
	case stateCheck:
		if pe.ConstraintName == "" {
			e.kind = Internal
			return e
		}
	case statePrivilege:
		if rowSecurity(pe) {
			e.kind = Forbidden
		}
	case stateProtocol:
		switch {
		case fatal(pe):
			e.kind = Unavailable
		case strings.HasPrefix(pe.Message, messageBadArgument): // PostgreSQL's 22P02
			e.kind = Malformed
		}
	case stateCommitted:
		e.final = true
	default:
		e.refine(pe)
	}
	if len(pe.Code) < 2 || pe.Code[:2] != classIntegrity {
		return e
	}
	r := c.constraintRule(pe)
	if r == nil {
		r = &noRule
	}
	switch pe.Code {
	case stateForeignKey:
		switch r.direction(pe) {
		case missing:
			e.kind, e.message = ReferenceNotFound, ""
			e.apply(r, r.missing)
		case inUse:
			e.kind, e.message = StillReferenced, ""
			e.apply(r, r.inUse)
		}
	case stateRestrict:
		e.apply(r, r.inUse)
	default:
		e.apply(r, r.reply)
	}
	return e
}

// noRule has no effect on any error.
var noRule Rule

func (e *Error) apply(r *Rule, p *reply) {
	if p == nil {
		return
	}
	e.code, e.field = p.code, p.field
	if r.kinded {
		e.kind, e.message = r.kind, ""
	}
	if p.message != "" {
		e.message = p.message
	}
	e.status = r.status
}

// constraintRule finds the rule for the constraint that pe names. CockroachDB before
// 21.2 calls every primary key "primary" and does not name the table: there the
// columns decide, if only one rule has them.
func (c *Catalog) constraintRule(pe *pgconn.PgError) *Rule {
	if c == nil || pe.ConstraintName == "" {
		return nil
	}
	if pe.ConstraintName != rules.OldPrimaryKey || pe.TableName != "" {
		if r := pick(c.constraints[pe.ConstraintName], pe.TableName); r != nil {
			return r
		}
		return c.inherited(pe)
	}
	var found *Rule
	columns := keyColumns(pe)
	for i := range c.keys {
		if columns == "" || strings.Join(c.keys[i].key, ", ") != columns {
			continue
		}
		if found != nil {
			return nil
		}
		found = &c.keys[i]
	}
	return found
}

// notNullRule also finds a rule if several tables have rules for the column and the
// server does not name the table: then it is known what the client left out, but not
// its code.
func (c *Catalog) notNullRule(pe *pgconn.PgError) *Rule {
	if c == nil {
		return nil
	}
	column := notNullColumn(pe)
	if column == "" {
		if r, ok := c.domains[pe.DataTypeName]; ok {
			return &r
		}
		return nil
	}
	rules := c.columns[column]
	if r := pick(rules, pe.TableName); r != nil {
		return r
	}
	if r := c.inheritedNotNull(pe, column); r != nil {
		return r
	}
	if len(rules) > 1 && pe.TableName == "" {
		return &noRule
	}
	return nil
}
