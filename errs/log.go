package errs

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"fmt"
	"io"
	"log/slog"
	"net"
	"reflect"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// LogValue gives log/slog what an engineer needs to find the fault, and no
// values: kind, status, code and field; of a database error SQLSTATE, its name,
// and the names of constraint, table, column, key columns, domain and routine; of
// an error of txn the number of attempts; and the types of all causes.
//
// The text of a cause may hold values (a row's, an argument's that pgx cannot
// encode, whatever the application formats into it), so only texts that are known
// to be constant are given. [Catalog.WithValues] adds all of them.
func (e *Error) LogValue() slog.Value {
	attrs := []slog.Attr{slog.String("kind", e.kind.Code()), slog.Int("status", e.Status())}
	add := func(key, value string) {
		if value != "" {
			attrs = append(attrs, slog.String(key, value))
		}
	}
	add("code", e.code)
	add("field", e.Field())
	server := e.server
	if server == nil {
		server = findServerError(e.cause)
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
	}
	if n := attempts(e.cause); n > 0 {
		attrs = append(attrs, slog.Int("attempts", n))
	}
	add("cause", chain(e.cause, 0))
	if e.values && e.cause != nil && !isNil(e.cause) {
		add("text", e.cause.Error())
		if server != nil {
			add("message", server.Message)
			add("detail", server.Detail)
			add("hint", server.Hint)
			add("where", server.Where)
		}
	}
	return slog.GroupValue(attrs...)
}

func stateForLog(state string) string {
	if !isState(state) {
		return "invalid"
	}
	return state
}

// attempts finds the field Attempts, which the errors of txn have.
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

// chainDepth bounds a line in the log, not what is understood.
const chainDepth = 12

// chain lists the types of err and what it wraps, with texts that are constant.
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

// constants are errors whose text is the same always.
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
	}
	for _, known := range constants {
		if err == known {
			return err.Error()
		}
	}
	return ""
}
