package owner_test

import (
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/rowkeeper/rowkeeper/errs"
	"github.com/rowkeeper/rowkeeper/internal/devdb/dbtest"
	"github.com/rowkeeper/rowkeeper/owner"
	"github.com/rowkeeper/rowkeeper/owner/internal/ownerkit"
)

type narrow struct {
	User  UserID `db:"user_id" owner:"owner"`
	Place string `db:"place" owner:"pk"`
	N     int64  `db:"n" owner:"pk"`
	Count int64  `db:"count"`
}

type narrowPart struct {
	ID    int64  `db:"id" owner:"pk"`
	Place string `db:"place" owner:"parent"`
	N     int64  `db:"n" owner:"parent"`
}

var (
	narrows = owner.MustTable[narrow, UserID]("narrows",
		owner.Unique(func(n *narrow) any { return &n.Place }, func(n *narrow) any { return &n.N }))
	narrowPlace = owner.Column(narrows, func(n *narrow) *string { return &n.Place })
	narrowN     = owner.Column(narrows, func(n *narrow) *int64 { return &n.N })
	narrowCount = owner.Column(narrows, func(n *narrow) *int64 { return &n.Count })
	narrowParts = owner.MustThrough[narrowPart]("narrow_parts", narrows)
	partID      = owner.Column(narrowParts, func(p *narrowPart) *int64 { return &p.ID })
)

// A part of a key of several columns, the key of a child, and the statements that are
// not about one key.
func TestNumbersOutOfRangeInOtherStatements(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *dbtest.DB) {
		ctx := t.Context()
		ownerkit.MustExec(t, db, `create table narrows (user_id int8 not null, place text, n int2, count int4 not null, primary key (place, n));
			create table narrow_parts (id int4 primary key, place text not null, n int2 not null);
			insert into narrows values (42, 'a', 1, 1); insert into narrow_parts values (1, 'a', 1)`)
		in, parts := narrows.In(me), narrowParts.In(me)
		const tooLarge = int64(70000)

		_, err := in.Get(ctx, db, "a", tooLarge)
		requireNotFound(t, err)
		ownerkit.InRolledBackTx(t, db, func(tx pgx.Tx) {
			_, err := in.ForUpdate().Get(ctx, tx, "a", tooLarge)
			requireNotFound(t, err)
		})
		requireNotFound(t, in.Update("a", tooLarge).Set(narrowCount.Set(2)).Exec(ctx, db))
		requireNotFound(t, in.Delete("a", tooLarge).Exec(ctx, db))
		_, err = parts.Get(ctx, db, huge)
		requireNotFound(t, err)
		requireNotFound(t, parts.Delete(huge).Exec(ctx, db))

		invalid := func(err error) {
			t.Helper()
			var e *errs.Error
			require.ErrorAs(t, new(errs.Catalog).Translate(err), &e)
			require.Equal(t, errs.Invalid, e.Kind(), "%v", err)
			require.Equal(t, "out_of_range", e.Code(), "%v", err)
		}
		invalid(in.Upsert(ctx, db, &narrow{Place: "a", N: tooLarge}, narrowPlace, narrowN))
		invalid(in.Upsert(ctx, db, &narrow{Place: "a", N: 1, Count: huge}, narrowPlace, narrowN))
		invalid(parts.Insert(ctx, db, &narrowPart{ID: huge, Place: "a", N: 1}))
		invalid(parts.InsertMany(ctx, db, []narrowPart{{ID: 2, Place: "a", N: 1}, {ID: huge, Place: "a", N: 1}}))
		if !db.Cockroach() { // which compares with any number
			_, err = in.Where(narrowN.Eq(tooLarge)).Exists(ctx, db)
			invalid(err)
			_, err = in.Where(narrowN.Eq(tooLarge)).One(ctx, db)
			invalid(err)
			_, err = in.DeleteWhere(narrowN.In(1, tooLarge)).Exec(ctx, db)
			invalid(err)
			_, err = in.UpdateWhere(narrowCount.Gt(huge)).Set(narrowCount.Set(1)).Exec(ctx, db)
			invalid(err)
			_, err = parts.Where(partID.Lt(huge)).OrderBy(partID.Asc()).Page(ctx, db, sealed, "", 1)
			invalid(err)
		}
		ownerkit.RequireRows(t, db, 1, "narrows where count = 1")
		ownerkit.RequireRows(t, db, 1, "narrow_parts")
	})
}
