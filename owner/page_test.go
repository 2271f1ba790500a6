package owner_test

import (
	"encoding/json"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rowkeeper/rowkeeper/errs"
	"github.com/rowkeeper/rowkeeper/internal/devdb/dbtest"
	"github.com/rowkeeper/rowkeeper/owner"
	"github.com/rowkeeper/rowkeeper/owner/internal/ownerkit"
)

func TestPages(t *testing.T) {
	_, err := owner.NewCursors(make([]byte, 32))
	require.ErrorContains(t, err, "not random")
	_, err = owner.NewCursors([]byte("short"))
	require.ErrorContains(t, err, "at least 32 bytes")
	dbtest.Each(t, func(t *testing.T, db *dbtest.DB) {
		ownerkit.CreateAccounts(t, db)
		ctx := t.Context()
		// Rows that differ by a microsecond only, with and without a nick.
		at := time.Date(2024, 1, 1, 0, 0, 0, 0, time.UTC)
		nicks := []string{"a", "b"}
		for i := range 12 {
			a := Account{ID: int64(100 + i), Name: "page", Created: at.Add(time.Duration(i/3) * time.Microsecond)}
			if i%3 < 2 {
				a.Nick = &nicks[i%3]
			}
			require.NoError(t, Accounts.In(me).Insert(ctx, db, &a))
			a.ID, a.UserID = 0, 0
			require.NoError(t, Accounts.In(other).Insert(ctx, db, &a))
		}
		in := Accounts.In(me).Where(Name.Eq("page"))
		var first string
		for name, orders := range map[string][]owner.Order[Account]{
			"key": nil, "time": {Created.Asc()}, "time desc": {Created.Desc(), ID.Desc()},
			"null": {Nick.Asc()}, "null desc": {Nick.Desc(), Created.Asc()}, "null then": {Created.Desc(), Nick.Desc(), ID.Asc()},
		} {
			all, err := in.OrderBy(orders...).OrderBy(ID.Asc()).All(ctx, db)
			if name == "time desc" {
				all, err = in.OrderBy(orders...).All(ctx, db)
			}
			require.NoError(t, err)
			for _, size := range []int{1, 5, 12, 20} {
				got, cursor := []int64{}, ""
				for {
					page, err := in.OrderBy(orders...).Page(ctx, db, sealed, cursor, size)
					require.NoError(t, err, name)
					got = append(got, ids(page.Rows)...)
					if cursor = page.Next; cursor == "" {
						break
					}
					if name == "time" {
						first = cursor
					}
				}
				require.Equal(t, ids(all), got, "%s by %d", name, size)
			}
		}
		require.NotEmpty(t, first)
		page, err := Accounts.In(me).Where(Name.Eq("nobody")).Page(ctx, db, sealed, "", 5)
		require.NoError(t, err)
		text, err := json.Marshal(page)
		require.NoError(t, err)
		require.JSONEq(t, `{"rows": []}`, string(text))
		for _, size := range []int{-1, 0, owner.MaxRows + 1} {
			_, err = in.Page(ctx, db, sealed, "", size)
			var e *errs.Error
			require.ErrorAs(t, errs.NewCatalog().Translate(err), &e)
			require.ErrorIs(t, e, errs.Invalid)
			require.Equal(t, []errs.FieldError{{Parameter: "size", Code: "out_of_range", Detail: "A page has 1 to 1000 rows."}}, e.Fields())
		}
		valid := func(s owner.Select[Account, UserID], cursor string) error {
			_, err := s.Page(ctx, db, sealed, cursor, 3)
			return err
		}
		require.NoError(t, valid(in.OrderBy(Created.Asc()), first))
		require.ErrorIs(t, valid(Accounts.In(other).Where(Name.Eq("page")).OrderBy(Created.Asc()), first), owner.ErrCursor, "another owner")
		require.ErrorIs(t, valid(in.OrderBy(Created.Desc()), first), owner.ErrCursor, "another order")
		require.ErrorIs(t, valid(Accounts.In(me).Where(Name.Eq("x")).OrderBy(Created.Asc()), first), owner.ErrCursor, "another value")
		require.ErrorIs(t, valid(Accounts.In(me).OrderBy(Created.Asc()), first), owner.ErrCursor, "another condition")
		for i := range first {
			tampered := first[:i] + strings.Map(func(r rune) rune { return r ^ 1 }, first[i:i+1]) + first[i+1:]
			require.ErrorIs(t, valid(in.OrderBy(Created.Asc()), tampered), owner.ErrCursor)
		}
		another, err := owner.NewCursors([]byte("another key 0123456789abcdef0123456789abcdef"))
		require.NoError(t, err)
		_, err = in.OrderBy(Created.Asc()).Page(ctx, db, another, first, 3)
		require.ErrorIs(t, err, owner.ErrCursor)
	})
	requireRefused(t, func(db owner.DB) error { _, err := Accounts.In(me).Page(t.Context(), db, nil, "", 3); return err }, "not made by NewCursors")
	requireRefused(t, func(db owner.DB) error { _, err := Accounts.In(me).Page(t.Context(), db, sealed, "", 0); return err }, "1 to 1000")
	requireRefused(t, func(db owner.DB) error {
		_, err := Orders.In(me).OrderBy(OrderSecret.Asc()).Page(t.Context(), db, sealed, "", 3)
		return err
	}, "hidden")
}

