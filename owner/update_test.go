package owner_test

import (
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgtype"
	"github.com/stretchr/testify/require"

	"github.com/rowkeeper/rowkeeper/internal/devdb/dbtest"
	"github.com/rowkeeper/rowkeeper/owner"
	"github.com/rowkeeper/rowkeeper/owner/internal/ownerkit"
)

func TestUpdate(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *dbtest.DB) {
		ownerkit.CreateAccounts(t, db)
		ctx := t.Context()
		in := Accounts.In(me)

		require.NoError(t, in.Update(1).Set(Balance.Add(-30), Name.Set("renamed"), Nick.Set(nil)).Exec(ctx, db))
		a, err := in.Get(ctx, db, 1)
		require.NoError(t, err)
		require.EqualValues(t, 70, a.Balance)
		require.Equal(t, "renamed", a.Name)
		require.Nil(t, a.Nick)
		b, err := in.Get(ctx, db, 2)
		require.NoError(t, err)
		require.EqualValues(t, 200, b.Balance, "only the row with the key")

		foreign := in.Update(3).Set(Balance.Add(-30)).Exec(ctx, db)
		requireNotFound(t, foreign)
		missing := in.Update(999).Set(Balance.Add(-30)).Exec(ctx, db)
		require.Equal(t, missing, foreign)
		require.EqualError(t, missing, "owner: not found in accounts")
		ownerkit.RequireBobsAccountsUnchanged(t, db)
	})
}

func TestUpdateMisuse(t *testing.T) {
	t.Parallel()
	in := Accounts.In(me)
	var none owner.ColumnOf[Account, int64]
	for name, tc := range map[string]struct {
		update owner.Update[Account, UserID]
		want   string
	}{
		"nothing":          {in.Update(1), "table accounts: the update sets nothing; call Set"},
		"empty set":        {in.Update(1).Set(), "the update sets nothing"},
		"owner":            {in.Update(1).Set(Owner.Set(bob)), "column accounts.user_id: an update cannot change the owner"},
		"owner, same":      {in.Update(1).Set(Name.Set("x"), Owner.Set(alice)), "an update cannot change the owner"},
		"owner, added":     {in.Update(1).Set(Owner.Add(1)), "an update cannot change the owner"},
		"key":              {in.Update(1).Set(ID.Set(3)), "column accounts.id: an update cannot change the primary key"},
		"twice":            {in.Update(1).Set(Name.Set("x")).Set(Name.Set("y")), "column accounts.name: the update assigns it twice"},
		"set and add":      {in.Update(1).Set(Balance.Set(1), Balance.Add(1)), "column accounts.balance: the update assigns it twice"},
		"add text":         {in.Update(1).Set(Name.Add("x")), "column accounts.name: Add needs a numeric column, not one of type string"},
		"add time":         {in.Update(1).Set(Created.Add(time.Now())), "Add needs a numeric column, not one of type time.Time"},
		"no column, set":   {in.Update(1).Set(none.Set(1)), "the column was not made by owner.Column"},
		"no column, add":   {in.Update(1).Set(none.Add(1)), "the column was not made by owner.Column"},
		"empty assignment": {in.Update(1).Set(owner.Assignment[Account]{}), "the column was not made by owner.Column"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			requireRefused(t, func(db owner.DB) error { return tc.update.Exec(t.Context(), db) }, tc.want)
		})
	}
	require.ErrorContains(t, owner.Update[Account, UserID]{}.Exec(t.Context(), &recorder{}), "the table was not made by")
}

func TestAddIsForNumbers(t *testing.T) {
	t.Parallel()
	type row struct {
		Owner   UserID         `db:"user_id" owner:"owner,pk"`
		Uint    uint16         `db:"uint"`
		Float   float32        `db:"float"`
		Pointer *int           `db:"pointer"`
		Numeric pgtype.Numeric `db:"numeric"`
		Int8    pgtype.Int8    `db:"int8"`
		Bool    bool           `db:"bool"`
		Text    pgtype.Text    `db:"text"`
		Date    pgtype.Date    `db:"date"`
	}
	rows := owner.MustTable[row, UserID]("rows")
	exec := func(a owner.Assignment[row]) error {
		return rows.In(me).Update().Set(a).Exec(t.Context(), &recorder{})
	}
	one := 1
	numeric := owner.Column(rows, func(r *row) *pgtype.Numeric { return &r.Numeric })
	pointer := owner.Column(rows, func(r *row) **int { return &r.Pointer })
	for _, a := range []owner.Assignment[row]{
		owner.Column(rows, func(r *row) *uint16 { return &r.Uint }).Add(1),
		owner.Column(rows, func(r *row) *float32 { return &r.Float }).Add(1),
		owner.Column(rows, func(r *row) *pgtype.Int8 { return &r.Int8 }).Add(pgtype.Int8{Valid: true}),
		pointer.Add(&one),
		numeric.Add(pgtype.Numeric{NaN: true, Valid: true}),
	} {
		require.ErrorIs(t, exec(a), errRecorded)
	}
	require.ErrorContains(t, exec(pointer.Add(nil)), "column rows.pointer: the value is NULL")
	require.ErrorContains(t, exec(numeric.Add(pgtype.Numeric{})), "column rows.numeric: the value is NULL")
	for _, a := range []owner.Assignment[row]{
		owner.Column(rows, func(r *row) *bool { return &r.Bool }).Add(true),
		owner.Column(rows, func(r *row) *pgtype.Text { return &r.Text }).Add(pgtype.Text{Valid: true}),
		owner.Column(rows, func(r *row) *pgtype.Date { return &r.Date }).Add(pgtype.Date{Valid: true}),
	} {
		require.ErrorContains(t, exec(a), "Add needs a numeric column")
	}
}
