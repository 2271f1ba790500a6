package interop_test

import (
	"bytes"
	"context"
	"log/slog"
	"os"
	"reflect"
	"strings"
	"testing"

	pgconn4 "github.com/jackc/pgconn"
	pgconn5 "github.com/jackc/pgx/v5/pgconn"
	"github.com/lib/pq"
	"github.com/stretchr/testify/require"
)

// names are the fields that may be logged. The text fields may hold values of rows,
// which nobody may see.
var names = map[string]bool{
	"Schema": true, "SchemaName": true, "Table": true, "TableName": true, "Column": true, "ColumnName": true,
	"DataTypeName": true, "Constraint": true, "ConstraintName": true, "Routine": true,
}

// fill puts a canary into every field of a driver's error.
func fill[E error](t *testing.T, err E, state string) E {
	t.Helper()
	v := reflect.ValueOf(err).Elem()
	var filled int
	for i := range v.NumField() {
		field := v.Type().Field(i)
		if !field.IsExported() || field.Type.Kind() != reflect.String {
			continue
		}
		switch {
		case field.Name == "Code":
			v.Field(i).SetString(state)
		case names[field.Name]:
			v.Field(i).SetString("canary_name")
		case field.Name == "Message" && strings.HasPrefix(state, "42"): // of which logs have it
			v.Field(i).SetString(`column "canary_name" does not exist`)
		case field.Name == "Message": // in the form that a column is read from
			v.Field(i).SetString(`null value in column "canary_name" violates not-null constraint canary_value`)
		default:
			v.Field(i).SetString("canary_value")
		}
		filled++
	}
	require.Greater(t, filled, 12)
	return err
}

func TestNothingOfADatabaseErrorGetsOut(t *testing.T) {
	t.Parallel()
	table, err := os.ReadFile("../testdata/sqlstates_expected.txt")
	require.NoError(t, err)
	var states []string
	for line := range strings.Lines(string(table)) {
		if f := strings.Fields(line); len(f) > 0 && len(f[0]) == 5 {
			states = append(states, f[0])
		}
	}
	require.Greater(t, len(states), 250)

	var current error
	var log bytes.Buffer
	logged := catalog.WithLogger(slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug})))
	for _, f := range frameworks {
		ask := f.serve(t, logged, func(context.Context) error { return current })
		for _, state := range states {
			for _, current = range []error{
				fill(t, &pgconn5.PgError{}, state), fill(t, &pgconn4.PgError{}, state), fill(t, &pq.Error{}, state),
			} {
				a := ask(t)
				require.NotContains(t, a.wire, "canary", "%s: %s of %T", f.name, state, current)
				require.NotEmpty(t, a.detail, "%s: %s of %T", f.name, state, current)
			}
		}
	}
	// echo v4 logs when it answers; the others return an error to be logged.
	require.Contains(t, log.String(), "canary_name")
	for _, state := range states {
		for _, err := range []error{
			fill(t, &pgconn5.PgError{}, state), fill(t, &pgconn4.PgError{}, state), fill(t, &pq.Error{}, state),
		} {
			slog.New(slog.NewTextHandler(&log, nil)).Error("failed", "error", logged.Translate(err))
		}
	}
	require.NotContains(t, log.String(), "canary_value")
}
