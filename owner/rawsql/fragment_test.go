package rawsql_test

import (
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/rowkeeper/rowkeeper/internal/devdb/dbtest"
	"github.com/rowkeeper/rowkeeper/owner"
	"github.com/rowkeeper/rowkeeper/owner/internal/ownerkit"
	"github.com/rowkeeper/rowkeeper/owner/rawsql"
)

var (
	anything  = rawsql.MustFragment[Account](`true or 1 = 1`)
	above     = rawsql.MustFragment[Account](`balance > @low and balance < @low + @span or name = @name`)
	quoted    = rawsql.MustFragment[Account](`name = 'it''s' and name = E'it\'s' and "name" <> ') or (true' and name !~ '^\d'`)
	operators = rawsql.MustFragment[Account](`array[id] <@ @ids and (array[id, id])[1] = id and -id < - -id and name||'x' <> '--' and abs(id)::int8 > 0`)
)

// The owner's condition applies to every fragment, in every statement that takes one.
func TestFragmentStaysWithTheOwner(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *dbtest.DB) {
		ctx := t.Context()
		ownerkit.MustExec(t, db, ddl)
		in := Accounts.In(me)
		all := in.Where(anything.With(nil))

		got, err := all.OrderBy(ID.Asc()).All(ctx, db)
		require.NoError(t, err)
		require.Equal(t, []int64{1, 2}, ids(got))
		ownerkit.RequireCount(t, db, 2, all.Count)
		_, err = all.Get(ctx, db, 3)
		require.ErrorIs(t, err, owner.ErrNotFound)
		sum, err := Balance.Sum(ctx, db, all)
		require.NoError(t, err)
		require.EqualValues(t, 300, sum)
		ownerkit.RequireExists(t, db, false, in.Where(owner.Not(anything.With(nil))).Exists)
		ownerkit.RequireCount(t, db, 0, in.Where(ID.Eq(3), owner.Or(anything.With(nil), ID.Eq(3))).Count)

		ownerkit.RequireCount(t, db, 2, Payments.In(me).Where(rawsql.MustFragment[Payment](`true or amount = 7`).With(nil)).Count)
		ownerkit.RequireCount(t, db, 2, Payments.In(me).Where(OfAccount.To(anything.With(nil))).Count)
		ownerkit.RequireCount(t, db, 1, in.Where(OfAccount.Has(rawsql.MustFragment[Payment](`amount = @a or amount = @a`).With(rawsql.Args{"a": 9}))).Count)

		sums, err := ByName.In(me).Where(rawsql.MustFragment[Balances](`sum(balance) > @low or true`).With(rawsql.Args{"low": 1})).All(ctx, db)
		require.NoError(t, err)
		require.ElementsMatch(t, []Balances{{"savings", 100}, {"it's", 200}}, sums)
		ownerkit.RequireCount(t, db, 1, Drafts.In(staff).Where(rawsql.MustFragment[Draft](`true or text = @t`).With(rawsql.Args{"t": "b"})).Count)
		ownerkit.RequireCount(t, db, 1, Countries.Where(rawsql.MustFragment[Country](`code < @c`).With(rawsql.Args{"c": "b"})).Count)

		ownerkit.RequireCount(t, db, 2, in.UpdateWhere(anything.With(nil)).Set(Balance.Add(1)).Exec)
		ownerkit.RequireCount(t, db, 2, in.DeleteWhere(anything.With(nil)).Exec)
		requireOthersUnchanged(t, db)
	})
}

func TestFragmentChooses(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *dbtest.DB) {
		ownerkit.MustExec(t, db, ddl)
		for name, tc := range map[string]struct {
			condition owner.Condition[Account]
			want      []int64
		}{
			"parameters":        {above.With(rawsql.Args{"low": 50, "span": 100, "name": "it's"}), []int64{1, 2}},
			"in and":            {owner.And(above.With(rawsql.Args{"low": 50, "span": 100, "name": "it's"}), Name.Eq("savings")), []int64{1}},
			"in not":            {owner.Not(above.With(rawsql.Args{"low": 50, "span": 100, "name": ""})), []int64{2}},
			"twice":             {owner.And(above.With(rawsql.Args{"low": 50, "span": 100, "name": ""}), above.With(rawsql.Args{"low": 0, "span": 150, "name": ""})), []int64{1}},
			"quotes":            {quoted.With(nil), []int64{2}},
			"operators":         {operators.With(rawsql.Args{"ids": []int64{2, 3}}), []int64{2}},
			"a hostile value":   {above.With(rawsql.Args{"low": 1000, "span": 0, "name": "') or (true) --"}), []int64{}},
			"null is no value":  {above.With(rawsql.Args{"low": 1000, "span": 0, "name": nil}), []int64{}},
			"a condition first": {owner.Or(ID.Eq(1), above.With(rawsql.Args{"low": 150, "span": 100, "name": ""})), []int64{1, 2}},
		} {
			got, err := Accounts.In(me).Where(tc.condition).OrderBy(ID.Asc()).All(t.Context(), db)
			require.NoError(t, err, name)
			require.Equal(t, tc.want, ids(got), name)
		}
	})
}

