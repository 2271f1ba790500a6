package errs_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/stretchr/testify/require"

	"github.com/rowkeeper/rowkeeper/errs"
	"github.com/rowkeeper/rowkeeper/errs/kind"
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
			`Constraint("both"): Code, Field, Message, Kind and Status are for other constraints`,
			`Constraint("twice").On("t"): it is there twice`,
			`NotNull("t", "c"): Missing and InUse are for foreign keys`,
			`Constraint("ok_status"): the status 204 is not one of an error`,
			`Constraint("bad_kind"): its Kind is unknown`,
			`Constraint(""): a name is empty`,
			`DomainNotNull("d"): it has no Code`,
			`SQLState("23505"): it is unique_violation, which this package knows already`,
			`SQLState("40001"): it is serialization_failure`,
			`SQLState("ow001"): a SQLSTATE has five characters`,
			`SQLState("00001"): a class from 00 to 02 is no error`,
			`SQLState("OW001"): it has no Kind`,
			`Is(nil): there is no target`,
			`Is(*errors.errorString): it has no Kind`,
			`Is(errs_test.uncomparable): the target is of a type that cannot be compared`,
			`Is(*errors.errorString): it is there twice`,
			`As[error](): every error is of that type`,
			`As[*pgconn.PgError](): use Constraint, NotNull or SQLState for database errors`,
			`As[*errs.Error](): an *errs.Error is understood already`,
			`Constraint("` + strings.Repeat("t", 59) + `_pkey").On("` + strings.Repeat("t", 59) + `"): PostgreSQL shortens`,
			`Constraint("accounts_pkey").On("accounts"): it is there twice`,
			`NotNull("x", "c"): On is for Constraint`,
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
		errs.Constraint("ok_status").Code("x").Status(204),
		errs.Constraint("bad_kind").Code("x").Kind(200),
		errs.PrimaryKey("").Code("x"),
		errs.DomainNotNull("d"),
		errs.SQLState("23505").Kind(errs.Invalid).Code("x"),
		errs.SQLState("40001").Kind(errs.Invalid).Code("x"),
		errs.SQLState("ow001").Kind(errs.Invalid).Code("x"),
		errs.SQLState("00001").Kind(errs.Invalid).Code("x"),
		errs.SQLState("OW001").Code("x"),
		errs.Is(nil).Kind(errs.Invalid).Code("x"),
		errs.Is(errNoMoney).Code("x"),
		errs.Is(errNoMoney).Kind(errs.Invalid).Code("x"),
		errs.Is(uncomparable{}).Kind(errs.Invalid).Code("x"),
		errs.As[error]().Kind(errs.Invalid).Code("x"),
		errs.As[*pgconn.PgError]().Kind(errs.Invalid).Code("x"),
		errs.As[*errs.Error]().Kind(errs.Invalid).Code("x"),
		errs.PrimaryKey(strings.Repeat("t", 59)).Code("x"),
		errs.PrimaryKey("accounts", "id").Code("x"),
		errs.Constraint("accounts_pkey").On("accounts").Code("y"),
		errs.NotNull("t", "c").On("x").Code("x"),
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

var errNoMoney = errors.New("account 4711 has no money")

type uncomparable struct{ _ []int }

func (uncomparable) Error() string { return "" }

type quotaError struct{ left int }

func (e *quotaError) Error() string { return fmt.Sprintf("quota: %d left", e.left) }

type disguised struct{ error }

func (disguised) Is(target error) bool { return target == errNoMoney }

type holdsQuota struct{ error }

func (holdsQuota) As(target any) bool {
	q, ok := target.(**quotaError)
	if ok {
		*q = &quotaError{}
	}
	return ok
}

