package across_test

import (
	"context"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	"github.com/rowkeeper/rowkeeper/owner/across"
)

// silent is a transaction that must not be used.
type silent struct {
	pgx.Tx
	t *testing.T
}

func (s silent) Begin(context.Context) (pgx.Tx, error) {
	s.t.Error("something was sent")
	return nil, pgx.ErrTxClosed
}

func TestMisuse(t *testing.T) {
	t.Parallel()
	tx := silent{t: t}
	ok := across.Args{"amount": 2}
	ctx := t.Context()
	for name, tc := range map[string]struct {
		run  func() (int64, error)
		want string
	}{
		"no actor":       {func() (int64, error) { return Bonus.Exec(ctx, tx, "", "x", ok) }, "the actor is nobody"},
		"blank actor":    {func() (int64, error) { return Bonus.Exec(ctx, tx, " \t\u200b", "x", ok) }, "the actor is nobody"},
		"zero actor":     {func() (int64, error) { return Bonus.Exec(ctx, tx, "0", "x", ok) }, "the actor is nobody"},
		"zero UUID":      {func() (int64, error) { return Bonus.Exec(ctx, tx, "00000000-0000-0000-0000-000000000000", "x", ok) }, "the actor is nobody"},
		"odd actor":      {func() (int64, error) { return Bonus.Exec(ctx, tx, "\xff", "x", ok) }, "not valid UTF-8"},
		"NUL in actor":   {func() (int64, error) { return Bonus.Exec(ctx, tx, "a\x00", "x", ok) }, "not valid UTF-8"},
		"no reason":      {func() (int64, error) { return Bonus.Exec(ctx, tx, "ann", "", ok) }, "needs a reason"},
		"blank reason":   {func() (int64, error) { return Bonus.Exec(ctx, tx, "ann", " \n", ok) }, "needs a reason"},
		"NUL in reason":  {func() (int64, error) { return Bonus.Exec(ctx, tx, "ann", "a\x00", ok) }, "needs a reason"},
		"missing":        {func() (int64, error) { return Bonus.Exec(ctx, tx, "ann", "x", nil) }, "no argument for @amount"},
		"unknown":        {func() (int64, error) { return Bonus.Exec(ctx, tx, "ann", "x", across.Args{"amount": 1, "y": 1}) }, `no parameter for the argument "y"`},
		"option":         {func() (int64, error) { return Bonus.Exec(ctx, tx, "ann", "x", across.Args{"amount": pgx.NamedArgs{}}) }, "an option of pgx"},
		"nil tx":         {func() (int64, error) { return Bonus.Exec(ctx, nil, "ann", "x", ok) }, "the transaction is nil"},
		"nil in tx":      {func() (int64, error) { return Bonus.Exec(ctx, (*pgxpool.Tx)(nil), "ann", "x", ok) }, "the transaction is nil"},
		"nil statement":  {func() (int64, error) { return (*across.Statement)(nil).Exec(ctx, tx, "ann", "x", ok) }, "not made by MustStatement"},
		"zero statement": {func() (int64, error) { return new(across.Statement).Exec(ctx, tx, "ann", "x", ok) }, "not made by MustStatement"},
	} {
		n, err := tc.run()
		require.ErrorContains(t, err, tc.want, name)
		require.Regexp(t, "^across: ", err.Error(), name)
		require.Zero(t, n)
	}
	_, err := across.Query(ctx, tx, Balances, "", "x", nil, pgx.RowTo[int])
	require.ErrorContains(t, err, "the actor is nobody")
	_, err = across.Query[int](ctx, tx, Balances, "ann", "x", nil, nil)
	require.ErrorContains(t, err, "the function that reads a row is nil")
}

func TestDeclarationMisuse(t *testing.T) {
	t.Parallel()
	for _, table := range []string{"", " ", "a.b.c", ".a", "a.", strings.Repeat("x", 64), "a\x00", "\xff"} {
		_, err := across.NewAudit(table)
		require.ErrorContains(t, err, "across: audit table", table)
		require.PanicsWithError(t, err.Error(), func() { across.MustAudit(table) })
	}
	result := func(_ *across.Statement, err error) error { return err }
	for want, err := range map[string]error{
		"was not made by MustAudit":    result((*across.Audit)(nil).NewStatement("x", "select 1")),
		"not made by MustAudit":        result(new(across.Audit).NewStatement("x", "select 1")),
		"needs a name":                 result(Audit.NewStatement("", "select 1")),
		"a name that can":              result(Audit.NewStatement(" ", "select 1")),
		"begins with one of":           result(Audit.NewStatement("x", "truncate accounts")),
		"no ;":                         result(Audit.NewStatement("x", "delete from accounts;")),
		"no comments":                  result(Audit.NewStatement("x", "delete from accounts -- all")),
		"no scope to fill @owner":      result(Audit.NewStatement("x", "delete from accounts where a = @owner")),
		"no scope to fill @Tenant":     result(Audit.NewStatement("x", "delete from accounts where a = @Tenant")),
		`statement "x": at byte 7: ')`: result(Audit.NewStatement("x", "delete )")),
	} {
		require.ErrorContains(t, err, want)
		require.Regexp(t, "^across: ", err.Error())
	}
	require.Panics(t, func() { Audit.MustStatement("x", "") })
	require.Empty(t, (*across.Audit)(nil).SQL())
}