// Measure has values that JSON cannot express, and an average with more digits than a
// float.
type (
	Measure struct {
		ID     int64    `db:"id" owner:"pk"`
		UserID UserID   `db:"user_id" owner:"owner"`
		Group  string   `db:"grp"`
		N      int64    `db:"n"`
		Score  float64  `db:"score"`
		Rate   *float64 `db:"rate"`
	}
	MeasureGroup struct {
		Group string  `db:"grp"`
		Mean  float64 `db:"n" owner:"avg"`
		Sum   float64 `db:"n" owner:"sum"`
	}
	MeasureTotal struct {
		Rows int64 `db:"*" owner:"count"`
		Sum  int64 `db:"n" owner:"sum"`
	}
)

var (
	Measures     = owner.MustTable[Measure, UserID]("measures")
	MeasureID    = owner.Column(Measures, func(m *Measure) *int64 { return &m.ID })
	MeasureGrp   = owner.Column(Measures, func(m *Measure) *string { return &m.Group })
	MeasureScore = owner.Column(Measures, func(m *Measure) *float64 { return &m.Score })
	MeasureRate  = owner.Column(Measures, func(m *Measure) **float64 { return &m.Rate })
	MeasureSums  = owner.MustView[MeasureGroup](Measures)
	MeasureMean  = owner.Column(MeasureSums, func(m *MeasureGroup) *float64 { return &m.Mean })
	MeasureSum   = owner.Column(MeasureSums, func(m *MeasureGroup) *float64 { return &m.Sum })
	Totals       = owner.MustView[MeasureTotal](Measures)
	TotalRows    = owner.Column(Totals, func(m *MeasureTotal) *int64 { return &m.Rows })
)

// createMeasures creates and fills the table of measures.
func createMeasures(t *testing.T, db *dbtest.DB) {
	t.Helper()
	ownerkit.MustExec(t, db, `create table measures (id int8 primary key, user_id int8 not null, grp text not null, n int8 not null, score float8 not null, rate float8);
		insert into measures values
			(1, 42, 'a', 1, 'NaN', 'NaN'), (2, 42, 'a', 0, 'Infinity', null), (3, 42, 'a', 0, '-Infinity', 1), (4, 42, 'b', 2, 1.5, 'Infinity'),
			(5, 42, 'b', 0, 'NaN', '-Infinity'), (6, 42, 'b', 0, 0, null), (7, 42, 'c', 9007199254740993, 0.1, 0), (8, 43, 'd', 5, 1, 1)`)
}

// A cursor can hold every value of a float.
func TestPagesOfFloats(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *dbtest.DB) {
		createMeasures(t, db)
		in := Measures.In(me).Where(owner.Or(MeasureScore.Eq(math.NaN()), MeasureScore.Ne(math.NaN())))
		for _, orders := range [][]owner.Order[Measure]{
			{MeasureScore.Asc()}, {MeasureScore.Desc()}, {MeasureRate.Asc()}, {MeasureRate.Desc(), MeasureScore.Asc()},
		} {
			all, err := in.OrderBy(orders...).OrderBy(MeasureID.Asc()).All(t.Context(), db)
			require.NoError(t, err)
			var want, got []int64
			for _, m := range all {
				want = append(want, m.ID)
			}
			for cursor := ""; len(got) <= len(want); {
				page, err := in.OrderBy(orders...).Page(t.Context(), db, sealed, cursor, 1)
				require.NoError(t, err)
				got = append(got, page.Rows[0].ID)
				if cursor = page.Next; cursor == "" {
					break
				}
			}
			require.Equal(t, want, got)
			_, err = Measures.In(me).Where(owner.Or(MeasureScore.Eq(math.Inf(1)), MeasureScore.Ne(math.NaN()))).OrderBy(orders...).Page(t.Context(), db, sealed, mustCursor(t, db, in.OrderBy(orders...)), 1)
			require.ErrorIs(t, err, owner.ErrCursor, "another value")
		}
	})
}

// Pages by an average, which has more digits in the database than in the field,
// contain each row once.
func TestPagesOfAverages(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *dbtest.DB) {
		createMeasures(t, db)
		for _, order := range []owner.Order[MeasureGroup]{MeasureMean.Asc(), MeasureMean.Desc(), MeasureSum.Asc(), MeasureSum.Desc()} {
			var got []string
			for cursor := ""; len(got) < 10; {
				page, err := MeasureSums.In(me).OrderBy(order).Page(t.Context(), db, sealed, cursor, 1)
				require.NoError(t, err)
				require.Len(t, page.Rows, 1)
				got = append(got, page.Rows[0].Group)
				if cursor = page.Next; cursor == "" {
					break
				}
			}
			require.ElementsMatch(t, []string{"a", "b", "c"}, got)
		}
	})
}