func TestRulesForTheApplicationsOwnErrors(t *testing.T) {
	t.Parallel()
	c := errs.NewCatalog(
		errs.Is(errNoMoney).Kind(errs.Conflict).Status(402).Code("no_money").Field("/amount").Message("There is not enough money."),
		errs.As[*quotaError]().Kind(errs.TooManyRequests).Code("quota"),
		errs.Is(errs.Stale).Kind(errs.Stale).Code("version"),
	)
	for _, err := range []error{errNoMoney, fmt.Errorf("transfer: %w", errNoMoney), errors.Join(errors.New("x"), errNoMoney), disguised{}} {
		e := translate(t, c, err)
		require.Equal(t, errs.Conflict, e.Kind())
		require.Equal(t, 402, e.Status())
		require.Equal(t, "no_money", e.Code())
		require.Equal(t, "/amount", e.Field())
		require.Equal(t, "There is not enough money.", e.Error())
		require.ErrorIs(t, e, err)
	}
	for _, err := range []error{&quotaError{}, fmt.Errorf("%w", &quotaError{3}), holdsQuota{errors.New("x")}} {
		e := translate(t, c, err)
		require.Equal(t, "quota", e.Code())
		require.Equal(t, 429, e.Status())
		require.Positive(t, e.RetryAfter())
	}
	require.Equal(t, "version", translate(t, c, errs.Stale).Code())
	require.Equal(t, "stale", translate(t, c, errs.New(errs.Stale)).Code(), "an *Error says what it is")
	require.Equal(t, errs.Internal, translate(t, c, errors.New("other")).Kind())
	require.Equal(t, errs.Internal, translate(t, c, uncomparable{}).Kind())
}

func TestSQLStatesOfTheApplication(t *testing.T) {
	t.Parallel()
	c := errs.NewCatalog(
		errs.SQLState("OW001").Kind(errs.Forbidden).Code("closed").Field("/account").Message("The account is closed."),
		errs.SQLState("54000").Kind(errs.Invalid).Code("too_long_for_index"),
		errs.SQLState("P0001").Kind(errs.Invalid).Code("raised"),
	)
	e := translate(t, c, &pgconn.PgError{Code: "OW001", Message: "secret", ConstraintName: "x"})
	require.Equal(t, errs.Forbidden, e.Kind())
	require.Equal(t, "closed", e.Code())
	require.Equal(t, "/account", e.Field())
	require.Equal(t, "The account is closed.", e.Error())
	require.Equal(t, 422, translate(t, c, &pgconn.PgError{Code: "54000"}).Status())
	require.Equal(t, "raised", translate(t, c, &pgconn.PgError{Code: "P0001"}).Code())
	require.Equal(t, errs.Internal, translate(t, c, &pgconn.PgError{Code: "OW002"}).Kind())
	require.Equal(t, errs.Internal, translate(t, nil, &pgconn.PgError{Code: "P0001"}).Kind())
}

func TestKindAndStatusOfAConstraint(t *testing.T) {
	t.Parallel()
	c := errs.NewCatalog(
		errs.Constraint("k").Code("taken").Status(422),
		errs.Constraint("once").Code("key_in_use").Kind(kind.InFlight),
		errs.Constraint("overlaps").Code("booked"),
	)
	e := translate(t, c, &pgconn.PgError{Code: "23505", ConstraintName: "k"})
	require.Equal(t, errs.AlreadyExists, e.Kind())
	require.Equal(t, 422, e.Status())
	e = translate(t, c, &pgconn.PgError{Code: "23505", ConstraintName: "once"})
	require.Equal(t, kind.InFlight, e.Kind())
	require.Equal(t, 409, e.Status())
	require.Positive(t, e.RetryAfter())
	require.Equal(t, kind.InFlight.Error(), e.Error())
	e = translate(t, c, &pgconn.PgError{Code: "23P01", ConstraintName: "overlaps"})
	require.Equal(t, "This overlaps an existing item.", e.Error(), "the text of the SQLSTATE stays")
	for _, other := range []string{"XX000", "40001", "22012", "42501"} {
		e = translate(t, c, &pgconn.PgError{Code: other, ConstraintName: "k"})
		require.NotEqual(t, "taken", e.Code(), other)
		require.NotEqual(t, 422, e.Status(), other)
	}
}

