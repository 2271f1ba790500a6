package owner_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rowkeeper/rowkeeper/internal/devdb/dbtest"
	"github.com/rowkeeper/rowkeeper/owner"
)

func TestDelete(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *dbtest.DB) {
		setup(t, db)
		ctx := t.Context()
		in := Accounts.In(me)

		foreign := in.Delete(3).Exec(ctx, db)
		require.ErrorIs(t, foreign, owner.ErrNotFound)
		missing := in.Delete(999).Exec(ctx, db)
		require.Equal(t, missing, foreign)
		untouched(t, db)

		require.NoError(t, in.Delete(1).Exec(ctx, db))
		require.ErrorIs(t, in.Delete(1).Exec(ctx, db), owner.ErrNotFound)
		all, err := in.All(ctx, db)
		require.NoError(t, err)
		require.Equal(t, []int64{2}, ids(all))
		untouched(t, db)
	})
}

// One row for each owner: without a key, the owner alone decides.
func TestTheOwnerAsTheWholeKey(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *dbtest.DB) {
		ctx := t.Context()
		_, err := db.Exec(ctx, `create table settings (user_id bigint primary key, theme text not null)`)
		require.NoError(t, err)
		mine, theirs := Settings.In(me), Settings.In(other)
		require.NoError(t, mine.Insert(ctx, db, &Setting{Theme: "dark"}))
		require.NoError(t, theirs.Insert(ctx, db, &Setting{Theme: "light"}))

		require.NoError(t, mine.Update().Set(Theme.Set("blue")).Exec(ctx, db))
		s, err := mine.Get(ctx, db)
		require.NoError(t, err)
		require.Equal(t, Setting{alice, "blue"}, s)
		require.NoError(t, mine.Delete().Exec(ctx, db))
		require.ErrorIs(t, mine.Delete().Exec(ctx, db), owner.ErrNotFound)
		require.ErrorIs(t, mine.Update().Set(Theme.Set("x")).Exec(ctx, db), owner.ErrNotFound)
		_, err = mine.Get(ctx, db)
		require.ErrorIs(t, err, owner.ErrNotFound)

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
		_, err := db.Exec(ctx, `create table rows (tenant text, number int4, note text not null, primary key (tenant, number))`)
		require.NoError(t, err)
		mine, theirs := rows.In(scope("acme")), rows.In(scope("Acme"))
		require.NoError(t, mine.Insert(ctx, db, &row{Number: 1, Note: "mine"}))
		require.NoError(t, theirs.Insert(ctx, db, &row{Number: 1, Note: "theirs"}))

		require.NoError(t, mine.Update(1).Set(note.Set("changed")).Exec(ctx, db))
		got, err := theirs.Get(ctx, db, 1)
		require.NoError(t, err)
		require.Equal(t, row{"Acme", 1, "theirs"}, got)
		require.NoError(t, mine.Delete(1).Exec(ctx, db))
		n, err := theirs.Count(ctx, db)
		require.NoError(t, err)
		require.EqualValues(t, 1, n)
	})
}
