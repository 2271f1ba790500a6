package owner_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rowkeeper/rowkeeper/internal/devdb/dbtest"
	"github.com/rowkeeper/rowkeeper/owner"
	"github.com/rowkeeper/rowkeeper/owner/internal/ownerkit"
	"github.com/rowkeeper/rowkeeper/txn"
)

var _ owner.Queue = (*txn.Tx)(nil)

func TestQueueOnTransaction(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *dbtest.DB) {
		ownerkit.CreateShop(t, db)
		ownerkit.CreateAccounts(t, db)
		ctx, in := t.Context(), Orders.In(me)
		run := func(queue func(q owner.Queue) error) error {
			return txn.Run(ctx, db, func(_ context.Context, tx *txn.Tx) error { return queue(tx) })
		}
		mine := int64(10)
		require.NoError(t, run(func(q owner.Queue) error {
			account := Account{Name: "queued"}
			require.NoError(t, Accounts.In(me).QueueInsert(q, &account))
			account.Name = "changed after it was queued"
			require.NoError(t, in.QueueInsert(q, &Order{Number: 80, Country: "at", Coupon: &mine}))
			require.NoError(t, Lines.In(me).QueueInsert(q, &Line{OrderID: 1, N: 8}))
			require.NoError(t, in.Update(1).At(1).Set(OrderTitle.Set("queued"), OrderCoupon.Set(&mine)).Queue(q))
			require.NoError(t, Lines.In(me).Update(1, 1).Set(LineText.Set("queued")).Queue(q))
			return in.Delete(2).Queue(q)
		}))
		ownerkit.RequireExists(t, db, true, Accounts.In(me).Where(Name.Eq("queued")).Exists)
		orders, err := in.OrderBy(OrderNumber.Asc()).All(ctx, db)
		require.NoError(t, err)
		require.Len(t, orders, 2)
		require.Equal(t, "queued", orders[0].Title)
		require.EqualValues(t, 2, orders[0].Version)
		require.EqualValues(t, 80, orders[1].Number)
		ownerkit.RequireCount(t, db, 2, Lines.In(me).Where(owner.Or(LineN.Eq(8), LineText.Eq("queued"))).Count)

		for name, queue := range map[string]func(q owner.Queue) error{
			"insert, reference": func(q owner.Queue) error {
				return in.QueueInsert(q, &Order{Number: 81, Country: "at", Coupon: &bobCoupon})
			},
			"insert, parent":     func(q owner.Queue) error { return Lines.In(me).QueueInsert(q, &Line{OrderID: bobOrder, N: 9}) },
			"update, foreign":    func(q owner.Queue) error { return in.Update(bobOrder).Set(OrderTitle.Set("x")).Queue(q) },
			"update, missing":    func(q owner.Queue) error { return in.Update(999).Set(OrderTitle.Set("x")).Queue(q) },
			"update, stale":      func(q owner.Queue) error { return in.Update(1).At(1).Set(OrderTitle.Set("x")).Queue(q) },
			"update, reference":  func(q owner.Queue) error { return in.Update(1).Set(OrderCoupon.Set(&bobCoupon)).Queue(q) },
			"update, other line": func(q owner.Queue) error { return Lines.In(me).Update(bobOrder, 1).Set(LineText.Set("x")).Queue(q) },
			"delete, foreign":    func(q owner.Queue) error { return in.Delete(bobOrder).Queue(q) },
			"delete, missing":    func(q owner.Queue) error { return in.Delete(999).Queue(q) },
		} {
			err := run(func(q owner.Queue) error {
				require.NoError(t, Accounts.In(me).QueueInsert(q, &Account{Name: "rolled back"}))
				return queue(q)
			})
			var unexpected *txn.UnexpectedRowsError
			require.ErrorAs(t, err, &unexpected, name)
			require.EqualValues(t, 0, unexpected.Got, name)
			ownerkit.RequireExists(t, db, false, Accounts.In(me).Where(Name.Eq("rolled back")).Exists, name)
		}
		ownerkit.RequireBobsShopUnchanged(t, db)
		ownerkit.RequireBobsAccountsUnchanged(t, db)
	})
}

// queue sends queued statements at once.
type queue struct {
	t  *testing.T
	db owner.DB
	n  []int64 // rows affected, -1 for those of Queue
}

func (q *queue) Queue(sql string, args ...any) {
	_, err := q.db.Exec(q.t.Context(), sql, args...)
	require.NoError(q.t, err)
	q.n = append(q.n, -1)
}

func (q *queue) QueueExpect(rows int64, sql string, args ...any) {
	tag, err := q.db.Exec(q.t.Context(), sql, args...)
	require.NoError(q.t, err)
	require.EqualValues(q.t, 1, rows)
	q.n = append(q.n, tag.RowsAffected())
}

func TestQueue(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *dbtest.DB) {
		ownerkit.CreateShop(t, db)
		ownerkit.CreateAccounts(t, db)
		q, in := &queue{t: t, db: db}, Orders.In(me)
		require.NoError(t, Accounts.In(me).QueueInsert(q, &Account{Name: "queued"}))
		require.NoError(t, in.QueueInsert(q, &Order{Number: 80, Country: "at"}))
		require.NoError(t, in.QueueInsert(q, &Order{Number: 81, Country: "at", Coupon: &bobCoupon}))
		require.NoError(t, in.Update(1).Set(OrderTitle.Set("x")).Queue(q))
		require.NoError(t, in.Update(bobOrder).Set(OrderTitle.Set("x")).Queue(q))
		require.NoError(t, in.Update(1).At(1).Set(OrderTitle.Set("x")).Queue(q))
		require.NoError(t, in.Delete(bobOrder).Queue(q))
		require.NoError(t, in.Delete(2).Queue(q))
		require.Equal(t, []int64{-1, 1, 0, 1, 0, 0, 0, 1}, q.n)
		ownerkit.RequireBobsShopUnchanged(t, db)
		ownerkit.RequireBobsAccountsUnchanged(t, db)
	})
	require.ErrorContains(t, Orders.In(me).Delete(1).Queue(nil), "the queue is nil")
	require.ErrorIs(t, Orders.In(owner.Scope[UserID]{}).Delete(1).Queue(&queue{}), owner.ErrUnscoped)
}
