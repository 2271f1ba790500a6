package owner_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rowkeeper/rowkeeper/owner"
	"github.com/rowkeeper/rowkeeper/owner/internal/ownerkit"
)

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

func TestNamesWithNUL(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"\x00", "a\x00b", "a.\x00"} {
		require.ErrorContains(t, owner.TableError[Setting, UserID](name), "NUL")
	}
	type row struct {
		Owner UserID `db:"user\x00" owner:"owner,pk"`
	}
	require.ErrorContains(t, owner.TableError[row, UserID]("rows"), "NUL")
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

// A grant names a row by the same columns, and would let others read the rows of
// all owners who have one with that key.
func TestGrantOnRowsWithTheirOwnerInTheKey(t *testing.T) {
	t.Parallel()
	type grant struct {
		Region  string `db:"region" owner:"pk"`
		Number  int32  `db:"number" owner:"pk"`
		Grantee string `db:"grantee" owner:"owner,pk"`
	}
	odds := owner.MustTable[Odd, string]("odds")
	grants := owner.MustTable[grant, string]("grants")
	region := owner.Column(grants, func(g *grant) *string { return &g.Region })
	number := owner.Column(grants, func(g *grant) *int32 { return &g.Number })
	require.PanicsWithError(t, "owner: GrantedBy: the owner is part of the primary key of odds, whose other columns do not say whose row it is",
		func() { owner.GrantedBy(odds, grants, region, number) })
}
