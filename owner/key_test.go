package owner_test

import (
	"math"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"
	"github.com/stretchr/testify/require"

	"github.com/rowkeeper/rowkeeper/internal/devdb/dbtest"
	"github.com/rowkeeper/rowkeeper/owner"
	"github.com/rowkeeper/rowkeeper/owner/internal/ownerkit"
)

// A place in a list is part of a key of several columns. It may be zero or an empty
// name.
func TestZeroInAKeyOfSeveralColumns(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *dbtest.DB) {
		ownerkit.CreateShop(t, db)
		ctx := t.Context()
		all := Lines.In(me)
		first := all.Where(LineN.Eq(0))
		l := Line{OrderID: 1, Text: "first"}
		require.NoError(t, all.Insert(ctx, db, &l))
		require.Equal(t, Line{OrderID: 1, Text: "first"}, l)
		got, err := all.Get(ctx, db, 1, 0)
		require.NoError(t, err)
		require.Equal(t, l, got)
		l.Text = "changed"
		require.NoError(t, all.Upsert(ctx, db, &l, LineOrder, LineN))
		ownerkit.RequireCount(t, db, 1, first.Count)
		require.NoError(t, all.Delete(1, 0).Exec(ctx, db))
		require.NoError(t, all.InsertMany(ctx, db, []Line{{OrderID: 1}, {OrderID: 2}, {OrderID: 2, N: 7}}))
		ownerkit.RequireCount(t, db, 2, first.Count)
		require.NoError(t, all.Delete(1, 0).Exec(ctx, db))
		require.NoError(t, pgx.BeginFunc(ctx, db, func(tx pgx.Tx) error {
			q := &queue{t: t, db: tx}
			err := all.QueueInsert(q, &Line{OrderID: 1})
			require.Equal(t, []int64{1}, q.n)
			return err
		}))
		ownerkit.RequireCount(t, db, 2, first.Count)
		require.NoError(t, all.Delete(1, 0).Exec(ctx, db))
		l = Line{OrderID: 1, Text: "upserted"}
		require.NoError(t, all.Upsert(ctx, db, &l, LineOrder, LineN), "where there is none yet")
		ownerkit.RequireCount(t, db, 2, first.Count)
		ownerkit.RequireBobsShopUnchanged(t, db)
	})
}

// The declaration says which columns of a key the database fills.
func TestDefaultInAKeyOfSeveralColumns(t *testing.T) {
	type entry struct {
		User   UserID `db:"user_id" owner:"owner"`
		Region string `db:"region" owner:"pk"`
		ID     int64  `db:"id" owner:"pk,default"`
	}
	entries := owner.MustTable[entry, UserID]("entries")
	dbtest.Each(t, func(t *testing.T, db *dbtest.DB) {
		ownerkit.MustExec(t, db, `create sequence entry_ids start 100;
			create table entries (user_id int8 not null, region text not null, id int8 not null default nextval('entry_ids'), primary key (region, id))`)
		e := entry{}
		require.NoError(t, entries.In(me).Insert(t.Context(), db, &e))
		require.Equal(t, entry{User: alice, ID: e.ID}, e)
		require.GreaterOrEqual(t, e.ID, int64(100))
	})
}

// An owner that is part of the primary key is also the one in scope, and never left
// to the database.
func TestOwnerInTheKeyIsNeverDefault(t *testing.T) {
	t.Parallel()
	var db recorder
	err := Settings.In(me).InsertMany(t.Context(), &db, []Setting{{Theme: "a"}, {UserID: alice, Theme: "b"}})
	require.ErrorIs(t, err, errRecorded)
	require.Equal(t, `insert into "settings" ("user_id", "theme") values ($1, $2), ($1, $3)`, db.SQL)

	odds := owner.MustTable[Odd, string]("odds", owner.Unique(func(o *Odd) any { return &o.Region }, func(o *Odd) any { return &o.Number }))
	region := owner.Column(odds, func(o *Odd) *string { return &o.Region })
	number := owner.Column(odds, func(o *Odd) *int32 { return &o.Number })
	err = odds.In(ownerkit.Scope("acme")).Upsert(t.Context(), &db, &Odd{Region: "eu", Number: 1}, number, region)
	require.ErrorIs(t, err, errRecorded)
}