// A cursor is bound to the text and to the values.
func TestFragmentInPages(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *dbtest.DB) {
		ownerkit.MustExec(t, db, ddl)
		cursors := ownerkit.Cursors()
		from := func(low int) owner.Select[Account, UserID] {
			return Accounts.In(me).Where(rawsql.MustFragment[Account](`balance > @low`).With(rawsql.Args{"low": low}))
		}
		page, err := from(5).Page(t.Context(), db, cursors, "", 1)
		require.NoError(t, err)
		require.Equal(t, []int64{1}, ids(page.Rows))
		next, err := from(5).Page(t.Context(), db, cursors, page.Next, 1)
		require.NoError(t, err)
		require.Equal(t, []int64{2}, ids(next.Rows))
		_, err = from(6).Page(t.Context(), db, cursors, page.Next, 1)
		require.ErrorIs(t, err, owner.ErrCursor)
	})
}

func TestFragmentText(t *testing.T) {
	t.Parallel()
	var db ownerkit.Recorder
	_, err := Accounts.In(me).Where(ID.Gt(1), above.With(rawsql.Args{"low": 5, "span": 6, "name": "x"}), ID.Lt(9)).Count(t.Context(), &db)
	require.ErrorIs(t, err, ownerkit.ErrRecorded)
	require.Equal(t, `select count(*) from "accounts" where "user_id" = $1 and ("id" > $2 and `+
		`(balance > $3 and balance < $3 + $4 or name = $5) and "id" < $6)`, db.SQL)
	require.Equal(t, []any{UserID(42), int64(1), 5, 6, "x", int64(9)}, db.Args)
}

func TestFragmentMisuse(t *testing.T) {
	t.Parallel()
	_, err := rawsql.NewFragment[Account](`true) or (true`)
	require.EqualError(t, err, `rawsql: fragment "true) or (true": at byte 4: ')' closes nothing`)
	require.PanicsWithError(t, err.Error(), func() { rawsql.MustFragment[Account](`true) or (true`) })
	for name, f := range map[string]func() (rawsql.Fragment[Account], error){
		"owner":  func() (rawsql.Fragment[Account], error) { return rawsql.NewFragment[Account]("@owner = @owner") },
		"Owner":  func() (rawsql.Fragment[Account], error) { return rawsql.NewFragment[Account]("a = @Owner") },
		"tenant": func() (rawsql.Fragment[Account], error) { return rawsql.NewFragment[Account]("a = @tenant") },
	} {
		_, err := f()
		require.ErrorContains(t, err, "leave out @"+name)
	}

	for name, tc := range map[string]struct {
		condition owner.Condition[Account]
		want      string
	}{
		"missing":  {above.With(rawsql.Args{"low": 1, "span": 2}), "rawsql: fragment \"balance > @low and balance <\": no argument for @name"},
		"none":     {above.With(nil), "no argument for @low; no argument for @span; no argument for @name"},
		"unknown":  {anything.With(rawsql.Args{"x": 1}), `no parameter for the argument "x"`},
		"with @":   {above.With(rawsql.Args{"@low": 1, "low": 1, "span": 2, "name": ""}), `no parameter for the argument "@low"`},
		"option":   {above.With(rawsql.Args{"low": pgx.QueryExecModeExec, "span": 2, "name": ""}), "the argument for @low is of type pgx.QueryExecMode"},
		"rewriter": {above.With(rawsql.Args{"low": pgx.NamedArgs{}, "span": 2, "name": ""}), "the argument for @low is of type pgx.NamedArgs"},
		"zero":     {rawsql.Fragment[Account]{}.With(nil), "the Fragment was not made by MustFragment"},
		"nested":   {owner.Or(ID.Eq(1), owner.Not(anything.With(rawsql.Args{"x": 1}))), "no parameter"},
	} {
		var db ownerkit.Recorder
		_, err := Accounts.In(me).Where(tc.condition).All(t.Context(), &db)
		require.ErrorContains(t, err, tc.want, name)
		require.Regexp(t, "^rawsql: ", err.Error(), name)
		_, err = Accounts.In(me).DeleteWhere(tc.condition).Exec(t.Context(), &db)
		require.ErrorContains(t, err, tc.want, name)
		require.Empty(t, db.SQL, name)
	}
	var db ownerkit.Recorder
	_, err = Accounts.In(owner.Scope[UserID]{}).Where(anything.With(nil)).All(t.Context(), &db)
	require.ErrorIs(t, err, owner.ErrUnscoped)
	require.Empty(t, db.SQL)
}

// Later changes of the caller's map have no effect.
func TestArgsAreCopied(t *testing.T) {
	t.Parallel()
	args := rawsql.Args{"low": 1, "span": 2, "name": "x"}
	condition := above.With(args)
	args["low"] = 9
	var db ownerkit.Recorder
	_, err := Accounts.In(me).Where(condition).Count(t.Context(), &db)
	require.ErrorIs(t, err, ownerkit.ErrRecorded)
	require.Equal(t, []any{UserID(42), 1, 2, "x"}, db.Args)
}
