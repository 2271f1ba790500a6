package errs

import (
	"cmp"
	"context"
	"database/sql"
	"database/sql/driver"
	"fmt"
	"io"
	"log/slog"
	"net"
	"reflect"
	"strings"
	"syscall"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// LogValue implements [slog.LogValuer]. It contains what an engineer needs to find
// the fault, without values: kind, status, code and field; the name of the operation,
// set by txn.Name, and the number of its attempts; the statement of package owner;
// for a database error SQLSTATE, its name, and the names of constraint, table,
// column, key columns, domain and routine; the message of an error of class 42, which
// is wrong SQL; and the types of all causes, with the constant words of errors of
// packages txn, owner and pgx.
//
// It also contains the text of the application's own errors, without passwords and
// with only scheme and host of URLs. The text of a database or driver error, and of
// an error that wraps one or repeats its text, may hold values of a row or of an
// argument that could not be encoded. From these only texts known to be constant are
// logged. [Catalog.WithValues] adds all texts, unredacted.
func (e *Error) LogValue() slog.Value {
	attrs := []slog.Attr{slog.String("kind", e.kind.Code()), slog.Int("status", e.Status())}
	add := func(key, value string) {
		if value != "" {
			attrs = append(attrs, slog.String(key, value))
		}
	}
	add("code", e.code)
	add("field", e.place())
	server := e.server
	if server == nil {
		server = findServerError(e.cause)
	}
	add("operation", operation(e.cause))
	verb, table := statementOf(e.cause)
	add("statement", verb)
	if server == nil || server.TableName == "" {
		add("table", table)
	}
	if server != nil {
		add("sqlstate", stateForLog(server.Code))
		add("condition", states[server.Code].name)
		add("constraint", server.ConstraintName)
		add("table", server.TableName)
		add("column", notNullColumn(server))
		add("key", keyColumns(server))
		add("domain", server.DataTypeName)
		add("routine", server.Routine)
		if !e.values {
			add("message", messageForLog(server))
		}
	}
	if n := attempts(e.cause); n > 0 {
		attrs = append(attrs, slog.Int("attempts", n))
	}
	add("cause", chain(e.cause, 0))
	if e.cause == nil || isNil(e.cause) {
		return slog.GroupValue(attrs...)
	}
	switch {
	case e.values:
		add("text", e.cause.Error())
	case isOwn(e.cause):
		add("text", redact(e.cause.Error()))
	}
	if e.values && server != nil {
		add("message", server.Message)
		add("detail", server.Detail)
		add("hint", server.Hint)
		add("where", server.Where)
	}
	return slog.GroupValue(attrs...)
}

// place returns the first part of the request at fault.
func (e *Error) place() string {
	if len(e.fields) == 0 {
		return e.field
	}
	f := e.fields[0]
	return cmp.Or(f.Pointer, f.Parameter, f.Header)
}

// isOwn reports whether nothing in err comes from a database driver.
func isOwn(err error) bool {
	text := err.Error()
	for _, mark := range driverMarks {
		if strings.Contains(text, mark) {
			return false
		}
	}
	return visit(err, func(err error) bool {
		return serverError(err) == nil && !strings.HasPrefix(packageOf(err), "github.com/jackc/") && !strings.HasPrefix(packageOf(err), "github.com/lib/pq")
	})
}

// driverMarks occur in the texts of driver errors that have no type, or were
// formatted into another text.
var driverMarks = []string{"SQLSTATE", "pq: ", "encode", "can't scan", "cannot scan", "Scan error", "cannot parse `"}

func packageOf(v any) string {
	t := reflect.TypeOf(v)
	if t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	return t.PkgPath()
}

func stateForLog(state string) string {
	if !isState(state) {
		return "invalid"
	}
	return state
}

// attempts returns the field Attempts of the errors of package txn.
func attempts(err error) (n int) {
	visit(err, func(err error) bool {
		v := reflect.Indirect(reflect.ValueOf(err))
		if _, ok := err.(interface{ Kind() Kind }); ok && v.Kind() == reflect.Struct {
			if f, ok := v.Type().FieldByName("Attempts"); ok && len(f.Index) == 1 && f.Type.Kind() == reflect.Int {
				n = int(v.FieldByIndex(f.Index).Int())
			}
		}
		return n == 0
	})
	return n
}

// chainDepth bounds a line in the log; Translate looks deeper.
const chainDepth = 12

// chain returns the types of err and the errors that it wraps, with texts that are
// constant.
func chain(err error, depth int) string {
	if err == nil {
		return ""
	}
	if depth == chainDepth {
		return "…"
	}
	name := fmt.Sprintf("%T", err)
	if text := constantText(err); text != "" {
		return name + " (" + text + ")"
	}
	if text := words(err); text != "" {
		name += " (" + text + ")"
	}
	var inner []string
	for _, w := range unwrap(err) {
		if w != nil {
			inner = append(inner, chain(w, depth+1))
		}
	}
	switch len(inner) {
	case 0:
		return name
	case 1:
		return name + ": " + inner[0]
	}
	return name + ": [" + strings.Join(inner, "; ") + "]"
}

// constants are errors whose text is always the same.
var constants = []error{
	context.Canceled, context.DeadlineExceeded,
	io.EOF, io.ErrUnexpectedEOF, io.ErrClosedPipe, net.ErrClosed,
	sql.ErrNoRows, sql.ErrTxDone, sql.ErrConnDone, driver.ErrBadConn,
	pgx.ErrNoRows, pgx.ErrTxClosed, pgx.ErrTxCommitRollback, pgx.ErrTooManyRows,
	pgconn.ErrConnClosed,
}

func constantText(err error) string {
	if isNil(err) {
		return "nil"
	}
	switch e := err.(type) {
	case *misuseError:
		return e.Error()
	case Kind:
		return e.Code()
	case syscall.Errno:
		return e.Error()
	}
	for _, known := range constants {
		if err == known {
			return err.Error()
		}
	}
	if _, ok := plainMeaning(err); ok {
		return err.Error()
	}
	return ""
}