// Two owners may have rows with the same key then, and a child of that key would
// belong to both.
func TestParentWithItsOwnerInTheKey(t *testing.T) {
	t.Parallel()
	type child struct {
		Region string `db:"region" owner:"pk,parent"`
		Number int32  `db:"number" owner:"pk,parent"`
	}
	odds := owner.MustTable[Odd, string]("odds")
	err := owner.ThroughError[child]("children", odds)
	require.ErrorContains(t, err, "do not say whose row it is")
}

func TestKeysMustFit(t *testing.T) {
	t.Parallel()
	type OrderID int64
	nothing := (*int64)(nil)
	in := Accounts.In(me)
	for name, tc := range map[string]struct {
		key  []any
		want string
	}{
		"none":           {nil, "table accounts: the key is (id int64), but 0 values were given"},
		"too many":       {[]any{1, 2}, "table accounts: the key is (id int64), but 2 values were given"},
		"nil":            {[]any{nil}, "table accounts: the key column id wants int64, got <nil>"},
		"nil pointer":    {[]any{nothing}, "wants int64, got *int64"},
		"text":           {[]any{"1"}, "wants int64, got string"},
		"float":          {[]any{1.0}, "wants int64, got float64"},
		"bool":           {[]any{true}, "wants int64, got bool"},
		"slice":          {[]any{[]int64{1, 3}}, "wants int64, got []int64"},
		"too large":      {[]any{uint64(math.MaxInt64) + 1}, "wants int64, got uint64"},
		"uintptr":        {[]any{uintptr(1)}, "wants int64, got uintptr"},
		"pgx's option":   {[]any{pgx.NamedArgs{"id": 1}}, "wants int64, got pgx.NamedArgs"},
		"a pgtype":       {[]any{pgtype.Int8{Int64: 1, Valid: true}}, "wants int64, got pgtype.Int8"},
		"a scope's type": {[]any{me}, "wants int64, got owner.Scope["},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			requireRefused(t, func(db owner.DB) error { _, err := in.Get(t.Context(), db, tc.key...); return err }, tc.want)
			requireRefused(t, func(db owner.DB) error {
				return in.Update(tc.key...).Set(Name.Set("x")).Exec(t.Context(), db)
			}, tc.want)
			requireRefused(t, func(db owner.DB) error { return in.Delete(tc.key...).Exec(t.Context(), db) }, tc.want)
		})
	}

	type small struct {
		Owner UserID      `db:"user_id" owner:"owner,pk"`
		ID    OrderID     `db:"id" owner:"pk"`
		Part  uint8       `db:"part" owner:"pk"`
		UUID  pgtype.UUID `db:"uuid" owner:"pk"`
	}
	uuid := pgtype.UUID{Bytes: [16]byte{1}, Valid: true}
	scoped := owner.MustTable[small, UserID]("small").In(me)
	get := func(key ...any) func(owner.DB) error {
		return func(db owner.DB) error { _, err := scoped.Get(t.Context(), db, key...); return err }
	}
	requireRefused(t, get(alice, 1, uuid), "the key column id wants owner_test.OrderID, got owner_test.UserID")
	requireRefused(t, get(1, 256, uuid), "the key column part wants uint8, got int")
	requireRefused(t, get(1, -1, uuid), "the key column part wants uint8, got int")
	requireRefused(t, get(1, uint64(1<<63), uuid), "the key column part wants uint8, got uint64")
	requireRefused(t, get(1, 1, pgtype.UUID{}), "the key column uuid wants pgtype.UUID, got NULL")
	requireRefused(t, get(1, 1, [16]byte{1}), "the key column uuid wants pgtype.UUID, got [16]uint8")
	requireRefused(t, get(1), "the key is (id owner_test.OrderID, part uint8, uuid pgtype.UUID), but 1 value was given")
	requireRefused(t, get(1, 1), "the key is (id owner_test.OrderID, part uint8, uuid pgtype.UUID), but 2 values were given")

	type texts struct {
		Owner UserID  `db:"user_id" owner:"owner"`
		ID    string  `db:"id" owner:"pk"`
		Bad   failing `db:"bad" owner:"pk"`
	}
	text := owner.MustTable[texts, UserID]("texts").In(me)
	requireRefused(t, func(db owner.DB) error { return text.Delete(65, failing{}).Exec(t.Context(), db) },
		"the key column id wants string, got int")
	requireRefused(t, func(db owner.DB) error { return text.Delete("a", failing{}).Exec(t.Context(), db) },
		"the key column bad: failing")

	type sizes struct {
		Owner UserID `db:"user_id" owner:"owner"`
		Tiny  int8   `db:"tiny" owner:"pk"`
		Big   uint64 `db:"big" owner:"pk"`
	}
	size := owner.MustTable[sizes, UserID]("sizes").In(me)
	requireRefused(t, func(db owner.DB) error { return size.Delete(128, 1).Exec(t.Context(), db) },
		"the key column tiny wants int8, got int")
	requireRefused(t, func(db owner.DB) error { return size.Delete(1, -1).Exec(t.Context(), db) },
		"the key column big wants uint64, got int")

	var db recorder
	_, err := scoped.Get(t.Context(), &db, int8(-1), uint64(255), uuid)
	require.ErrorIs(t, err, errRecorded)
	require.Equal(t, []any{alice, OrderID(-1), uint8(255), uuid}, db.Args)
}

