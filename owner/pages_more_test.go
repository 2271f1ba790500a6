package owner_test

import (
	"context"
	"encoding/base64"
	"math"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/stretchr/testify/require"

	"github.com/rowkeeper/rowkeeper/internal/devdb/dbtest"
	"github.com/rowkeeper/rowkeeper/owner"
	"github.com/rowkeeper/rowkeeper/owner/internal/ownerkit"
)

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

// A cursor is exactly the text that was given out, and no other that decodes to the
// same.
func TestCursorIsOneText(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *dbtest.DB) {
		createMeasures(t, db)
		cursor := mustCursor(t, db, Measures.In(me).Select)
		for _, other := range []string{cursor + "\n", "\r" + cursor, cursor[:9] + "\n" + cursor[9:]} {
			_, err := Measures.In(me).Page(t.Context(), db, sealed, other, 1)
			require.ErrorIs(t, err, owner.ErrCursor)
		}
	})
}

// strangeRows are two rows with a text that is not UTF-8, as old databases may
// contain.
type strangeRows struct {
	pgx.Rows
	n int
}

func (r *strangeRows) Next() bool { r.n++; return r.n <= 2 }
func (r *strangeRows) Close()     {}
func (r *strangeRows) Err() error { return nil }
func (r *strangeRows) Scan(dest ...any) error {
	text, id := "a\xff", "7"
	*dest[2].(*string) = text
	*dest[6].(**string), *dest[7].(**string) = &text, &id
	return nil
}
func (r *strangeRows) RawValues() [][]byte                          { return nil }
func (r *strangeRows) FieldDescriptions() []pgconn.FieldDescription { return nil }

type strangeDB struct {
	owner.DB
	args []any
}

func (db *strangeDB) Query(_ context.Context, _ string, args ...any) (pgx.Rows, error) {
	db.args = args
	return new(strangeRows), nil
}

// JSON would change such a text, and the next page would begin elsewhere. A database
// that returns the same row forever has no second page.
func TestCursorOfStrangeText(t *testing.T) {
	t.Parallel()
	var db strangeDB
	page, err := Measures.In(me).OrderBy(MeasureGrp.Asc()).Page(t.Context(), &db, sealed, "", 1)
	require.NoError(t, err)
	_, err = Measures.In(me).OrderBy(MeasureGrp.Asc()).Page(t.Context(), &db, sealed, page.Next, 1)
	require.ErrorContains(t, err, "comes again")
	require.Equal(t, []any{alice, "a\xff", "a\xff", "7"}, db.args[:4])
}

// A cursor reveals nothing of a row to clients.
func TestCursorShowsNothing(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *dbtest.DB) {
		createMeasures(t, db)
		ownerkit.MustExec(t, db, "update measures set grp = 'canary'")
		cursor := mustCursor(t, db, Measures.In(me).OrderBy(MeasureGrp.Asc()))
		b, err := base64.RawURLEncoding.DecodeString(cursor)
		require.NoError(t, err)
		require.NotContains(t, string(b), "canary")
	})
}

// A cursor stays valid when the struct gains a column.
func TestCursorOutlivesANewColumn(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *dbtest.DB) {
		createMeasures(t, db)
		type before struct {
			ID     int64  `db:"id" owner:"pk"`
			UserID UserID `db:"user_id" owner:"owner"`
			Group  string `db:"grp"`
		}
		table := owner.MustTable[before, UserID]("measures")
		group := owner.Column(table, func(m *before) *string { return &m.Group })
		page, err := table.In(me).Where(group.Ne("c")).OrderBy(group.Desc()).Page(t.Context(), db, sealed, "", 3)
		require.NoError(t, err)
		next, err := Measures.In(me).Where(MeasureGrp.Ne("c")).OrderBy(MeasureGrp.Desc()).Page(t.Context(), db, sealed, page.Next, 3)
		require.NoError(t, err)
		require.Len(t, next.Rows, 3)
		require.Equal(t, "a", next.Rows[0].Group)
	})
}

// mustCursor returns the cursor after the first row.
func mustCursor[O comparable](t *testing.T, db owner.DB, s owner.Select[Measure, O]) string {
	t.Helper()
	page, err := s.Page(t.Context(), db, sealed, "", 1)
	require.NoError(t, err)
	require.NotEmpty(t, page.Next)
	return page.Next
}

// A view of aggregates alone has one row, also of no rows.
func TestViewOfOneRow(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *dbtest.DB) {
		createMeasures(t, db)
		for _, of := range []owner.Select[Measure, UserID]{Measures.In(me).Select, Measures.In(me).Where(MeasureID.Eq(8))} {
			ownerkit.RequireCount(t, db, 1, Totals.Of(of).Count)
			ownerkit.RequireExists(t, db, true, Totals.Of(of).Exists)
			ownerkit.RequireExists(t, db, false, Totals.Of(of).Where(TotalRows.Gt(7)).Exists)
		}
	})
}
