package errs

import (
	"reflect"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"
)

// serverError returns err as an error of pgx v5 if it is a database error of any
// driver. Other drivers are not imported; their types are recognized by a method Get
// (lib/pq) or Field (bun, go-pg), or by SQLState and fields (the pgconn of pgx v4,
// lib/pq).
func serverError(err error) *pgconn.PgError {
	switch e := err.(type) {
	case *pgconn.PgError:
		return e // may be nil
	case interface{ SQLState() string }:
		if isNil(err) {
			return nil
		}
		return byFields(err, e.SQLState())
	case interface{ Get(k byte) string }: // lib/pq before it had SQLState
		if isNil(err) {
			return nil
		}
		return byFields(err, e.Get('C'))
	case interface { // go-pg, and bun's pgdriver
		Field(k byte) string
		IntegrityViolation() bool
	}:
		if isNil(err) {
			return nil
		}
		return byFields(err, e.Field('C'))
	}
	return nil
}

func byFields(err error, state string) *pgconn.PgError {
	if !isState(state) {
		return nil
	}
	pe := &pgconn.PgError{Code: state}
	var get func(k byte) string
	switch e := err.(type) {
	case interface{ Get(k byte) string }:
		get = e.Get
	case interface{ Field(k byte) string }:
		get = e.Field
	}
	if get != nil {
		pe.Severity, pe.Message, pe.Detail, pe.Hint, pe.Where = get('S'), get('M'), get('D'), get('H'), get('W')
		pe.SchemaName, pe.TableName, pe.ColumnName = get('s'), get('t'), get('c')
		pe.DataTypeName, pe.ConstraintName, pe.File, pe.Routine = get('d'), get('n'), get('F'), get('R')
		pe.Position = position(get('P'))
		return pe
	}
	v := reflect.Indirect(reflect.ValueOf(err))
	if v.Kind() != reflect.Struct {
		return pe
	}
	if p := v.FieldByName("Position"); p.IsValid() {
		if p.CanInt() {
			pe.Position = int32(p.Int())
		} else if p.Kind() == reflect.String {
			pe.Position = position(p.String())
		}
	}
	for _, f := range []struct {
		to    *string
		names []string
	}{
		{&pe.Severity, []string{"Severity"}},
		{&pe.Message, []string{"Message"}},
		{&pe.Detail, []string{"Detail"}},
		{&pe.Hint, []string{"Hint"}},
		{&pe.Where, []string{"Where"}},
		{&pe.SchemaName, []string{"SchemaName", "Schema"}},
		{&pe.TableName, []string{"TableName", "Table"}},
		{&pe.ColumnName, []string{"ColumnName", "Column"}},
		{&pe.DataTypeName, []string{"DataTypeName"}},
		{&pe.ConstraintName, []string{"ConstraintName", "Constraint"}},
		{&pe.File, []string{"File"}},
		{&pe.Routine, []string{"Routine"}},
	} {
		for _, name := range f.names {
			if s, ok := v.Type().FieldByName(name); ok && len(s.Index) == 1 && s.Type.Kind() == reflect.String {
				*f.to = v.FieldByIndex(s.Index).String()
			}
		}
	}
	return pe
}

func position(digits string) int32 {
	n, err := strconv.ParseInt(digits, 10, 32)
	if err != nil {
		return 0
	}
	return int32(n)
}

// isNil protects methods found by their name, which may not expect a nil receiver.
func isNil(v any) bool {
	r := reflect.ValueOf(v)
	return r.Kind() == reflect.Pointer && r.IsNil()
}

// findServerError returns the first database error in the tree of err, or nil.
func findServerError(err error) (found *pgconn.PgError) {
	visit(err, func(err error) bool {
		found = serverError(err)
		return found == nil
	})
	return found
}

