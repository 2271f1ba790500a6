package errs_test

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/stretchr/testify/require"

	"github.com/rowkeeper/rowkeeper/errs"
)

// lines reads a file of testdata without its comments, each line split into n fields.
func tableLines(t *testing.T, name string, n int) (split [][]string) {
	t.Helper()
	data, err := os.ReadFile("testdata/" + name)
	require.NoError(t, err)
	for line := range strings.Lines(string(data)) {
		if line = strings.TrimSpace(line); line != "" && !strings.HasPrefix(line, "#") {
			parts := strings.SplitN(line, " ", n)
			require.Len(t, parts, n, line)
			split = append(split, parts)
		}
	}
	return split
}

// The expected result for each SQLSTATE was written down once and reviewed by hand.
func TestEverySQLState(t *testing.T) {
	t.Parallel()
	for _, want := range tableLines(t, "sqlstates_expected.txt", 6) {
		e := translate(t, nil, &pgconn.PgError{Code: want[0], ConstraintName: "c"})
		require.Equal(t, strings.Join(want[1:], " "),
			fmt.Sprint(e.Status(), " ", e.Kind().Code(), " ", e.Code(), " ", e.RetryAfter(), " ", e.Error()), want[0])
	}
}

func TestTheSQLStatesAreTheOfficialOnes(t *testing.T) {
	t.Parallel()
	var official, expected []string
	for _, file := range []string{"sqlstates_postgresql_18.txt", "sqlstates_cockroachdb.txt"} {
		for _, l := range tableLines(t, file, 2) {
			official = append(official, l[0])
		}
	}
	official = append(official, "72000") // of PostgreSQL 16 and older
	for _, l := range tableLines(t, "sqlstates_expected.txt", 6) {
		expected = append(expected, l[0])
	}
	slices.Sort(official)
	require.Equal(t, official, expected)
	require.Len(t, slices.Compact(official), len(expected))
}

func TestSQLStatesYetUnborn(t *testing.T) {
	t.Parallel()
	for state, want := range map[string]errs.Kind{
		"08X99": errs.Unavailable, "53X99": errs.Unavailable, "57X99": errs.Unavailable,
		"23X99": errs.Conflict, "40X99": errs.Contention,
		"22X99": errs.Internal, "42X99": errs.Internal, "ZZ999": errs.Internal, "OW001": errs.Internal,
		"": errs.Internal, "2": errs.Internal, "23": errs.Internal, "08x99": errs.Internal, "23 99": errs.Internal, "23505x": errs.Internal,
	} {
		require.Equal(t, want, translate(t, nil, &pgconn.PgError{Code: state}).Kind(), state)
	}
}

// Codes that are not precise enough alone.
func TestSQLStatesWithMoreToGoBy(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name string
		err  pgconn.PgError
		want errs.Kind
	}{
		{"PostgreSQL's row-level security", pgconn.PgError{Code: "42501", Routine: "ExecWithCheckOptions", Message: "neue Zeile verletzt Policy"}, errs.Forbidden},
		{"CockroachDB's", pgconn.PgError{Code: "42501", Message: `new row violates row-level security policy for table "t"`}, errs.Forbidden},
		{"a GRANT is missing", pgconn.PgError{Code: "42501", Routine: "aclcheck_error", Message: "permission denied for table t"}, errs.Internal},
		{"on CockroachDB", pgconn.PgError{Code: "42501", Message: "user u does not have INSERT privilege on relation t"}, errs.Internal},
		{"no partition", pgconn.PgError{Code: "23514"}, errs.Internal},
		{"a check", pgconn.PgError{Code: "23514", ConstraintName: "c"}, errs.Invalid},
		{"a pooler has lost its server", pgconn.PgError{Code: "08P01", Severity: "FATAL"}, errs.Unavailable},
		{"in another language", pgconn.PgError{Code: "08P01", Severity: "FATALE", SeverityUnlocalized: "FATAL"}, errs.Unavailable},
		{"an argument on CockroachDB", pgconn.PgError{Code: "08P01", Severity: "ERROR", Message: `error in argument for $1: secret`}, errs.Malformed},
		{"the protocol", pgconn.PgError{Code: "08P01", Severity: "ERROR", Message: "bind message supplies 1 parameters"}, errs.Internal},
		{"restrict", pgconn.PgError{Code: "23001", ConstraintName: "orders_customer_fkey", TableName: "orders"}, errs.StillReferenced},
	} {
		require.Equal(t, test.want, translate(t, shop, &test.err).Kind(), test.name)
	}
	e := translate(t, shop, &pgconn.PgError{Code: "23001", ConstraintName: "orders_customer_fkey", TableName: "orders"})
	require.Equal(t, "customer_has_orders", e.Code())
}
