package owner_test

import (
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgtype"
	"github.com/stretchr/testify/require"

	"github.com/rowkeeper/rowkeeper/owner"
	"github.com/rowkeeper/rowkeeper/owner/internal/ownerkit"
)

// Odd has names that must be quoted, a key of several columns, and a column of
// each kind that conditions treat in their own way.
type Odd struct {
	Tenant string         `db:"te\"nant" owner:"owner,pk"`
	Region string         `db:"Region" owner:"pk"`
	Number int32          `db:"number; drop table x--" owner:"pk"`
	Total  pgtype.Numeric `db:"$1"`
	Remark pgtype.Text    `db:"select"`
}

var (
	Odds   = owner.MustTable[Odd, string](`Sch"ema.o"dd`)
	Region = owner.Column(Odds, func(o *Odd) *string { return &o.Region })
	Total  = owner.Column(Odds, func(o *Odd) *pgtype.Numeric { return &o.Total })
	Remark = owner.Column(Odds, func(o *Odd) *pgtype.Text { return &o.Remark })
)

// Setting has one row for each owner.
type Setting struct {
	UserID UserID `db:"user_id" owner:"owner,pk"`
	Theme  string `db:"theme"`
}

var (
	Settings = owner.MustTable[Setting, UserID]("settings")
	Theme    = owner.Column(Settings, func(s *Setting) *string { return &s.Theme })
)

