package errs_test

import (
	"testing"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/stretchr/testify/require"

	"github.com/rowkeeper/rowkeeper/errs"
)

func TestNewCatalogListsEveryBadRule(t *testing.T) {
	t.Parallel()
	defer func() {
		got, _ := recover().(string)
		for _, want := range []string{
			`Constraint(""): a name is empty`,
			`NotNull("", "c"): a name is empty`,
			`Constraint("no_code"): the code is empty`,
			`Constraint("nothing"): it has no Code, Missing or InUse`,
			`Constraint("bad_code"): the code "Not Good" is not of lower-case letters`,
			`Constraint("bad_field"): the field "email" is not a JSON Pointer`,
			`Constraint("bad_tilde"): the field "/a~b" has a ~`,
			`Constraint("both"): Code, Field and Message are for other constraints`,
			`Constraint("twice").On("t"): it is there twice`,
			`NotNull("t", "c"): Missing and InUse are for foreign keys`,
		} {
			require.Contains(t, got, want)
		}
	}()
	errs.NewCatalog(
		errs.Constraint("").Code("x"),
		errs.NotNull("", "c").Code("x"),
		errs.Constraint("no_code").Message("Text."),
		errs.Constraint("nothing"),
		errs.Constraint("bad_code").Code("Not Good"),
		errs.Constraint("bad_field").Code("x").Field("email"),
		errs.Constraint("bad_tilde").Code("x").Field("/a~b"),
		errs.Constraint("both").Code("x").Missing("y", "", ""),
		errs.Constraint("twice").On("t").Code("x"),
		errs.Constraint("twice").On("t").Code("y"),
		errs.NotNull("t", "c").Missing("x", "", ""),
	)
	t.Error("did not panic")
}

func TestRulesAreValues(t *testing.T) {
	t.Parallel()
	base := errs.Constraint("k").Code("first")
	changed := base.Code("second")
	c := errs.NewCatalog(base)
	require.Equal(t, "first", translate(t, c, &pgconn.PgError{Code: "23505", ConstraintName: "k"}).Code())
	c = errs.NewCatalog(changed)
	require.Equal(t, "second", translate(t, c, &pgconn.PgError{Code: "23505", ConstraintName: "k"}).Code())
}

func TestOnATable(t *testing.T) {
	t.Parallel()
	c := errs.NewCatalog(
		errs.Constraint("positive").On("a").Code("a_positive"),
		errs.Constraint("positive").On("b").Code("b_positive"),
		errs.Constraint("alone").On("a").Code("a_alone"),
		errs.Constraint("general").Code("any"),
		errs.Constraint("general").On("b").Code("b_special"),
		errs.NotNull("a", "name").Code("a_name"),
		errs.NotNull("b", "name").Code("b_name"),
		errs.NotNull("a", "only").Code("a_only"),
	)
	check := func(constraint, table string) string {
		return translate(t, c, &pgconn.PgError{Code: "23514", ConstraintName: constraint, TableName: table}).Code()
	}
	require.Equal(t, "a_positive", check("positive", "a"))
	require.Equal(t, "b_positive", check("positive", "b"))
	require.Equal(t, "invalid", check("positive", "c"))
	require.Equal(t, "invalid", check("positive", ""), "CockroachDB sends no table: it could be either")
	require.Equal(t, "a_alone", check("alone", ""))
	require.Equal(t, "any", check("general", "a"))
	require.Equal(t, "b_special", check("general", "b"))

	null := func(table, column string) *errs.Error {
		e := &pgconn.PgError{Code: "23502", TableName: table, ColumnName: column}
		if table == "" {
			e = &pgconn.PgError{Code: "23502", Message: `null value in column "` + column + `" violates not-null constraint`}
		}
		return translate(t, c, e)
	}
	require.Equal(t, "a_name", null("a", "name").Code())
	require.Equal(t, "a_only", null("", "only").Code())
	require.Equal(t, errs.Internal, null("c", "name").Kind())
	require.Equal(t, errs.Required, null("", "name").Kind(), "whichever it is, a client sends it")
	require.Equal(t, "required", null("", "name").Code())
}