// visit calls f for err and everything that it wraps, from the outside in, until f
// returns true.
func visit(err error, f func(error) bool) bool {
	if err == nil || !f(err) {
		return err == nil
	}
	for _, inner := range unwrap(err) {
		if !visit(inner, f) {
			return false
		}
	}
	return true
}

func unwrap(err error) []error {
	if isNil(err) {
		return nil
	}
	switch u := err.(type) {
	case interface{ Unwrap() error }:
		return []error{u.Unwrap()}
	case interface{ Unwrap() []error }:
		return u.Unwrap()
	}
	return nil
}

type direction uint8

const (
	directionUnknown direction = iota
	missing                    // the row points at nothing
	inUse                      // others point at the row
)

func hasQuote(name string) bool {
	for i := range len(name) {
		switch c := name[i]; {
		case c == '"', c == '\\':
			return true
		case c > 0x7f:
			return strings.ContainsAny(name[i:], `"\`+otherQuotes)
		}
	}
	return false
}

const otherQuotes = "«»„“”「」"

// foreignKeyDirection tells the two sides of a foreign key violation apart. No field
// does: SQLSTATE, table and constraint are the same. But the message of the
// referencing side names two things (its table, the constraint) and that of the other
// side three, on both engines and in every language of PostgreSQL. If names contain
// quotes themselves, the direction is unknown.
func foreignKeyDirection(e *pgconn.PgError) direction {
	if hasQuote(e.ConstraintName) || hasQuote(e.TableName) || strings.Contains(e.Message, `\"`) {
		return directionUnknown
	}
	quotes := strings.Count(e.Message, `"`)
	if quotes == 0 {
		for _, c := range e.Message {
			if c > 0x7f && strings.ContainsRune(otherQuotes, c) {
				quotes++
			}
		}
	}
	switch quotes {
	case 4:
		return missing
	case 6:
		return inUse
	}
	return directionUnknown
}

// direction returns the side of the violation. If the application's own trigger
// raised it, the message can be anything; then it is the side that the rule speaks
// of, if that is one alone.
func (r *Rule) direction(e *pgconn.PgError) direction {
	d := foreignKeyDirection(e)
	if d == directionUnknown && e.Routine == routineRaise {
		switch {
		case r.missing != nil && r.inUse == nil:
			return missing
		case r.missing == nil && r.inUse != nil:
			return inUse
		}
	}
	return d
}

// notNullColumn returns the column of a not-null violation. CockroachDB names it only
// in the message, which is always in English.
func notNullColumn(e *pgconn.PgError) string {
	if e.ColumnName != "" || e.Code != stateNotNull {
		return e.ColumnName
	}
	_, rest, _ := strings.Cut(e.Message, `null value in column "`)
	column, _, ok := strings.Cut(rest, `" violates not-null constraint`)
	if !ok {
		return ""
	}
	return column
}

// keyColumns returns the columns of a violated key, such as "a, b", if Detail has
// them. PostgreSQL sends them, in its own language, if the role may read the table;
// CockroachDB always.
func keyColumns(e *pgconn.PgError) string {
	rest, ok := strings.CutPrefix(e.Detail, "Key (")
	if !ok || len(e.Code) < 2 || e.Code[:2] != classIntegrity {
		return ""
	}
	columns, _, ok := strings.Cut(rest, ")=(")
	if !ok || strings.Trim(columns, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_, ") != "" {
		return ""
	}
	return strings.ReplaceAll(strings.ReplaceAll(columns, ", ", ","), ",", ", ")
}

// rowSecurity reports whether a policy refused the row, in contrast to a missing
// GRANT. On PostgreSQL the routine tells, in any language; on CockroachDB the
// message.
func rowSecurity(e *pgconn.PgError) bool {
	return e.Routine == routineRowSecurity || strings.HasPrefix(e.Message, messageRowSecurity)
}

func fatal(e *pgconn.PgError) bool {
	return e.SeverityUnlocalized == severityFatal || e.Severity == severityFatal
}
