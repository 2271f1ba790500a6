package schema_test

import (
	"testing"

	"github.com/jackc/pgx/v5/pgtype"
	"github.com/stretchr/testify/require"

	"github.com/rowkeeper/rowkeeper/internal/devdb/dbtest"
	"github.com/rowkeeper/rowkeeper/owner"
	"github.com/rowkeeper/rowkeeper/owner/internal/ownerkit"
	"github.com/rowkeeper/rowkeeper/owner/schema"
)

// A key WITHOUT OVERLAPS is unique, but is no conflict target of an upsert.
func TestVerifyUpsertByAKeyWithoutOverlaps(t *testing.T) {
	type days = pgtype.Range[pgtype.Int4]
	type booking struct {
		Room days   `db:"room" owner:"pk"`
		Days days   `db:"days" owner:"pk"`
		User UserID `db:"user_id" owner:"owner"`
		Note string `db:"note"`
	}
	bookings := owner.MustTable[booking, UserID]("bookings",
		owner.Unique(func(b *booking) any { return &b.Room }, func(b *booking) any { return &b.Days }))
	room := owner.Column(bookings, func(b *booking) *days { return &b.Room })
	day := owner.Column(bookings, func(b *booking) *days { return &b.Days })
	dbtest.Each(t, func(t *testing.T, db *dbtest.DB) {
		if serverVersion(t, db) < 18 {
			t.Skip("it has no such keys")
		}
		ownerkit.MustExec(t, db, `create table bookings (room int4range, days int4range, user_id int8 not null, note text not null, primary key (room, days without overlaps))`)
		ownerkit.MustExec(t, db, `create index on bookings (user_id)`)
		span := days{Lower: pgtype.Int4{Int32: 1, Valid: true}, LowerType: pgtype.Inclusive, UpperType: pgtype.Unbounded, Valid: true}
		b := booking{Room: span, Days: span, Note: "first"}
		require.ErrorContains(t, bookings.In(me).Upsert(t.Context(), db, &b, room, day), "42P10")

		f := matching(t, verified(t, db, bookings), schema.Finding{
			Severity: schema.Broken, Table: "bookings", Name: "room, days", Problem: "no unique index or constraint is on exactly these columns"})
		mend(t, db, f)
		for _, f := range verified(t, db, bookings) {
			require.NotEqual(t, schema.Broken, f.Severity, "%v", f)
		}
		require.NoError(t, bookings.In(me).Upsert(t.Context(), db, &b, room, day))
		b.Note = "second"
		require.NoError(t, bookings.In(me).Upsert(t.Context(), db, &b, room, day))
	})
}
