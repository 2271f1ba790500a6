package owner_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rowkeeper/rowkeeper/errs/kind"
	"github.com/rowkeeper/rowkeeper/internal/devdb/dbtest"
	"github.com/rowkeeper/rowkeeper/owner"
	"github.com/rowkeeper/rowkeeper/owner/internal/ownerkit"
)

func TestVersions(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *dbtest.DB) {
		ownerkit.CreateShop(t, db)
		ctx, in := t.Context(), Orders.In(me)

		o := Order{Number: 7, Title: "new", Country: "at", Version: 99}
		require.NoError(t, in.Insert(ctx, db, &o))
		require.EqualValues(t, 1, o.Version, "counted by us")
		require.NoError(t, in.Update(o.ID).At(1).Set(OrderTitle.Set("second")).Exec(ctx, db))
		got, err := in.Update(o.ID).IfMatch(Orders.ETag(&Order{Version: 2})).Set(OrderTitle.Set("third")).Returning(ctx, db)
		require.NoError(t, err)
		require.Equal(t, "third", got.Title)
		require.EqualValues(t, 3, got.Version)
		require.NoError(t, in.Update(o.ID).IfMatch("*").Set(OrderTotal.Add(1)).Exec(ctx, db))

		for name, at := range map[string]int64{"older": 3, "newer": 5} {
			require.ErrorIs(t, in.Update(o.ID).At(at).Set(OrderTitle.Set("x")).Exec(ctx, db), owner.ErrStale, name)
			_, err := in.Update(o.ID).At(at).Set(OrderTitle.Set("x")).Returning(ctx, db)
			require.ErrorIs(t, err, owner.ErrStale, name)
			require.ErrorIs(t, in.Delete(o.ID).At(at).Exec(ctx, db), owner.ErrStale, name)
		}
		// Stale is told apart from missing only within the owner.
		for _, id := range []int64{bobOrder, 999} {
			for _, at := range []int64{1, 2} {
				require.EqualError(t, in.Update(id).At(at).Set(OrderTitle.Set("x")).Exec(ctx, db), "owner: not found in orders")
				require.EqualError(t, in.Delete(id).At(at).Exec(ctx, db), "owner: not found in orders")
			}
		}
		got, err = in.Get(ctx, db, o.ID)
		require.NoError(t, err)
		require.Equal(t, "third", got.Title)
		require.EqualValues(t, 4, got.Version)
		require.NoError(t, in.Delete(o.ID).At(4).Exec(ctx, db))
		ownerkit.RequireBobsShopUnchanged(t, db)
	})
}

func TestVersionsRefuse(t *testing.T) {
	t.Parallel()
	in := Orders.In(me)
	for _, n := range []int64{0, -1} {
		requireRefused(t, func(db owner.DB) error {
			return in.Update(1).At(n).Set(OrderTitle.Set("x")).Exec(t.Context(), db)
		}, "no version was given")
		requireRefused(t, func(db owner.DB) error { return in.Delete(1).At(n).Exec(t.Context(), db) }, "no version was given")
	}
	requireRefused(t, func(db owner.DB) error {
		return in.Update(1).IfMatch("").Set(OrderTitle.Set("x")).Exec(t.Context(), db)
	}, "no version was given")
	requireRefused(t, func(db owner.DB) error {
		return in.Update(1).Set(OrderVersion.Set(7)).Exec(t.Context(), db)
	}, "every update counts the version itself")
	requireRefused(t, func(db owner.DB) error {
		return Accounts.In(me).Update(1).At(1).Set(Name.Set("x")).Exec(t.Context(), db)
	}, "no field is the version")
}

func TestParseIfMatch(t *testing.T) {
	t.Parallel()
	for header, want := range map[string]error{
		`"1"`: nil, ` "17" `: nil, `*`: nil, ``: kind.PreconditionRequired, ` `: kind.PreconditionRequired,
		`W/"1"`: kind.Stale, `"01"`: kind.Stale, `"-1"`: kind.Stale, `"0"`: kind.Stale, `"x"`: kind.Stale, `""`: kind.Stale,
		`"99999999999999999999"`: kind.Stale,
		`1`:                      kind.Malformed, `"1`: kind.Malformed, `"`: kind.Malformed, `"1", "2"`: kind.Malformed, `"a"b"`: kind.Malformed,
	} {
		n, whatever, err := Orders.ParseIfMatch(header)
		if want == nil {
			require.NoError(t, err, header)
			require.Equal(t, header == "*", whatever)
			require.Equal(t, header != "*", n > 0)
			continue
		}
		var k interface{ Kind() kind.Kind }
		require.ErrorAs(t, err, &k, header)
		require.Equal(t, want, k.Kind(), header)
		require.False(t, whatever)
		require.Zero(t, n)
	}
	require.Empty(t, Orders.ETag(&Order{}))
	require.Empty(t, Orders.ETag(&Order{Version: -1}))
	require.Empty(t, Orders.ETag(nil))
	require.Equal(t, `"7"`, Orders.ETag(&Order{Version: 7}))
	require.Empty(t, Accounts.ETag(&Account{ID: 1}))
	_, _, err := Accounts.ParseIfMatch(`"1"`)
	require.ErrorContains(t, err, "no field is the version")
	_, _, err = (*owner.Table[Order, UserID])(nil).ParseIfMatch(`"1"`)
	require.ErrorContains(t, err, "was not made by MustTable")
	type counted struct {
		ID      int64  `db:"id" owner:"pk"`
		UserID  UserID `db:"user_id" owner:"owner"`
		Version uint8  `db:"version" owner:"version"`
	}
	require.Equal(t, `"255"`, owner.MustTable[counted, UserID]("counted").ETag(&counted{Version: 255}))
}