// The declaration says pk, the schema does not.
func TestAKeyThatIsNotUnique(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *dbtest.DB) {
		ctx := t.Context()
		ownerkit.MustExec(t, db, `create table settings (user_id bigint, theme text)`)
		ownerkit.MustExec(t, db, `insert into settings values (42, 'a'), (42, 'b'), (43, 'c')`)
		in := Settings.In(me)
		_, err := in.Get(ctx, db)
		require.ErrorIs(t, err, owner.ErrTooMany)
		ownerkit.InRolledBackTx(t, db, func(tx pgx.Tx) {
			err := in.Update().Set(Theme.Set("x")).Exec(ctx, tx)
			require.EqualError(t, err, "owner: too many rows: one key changed 2 rows of settings; the declared primary key is not unique")
			require.ErrorIs(t, in.Delete().Exec(ctx, tx), owner.ErrTooMany)
		})
		ownerkit.RequireCount(t, db, 2, Settings.In(me).Count)
	})
}

// One row for each owner: without a key, the owner alone decides.
func TestTheOwnerAsTheWholeKey(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *dbtest.DB) {
		ctx := t.Context()
		ownerkit.MustExec(t, db, `create table settings (user_id bigint primary key, theme text not null)`)
		mine, theirs := Settings.In(me), Settings.In(other)
		require.NoError(t, mine.Insert(ctx, db, &Setting{Theme: "dark"}))
		require.NoError(t, theirs.Insert(ctx, db, &Setting{Theme: "light"}))

		require.NoError(t, mine.Update().Set(Theme.Set("blue")).Exec(ctx, db))
		s, err := mine.Get(ctx, db)
		require.NoError(t, err)
		require.Equal(t, Setting{alice, "blue"}, s)
		require.NoError(t, mine.Delete().Exec(ctx, db))
		requireNotFound(t, mine.Delete().Exec(ctx, db))
		requireNotFound(t, mine.Update().Set(Theme.Set("x")).Exec(ctx, db))
		_, err = mine.Get(ctx, db)
		requireNotFound(t, err)

		s, err = theirs.Get(ctx, db)
		require.NoError(t, err)
		require.Equal(t, Setting{bob, "light"}, s)
	})
}

// Rows of two owners with the same key under composite primary keys.
func TestTheSameKeyUnderTwoOwners(t *testing.T) {
	type row struct {
		Tenant string `db:"tenant" owner:"owner,pk"`
		Number int32  `db:"number" owner:"pk"`
		Note   string `db:"note"`
	}
	rows := owner.MustTable[row, string]("rows")
	note := owner.Column(rows, func(r *row) *string { return &r.Note })
	dbtest.Each(t, func(t *testing.T, db *dbtest.DB) {
		ctx := t.Context()
		ownerkit.MustExec(t, db, `create table rows (tenant text, number int4, note text not null, primary key (tenant, number))`)
		mine, theirs := rows.In(ownerkit.Scope("acme")), rows.In(ownerkit.Scope("Acme"))
		require.NoError(t, mine.Insert(ctx, db, &row{Number: 1, Note: "mine"}))
		require.NoError(t, theirs.Insert(ctx, db, &row{Number: 1, Note: "theirs"}))

		require.NoError(t, mine.Update(1).Set(note.Set("changed")).Exec(ctx, db))
		got, err := theirs.Get(ctx, db, 1)
		require.NoError(t, err)
		require.Equal(t, row{"Acme", 1, "theirs"}, got)
		require.NoError(t, mine.Delete(1).Exec(ctx, db))
		ownerkit.RequireCount(t, db, 1, theirs.Count)
	})
}
