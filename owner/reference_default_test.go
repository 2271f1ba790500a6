package owner_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rowkeeper/rowkeeper/internal/devdb/dbtest"
	"github.com/rowkeeper/rowkeeper/owner"
	"github.com/rowkeeper/rowkeeper/owner/internal/ownerkit"
)

func TestADefaultCannotRefer(t *testing.T) {
	t.Parallel()
	type voucher struct {
		ID     int64  `db:"id" owner:"pk"`
		UserID UserID `db:"user_id" owner:"owner"`
		Coupon *int64 `db:"coupon_id" owner:"default"`
	}
	err := owner.TableError[voucher, UserID]("vouchers", owner.References(Coupons, func(v *voucher) any { return &v.Coupon }))
	require.ErrorContains(t, err, "column vouchers.coupon_id: it is tagged default, but what the database fills in "+
		"is not checked to be the owner's; remove the word, and set the column")
}

// The inserted key is the checked one, even if a foreign key is zero and the database
// could fill it in.
func TestAKeyThatRefersIsNotLeftToTheDatabase(t *testing.T) {
	type voucher struct {
		Coupon int64  `db:"coupon_id" owner:"pk"`
		UserID UserID `db:"user_id" owner:"owner"`
	}
	vouchers := owner.MustTable[voucher, UserID]("vouchers", owner.References(Coupons, func(v *voucher) any { return &v.Coupon }))
	coupon := owner.Column(vouchers, func(v *voucher) *int64 { return &v.Coupon })
	dbtest.Each(t, func(t *testing.T, db *dbtest.DB) {
		ownerkit.CreateShop(t, db)
		ctx, in := t.Context(), vouchers.In(me)
		ownerkit.MustExec(t, db, `create table vouchers (coupon_id int8 default 12 primary key, user_id int8 not null)`)
		require.ErrorIs(t, in.Insert(ctx, db, &voucher{}), owner.ErrReference)
		require.ErrorIs(t, in.InsertMany(ctx, db, []voucher{{}, {Coupon: 10}}), owner.ErrReference)
		ownerkit.MustExec(t, db, `insert into coupons values (0, 42, 'zero')`)
		v := voucher{}
		require.NoError(t, in.Insert(ctx, db, &v))
		require.Zero(t, v.Coupon, "and not the stranger's")
		ownerkit.MustExec(t, db, `delete from vouchers`)
		require.NoError(t, in.InsertMany(ctx, db, []voucher{{}, {Coupon: 10}}))
		ownerkit.RequireCount(t, db, 0, in.Where(coupon.Eq(12)).Count)
	})
}
