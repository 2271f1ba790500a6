package owner_test

import (
	"context"
	"encoding/base64"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/stretchr/testify/require"

	"github.com/rowkeeper/rowkeeper/internal/devdb/dbtest"
	"github.com/rowkeeper/rowkeeper/owner"
	"github.com/rowkeeper/rowkeeper/owner/internal/ownerkit"
)

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