func TestWithOverrides(t *testing.T) {
	t.Parallel()
	base := errs.NewCatalog(
		errs.Constraint("a").Code("first"),
		errs.Constraint("b").Code("b"),
		errs.NotNull("t", "c").Code("c_first"),
		errs.Is(errNoMoney).Kind(errs.Conflict).Code("first"),
		errs.SQLState("OW001").Kind(errs.Conflict).Code("first"),
	)
	later := base.With(
		errs.Constraint("a").Code("second"),
		errs.Constraint("a").On("t").Code("special"),
		errs.NotNull("t", "c").Code("c_second"),
		errs.Is(errNoMoney).Kind(errs.Conflict).Code("second"),
		errs.SQLState("OW001").Kind(errs.Conflict).Code("second"),
	)
	code := func(c *errs.Catalog, err error) string { return translate(t, c, err).Code() }
	unique := func(name, table string) error {
		return &pgconn.PgError{Code: "23505", ConstraintName: name, TableName: table}
	}
	require.Equal(t, "first", code(base, unique("a", "")), "the base is as it was")
	require.Equal(t, "first", code(base, errNoMoney))
	require.Equal(t, "second", code(later, unique("a", "")))
	require.Equal(t, "special", code(later, unique("a", "t")))
	require.Equal(t, "b", code(later, unique("b", "")))
	require.Equal(t, "c_second", code(later, &pgconn.PgError{Code: "23502", TableName: "t", ColumnName: "c"}))
	require.Equal(t, "second", code(later, errNoMoney))
	require.Equal(t, "second", code(later, &pgconn.PgError{Code: "OW001"}))
	require.Equal(t, "x", code((*errs.Catalog)(nil).With(errs.Constraint("a").Code("x")), unique("a", "")))
	require.PanicsWithValue(t, "errs.Catalog.With:\n\tConstraint(\"a\"): it is there twice", func() {
		base.With(errs.Constraint("a").Code("x"), errs.Constraint("a").Code("y"))
	})
}

// CockroachDB before 21.2 names neither table nor key.
func TestPrimaryKey(t *testing.T) {
	t.Parallel()
	c := errs.NewCatalog(
		errs.PrimaryKey("accounts", "id").Code("account_exists"),
		errs.PrimaryKey("members", "team", "person").Code("member_exists"),
		errs.PrimaryKey("a", "twice").Code("a_exists"),
		errs.PrimaryKey("b", "twice").Code("b_exists"),
		errs.PrimaryKey("plain").Code("plain_exists"),
	)
	for _, test := range []struct{ constraint, table, detail, want string }{
		{"accounts_pkey", "accounts", "", "account_exists"},
		{"accounts_pkey", "", "", "account_exists"},
		{"accounts_pkey", "others", "", "already_exists"},
		{"plain_pkey", "", "", "plain_exists"},
		{"primary", "", "Key (id)=(1) already exists.", "account_exists"},
		{"primary", "", "Key (team, person)=(1, 2) already exists.", "member_exists"},
		{"primary", "", "Key (team,person)=(1,2) already exists.", "member_exists"},
		{"primary", "", "Key (person, team)=(1, 2) already exists.", "already_exists"},
		{"primary", "", "Key (twice)=(1) already exists.", "already_exists"},
		{"primary", "", "Key (other)=(1) already exists.", "already_exists"},
		{"primary", "", "", "already_exists"},
		{"primary", "accounts", "Key (id)=(1) already exists.", "already_exists"},
	} {
		e := translate(t, c, &pgconn.PgError{Code: "23505", ConstraintName: test.constraint, TableName: test.table, Detail: test.detail})
		require.Equal(t, test.want, e.Code(), test)
	}
}

func TestDomainNotNull(t *testing.T) {
	t.Parallel()
	c := errs.NewCatalog(errs.DomainNotNull("email").Code("email_required").Field("/email"))
	e := translate(t, c, &pgconn.PgError{Code: "23502", DataTypeName: "email"})
	require.Equal(t, errs.Required, e.Kind())
	require.Equal(t, "/email", e.Field())
	require.Equal(t, errs.Internal, translate(t, c, &pgconn.PgError{Code: "23502", DataTypeName: "other"}).Kind())
	require.Equal(t, errs.Internal, translate(t, c, &pgconn.PgError{Code: "23502"}).Kind())
}