func TestStatementText(t *testing.T) {
	t.Parallel()
	const (
		list = `"id", "user_id", "name", "nick", "balance", "created_at"`
		from = `select ` + list + ` from "accounts" where "user_id" = $1`
		odds = `select "te""nant", "Region", "number; drop table x--", "$1", "select" from "Sch""ema"."o""dd" where "te""nant" = $1`
	)
	in, odd := Accounts.In(me), Odds.In(ownerkit.Scope("acme"))
	all := func(conditions ...owner.Condition[Account]) func(owner.DB) error {
		return func(db owner.DB) error { _, err := in.Where(conditions...).Limit(5).All(t.Context(), db); return err }
	}
	x, y, z := Name.Eq("x"), Name.Eq("y"), Name.Eq("z")
	now := time.Now()
	total := pgtype.Numeric{Int: nil, NaN: true, Valid: true}

	for name, tc := range map[string]struct {
		run  func(db owner.DB) error
		want string
		args []any // after the owner
	}{
		"get": {
			func(db owner.DB) error { _, err := in.Get(t.Context(), db, 7); return err },
			from + ` and "id" = $2`,
			[]any{int64(7)},
		},
		"get with conditions": {
			func(db owner.DB) error {
				_, err := in.Where(owner.Or(x, y)).OrderBy(Name.Asc()).Limit(3).ForUpdate().Get(t.Context(), db, int64(7))
				return err
			},
			from + ` and "id" = $2 and ("name" = $3 or "name" = $4) for update`,
			[]any{int64(7), "x", "y"},
		},
		"get by several columns": {
			func(db owner.DB) error { _, err := odd.Get(t.Context(), db, "eu", 7); return err },
			odds + ` and "Region" = $2 and "number; drop table x--" = $3`,
			[]any{"eu", int32(7)},
		},
		"get by the owner alone": {
			func(db owner.DB) error { _, err := Settings.In(me).Get(t.Context(), db); return err },
			`select "user_id", "theme" from "settings" where "user_id" = $1`,
			[]any{},
		},
		"all": {
			func(db owner.DB) error { _, err := in.All(t.Context(), db); return err },
			from + ` limit 1001`,
			[]any{},
		},
		"all in order, locked": {
			func(db owner.DB) error {
				_, err := in.Where(x).OrderBy(Name.Asc()).OrderBy(Created.Desc(), ID.Asc()).ForUpdate().Limit(50).All(t.Context(), db)
				return err
			},
			from + ` and ("name" = $2) order by "name", "created_at" desc, "id" limit $3 for update`,
			[]any{"x", 50},
		},
		"one": {
			func(db owner.DB) error { _, err := in.Where(x).One(t.Context(), db); return err },
			from + ` and ("name" = $2) limit 2`,
			[]any{"x"},
		},
		"the first": {
			func(db owner.DB) error { _, err := in.OrderBy(ID.Desc()).Limit(1).One(t.Context(), db); return err },
			from + ` order by "id" desc limit $2`,
			[]any{1},
		},
		"one of many": {
			func(db owner.DB) error { _, err := in.Limit(50).One(t.Context(), db); return err },
			from + ` limit $2`,
			[]any{2},
		},
		"count": {
			func(db owner.DB) error {
				_, err := in.Where(x, y).OrderBy(Name.Asc()).Count(t.Context(), db)
				return err
			},
			`select count(*) from "accounts" where "user_id" = $1 and ("name" = $2 and "name" = $3)`,
			[]any{"x", "y"},
		},
		"exists": {
			func(db owner.DB) error {
				_, err := in.Where(x).OrderBy(Name.Asc()).Limit(1).Exists(t.Context(), db)
				return err
			},
			`select exists (select 1 from "accounts" where "user_id" = $1 and ("name" = $2))`,
			[]any{"x"},
		},
		"where twice": {
			func(db owner.DB) error {
				_, err := in.Where(owner.Or(x, y)).Where().Where(z).Count(t.Context(), db)
				return err
			},
			`select count(*) from "accounts" where "user_id" = $1 and (("name" = $2 or "name" = $3) and "name" = $4)`,
			[]any{"x", "y", "z"},
		},
		"insert": {
			func(db owner.DB) error {
				return in.Insert(t.Context(), db, &Account{Name: "x"})
			},
			`insert into "accounts" ("user_id", "name", "nick", "balance") values ($1, $2, $3, $4) returning ` + list,
			[]any{"x", (*string)(nil), int64(0)},
		},
		"insert with key and default": {
			func(db owner.DB) error {
				return in.Insert(t.Context(), db, &Account{ID: 7, UserID: alice, Name: "x", Created: now})
			},
			`insert into "accounts" ("user_id", "id", "name", "nick", "balance", "created_at") values ($1, $2, $3, $4, $5, $6) returning ` + list,
			[]any{int64(7), "x", (*string)(nil), int64(0), now},
		},
		"insert of odd names": {
			func(db owner.DB) error { return odd.Insert(t.Context(), db, &Odd{Region: "eu", Total: total}) },
			`insert into "Sch""ema"."o""dd" ("te""nant", "Region", "number; drop table x--", "$1", "select") values ($1, $2, $3, $4, $5)` +
				` returning "te""nant", "Region", "number; drop table x--", "$1", "select"`,
			[]any{"eu", int32(0), total, pgtype.Text{}},
		},
		"update": {
			func(db owner.DB) error {
				return in.Update(7).Set(Balance.Add(-5), Name.Set("x")).Set(Nick.Set(nil)).Exec(t.Context(), db)
			},
			`update "accounts" set "balance" = "balance" + $3, "name" = $4, "nick" = $5 where "user_id" = $1 and "id" = $2`,
			[]any{int64(7), int64(-5), "x", (*string)(nil)},
		},
		"update by the owner alone": {
			func(db owner.DB) error { return Settings.In(me).Update().Set(Theme.Set("dark")).Exec(t.Context(), db) },
			`update "settings" set "theme" = $2 where "user_id" = $1`,
			[]any{"dark"},
		},
		"update of odd names": {
			func(db owner.DB) error { return odd.Update("eu", 7).Set(Total.Add(total)).Exec(t.Context(), db) },
			`update "Sch""ema"."o""dd" set "$1" = "$1" + $4 where "te""nant" = $1 and "Region" = $2 and "number; drop table x--" = $3`,
			[]any{"eu", int32(7), total},
		},
		"delete": {
			func(db owner.DB) error { return in.Delete(7).Exec(t.Context(), db) },
			`delete from "accounts" where "user_id" = $1 and "id" = $2`,
			[]any{int64(7)},
		},
		"delete by the owner alone": {
			func(db owner.DB) error { return Settings.In(me).Delete().Exec(t.Context(), db) },
			`delete from "settings" where "user_id" = $1`,
			[]any{},
		},
		"comparisons": {
			all(Balance.Ne(1), Balance.Lt(2), Balance.Le(3), Balance.Gt(4), Balance.Ge(5), Nick.IsNull(), Nick.IsNotNull()),
			from + ` and ("balance" <> $2 and "balance" < $3 and "balance" <= $4 and "balance" > $5 and "balance" >= $6` +
				` and "nick" is null and "nick" is not null) limit $7`,
			[]any{int64(1), int64(2), int64(3), int64(4), int64(5), 5},
		},
		"like": {
			all(Name.Contains(`5%_\`), Nick.HasPrefix("%"), Name.HasSuffix(""), Name.Contains("x")),
			from + ` and ("name" like $2 escape '!' and "nick" like $3 and "name" like $4 and "name" like $5) limit $6`,
			[]any{`%5!%!_\%`, `\%%`, `%`, `%x%`, 5},
		},
		"like on a pgtype": {
			func(db owner.DB) error {
				_, err := odd.Where(Remark.HasPrefix("a"), Region.HasSuffix("b")).Exists(t.Context(), db)
				return err
			},
			`select exists (select 1 from "Sch""ema"."o""dd" where "te""nant" = $1 and ("select" like $2 and "Region" like $3))`,
			[]any{"a%", "%b"},
		},
		"in one":     {all(Name.In("x")), from + ` and ("name" in ($2)) limit $3`, []any{"x", 5}},
		"in two":     {all(Name.In("x", "y")), from + ` and ("name" in ($2, $3)) limit $4`, []any{"x", "y", 5}},
		"in three":   {all(Name.In("x", "y", "z")), from + ` and ("name" in ($2, $3, $4, $5)) limit $6`, []any{"x", "y", "z", "z", 5}},
		"not in":     {all(Name.NotIn("x", "y")), from + ` and ("name" not in ($2, $3)) limit $4`, []any{"x", "y", 5}},
		"in nothing": {all(Name.In()), from + ` and (false) limit $2`, []any{5}},
		"and of nothing": {
			all(owner.And[Account](), owner.Not(owner.And[Account]()), owner.Or(owner.And[Account](), owner.Or[Account]())),
			from + ` and (true and not (true) and (true or false)) limit $2`, []any{5},
		},
		"or alone":  {all(owner.Or(x, y)), from + ` and ("name" = $2 or "name" = $3) limit $4`, []any{"x", "y", 5}},
		"or of one": {all(x, owner.Or(y)), from + ` and ("name" = $2 and "name" = $3) limit $4`, []any{"x", "y", 5}},
		"or in and": {
			all(owner.And(x, owner.Or(y, z))),
			from + ` and ("name" = $2 and ("name" = $3 or "name" = $4)) limit $5`, []any{"x", "y", "z", 5},
		},
		"and in or in not in and": {
			all(x, owner.Not(owner.Or(owner.And(x, y), owner.Not(z)))),
			from + ` and ("name" = $2 and not (("name" = $3 and "name" = $4) or not ("name" = $5))) limit $6`,
			[]any{"x", "x", "y", "z", 5},
		},
		"not not": {all(owner.Not(owner.Not(x))), from + ` and (not (not ("name" = $2))) limit $3`, []any{"x", 5}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var db txRecorder
			err := tc.run(&db)
			require.ErrorIs(t, err, errRecorded)
			require.Regexp(t, `^owner: (select from|insert into|update|delete from) \S+: recorded$`, err.Error())
			require.Equal(t, tc.want, db.SQL)
			var who any = alice
			if strings.Contains(tc.want, "nant") {
				who = "acme"
			}
			require.Equal(t, append([]any{who}, tc.args...), db.Args)
		})
	}
}

// The lengths of lists share a few statement texts, and none is refused.
func TestLongLists(t *testing.T) {
	t.Parallel()
	texts := map[string]bool{}
	for n := 1; n <= 1024; n++ {
		var db recorder
		_, err := Accounts.In(me).Where(Name.In(make([]string, n)...)).Count(t.Context(), &db)
		require.ErrorIs(t, err, errRecorded)
		texts[db.SQL] = true
	}
	require.Len(t, texts, 11)
	var db recorder
	_, err := Accounts.In(me).Where(Name.In(make([]string, 40000)...)).Count(t.Context(), &db)
	require.ErrorIs(t, err, errRecorded)
	require.Len(t, db.Args, 40001, "not padded")
}

func TestDeepNesting(t *testing.T) {
	t.Parallel()
	c := Name.Eq("x")
	for range 1000 {
		c = owner.Or(Name.Eq("y"), owner.And(Name.Ne("z"), owner.Not(c)))
	}
	var db recorder
	_, err := Accounts.In(me).Where(c).Count(t.Context(), &db)
	require.ErrorIs(t, err, errRecorded)
	require.Equal(t, strings.Count(db.SQL, "("), strings.Count(db.SQL, ")"))
	require.Len(t, db.Args, 2002)
}

// Statements that start from the same one, or from slices that the caller changes
// later, are independent.
func TestBuildersDoNotAlias(t *testing.T) {
	t.Parallel()
	run := func(q owner.Select[Account, UserID]) (string, []any) {
		var db txRecorder
		_, err := q.All(t.Context(), &db)
		require.ErrorIs(t, err, errRecorded)
		return db.SQL, db.Args
	}
	base := Accounts.In(me).Where(Name.Eq("a")).Where(Name.Eq("b")).Where(Name.Eq("c")).
		OrderBy(Name.Asc()).OrderBy(ID.Asc()).OrderBy(Balance.Asc())
	before, _ := run(base)

	left, right := base.Where(Name.Eq("left")), base.Where(Name.Eq("right"))
	_, args := run(left)
	require.Equal(t, []any{alice, "a", "b", "c", "left"}, args)
	_, args = run(right)
	require.Equal(t, []any{alice, "a", "b", "c", "right"}, args)

	up, down := base.OrderBy(Created.Asc()), base.OrderBy(Created.Desc()).Limit(3).ForUpdate()
	text, _ := run(up)
	require.Contains(t, text, `order by "name", "id", "balance", "created_at" limit 1001`)
	text, _ = run(down)
	require.Contains(t, text, `order by "name", "id", "balance", "created_at" desc limit $5 for update`)
	text, _ = run(base)
	require.Equal(t, before, text, "the one they started from")

	conditions := []owner.Condition[Account]{Name.Eq("a"), Name.Eq("b")}
	names := []string{"x", "y"}
	orders := []owner.Order[Account]{Name.Asc()}
	q := Accounts.In(me).Where(conditions...).Where(owner.Or(conditions...), Name.In(names...)).OrderBy(orders...)
	conditions[0], names[0], orders[0] = Name.Eq("changed"), "changed", Balance.Desc()
	text, args = run(q)
	require.Equal(t, []any{alice, "a", "b", "a", "b", "x", "y"}, args)
	require.Contains(t, text, `order by "name"`)

	update := func(u owner.Update[Account, UserID]) []any {
		var db recorder
		require.ErrorIs(t, u.Exec(t.Context(), &db), errRecorded)
		return db.Args
	}
	key := []any{7}
	sets := []owner.Assignment[Account]{Name.Set("a")}
	u := Accounts.In(me).Update(key...).Set(sets...).Set(Balance.Set(1)).Set(Created.Set(time.Time{})).Set()
	key[0], sets[0] = 8, Name.Set("changed")
	nick := "x"
	l, r := u.Set(Nick.Set(nil)), u.Set(Nick.Set(&nick))
	require.Equal(t, []any{alice, int64(7), "a", int64(1), time.Time{}, (*string)(nil)}, update(l))
	require.Equal(t, []any{alice, int64(7), "a", int64(1), time.Time{}, &nick}, update(r))
	require.Equal(t, []any{alice, int64(7), "a", int64(1), time.Time{}}, update(u))
}
