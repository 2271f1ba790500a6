package owner_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rowkeeper/rowkeeper/internal/devdb/dbtest"
	"github.com/rowkeeper/rowkeeper/owner"
	"github.com/rowkeeper/rowkeeper/owner/internal/ownerkit"
)

func TestDelete(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *dbtest.DB) {
		ownerkit.CreateAccounts(t, db)
		ctx := t.Context()
		in := Accounts.In(me)

		foreign := in.Delete(3).Exec(ctx, db)
		requireNotFound(t, foreign)
		missing := in.Delete(999).Exec(ctx, db)
		require.Equal(t, missing, foreign)
		ownerkit.RequireBobsAccountsUnchanged(t, db)

		require.NoError(t, in.Delete(1).Exec(ctx, db))
		requireNotFound(t, in.Delete(1).Exec(ctx, db))
		all, err := in.All(ctx, db)
		require.NoError(t, err)
		requireIDs(t, []int64{2}, all)
		ownerkit.RequireBobsAccountsUnchanged(t, db)
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
