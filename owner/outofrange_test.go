package owner_test

import (
	"errors"
	"testing"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/stretchr/testify/require"

	"github.com/rowkeeper/rowkeeper/errs"
	"github.com/rowkeeper/rowkeeper/internal/devdb/dbtest"
	"github.com/rowkeeper/rowkeeper/owner"
	"github.com/rowkeeper/rowkeeper/owner/internal/ownerkit"
)

type small struct {
	ID      int64   `db:"id" owner:"pk"`
	User    UserID  `db:"user_id" owner:"owner"`
	N2      int64   `db:"n2"`
	N4      int64   `db:"n4"`
	List    []int64 `db:"list"`
	Version int64   `db:"version" owner:"version"`
}

var (
	smalls   = owner.MustTable[small, UserID]("smalls")
	smallN2  = owner.Column(smalls, func(s *small) *int64 { return &s.N2 })
	smallN4  = owner.Column(smalls, func(s *small) *int64 { return &s.N4 })
	smallAll = owner.Column(smalls, func(s *small) *[]int64 { return &s.List })
)

const huge = int64(9999999999)

// A number from a client that is too large for the column is not a fault of the
// service.
func TestNumbersOutOfRange(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *dbtest.DB) {
		ctx := t.Context()
		ownerkit.MustExec(t, db, `create table smalls (id int4 primary key, user_id int8 not null, n2 int2 not null, n4 int4 not null, list int4[], version int4 not null);
			insert into smalls values (1, 42, 1, 1, '{1}', 1)`)
		in := smalls.In(me)

		for _, key := range []int64{huge, -huge} {
			_, err := in.Get(ctx, db, key)
			requireNotFound(t, err)
			_, err = in.Where(smallN4.Eq(1)).Get(ctx, db, key)
			requireNotFound(t, err)
			requireNotFound(t, in.Update(key).Set(smallN4.Set(2)).Exec(ctx, db))
			_, err = in.Update(key).At(1).Set(smallN4.Set(2)).Returning(ctx, db)
			requireNotFound(t, err)
			requireNotFound(t, in.Delete(key).Exec(ctx, db))
			requireNotFound(t, in.Delete(key).At(1).Exec(ctx, db))
			requireNotFound(t, in.TransferTo(ctx, db, other, key))
		}

		invalid := func(err error) {
			t.Helper()
			require.Error(t, err)
			require.NotErrorIs(t, err, owner.ErrNotFound)
			var pe *pgconn.PgError
			if errors.As(err, &pe) {
				require.Equal(t, "22003", pe.Code, "%v", err)
			}
			var e *errs.Error
			require.ErrorAs(t, new(errs.Catalog).Translate(err), &e)
			require.Equal(t, errs.Invalid, e.Kind(), "%v", err)
			require.Equal(t, "out_of_range", e.Code(), "%v", err)
		}
		invalid(in.Update(1).Set(smallN4.Set(huge)).Exec(ctx, db))
		invalid(in.Update(1).Set(smallN2.Set(70000)).Exec(ctx, db))
		invalid(in.Update(1).Set(smallAll.Set([]int64{1, huge})).Exec(ctx, db))
		invalid(in.Insert(ctx, db, &small{ID: 2, N4: huge}))
		invalid(in.Insert(ctx, db, &small{ID: huge}))
		invalid(in.InsertMany(ctx, db, []small{{ID: 2}, {ID: 3, N2: -70000}}))
		_, err := in.UpdateWhere(owner.And[small]()).Set(smallN4.Set(-huge)).Exec(ctx, db)
		invalid(err)
		if !db.Cockroach() { // which compares with any number
			_, err = in.Where(smallN4.Eq(huge)).Count(ctx, db)
			invalid(err)
			_, err = in.Where(smallN4.In(1, huge)).All(ctx, db)
			invalid(err)
		}
		got, err := in.Get(ctx, db, 1)
		require.NoError(t, err)
		require.Equal(t, small{1, alice, 1, 1, []int64{1}, 1}, got)
	})
}
