package owner_test

import (
	"context"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/rowkeeper/rowkeeper/internal/devdb/dbtest"
	"github.com/rowkeeper/rowkeeper/owner"
	"github.com/rowkeeper/rowkeeper/owner/internal/ownerkit"
)

func TestWrongLockOptions(t *testing.T) {
	t.Parallel()
	in := Orders.In(me)
	for _, q := range []owner.Select[Order, UserID]{
		in.ForUpdate(0), in.ForUpdate(owner.NoWait, owner.SkipLocked), in.ForShare(owner.NoWait + 1),
	} {
		db := &txRecorder{}
		_, err := q.All(t.Context(), db)
		require.ErrorContains(t, err, "a lock takes one of SkipLocked and NoWait")
		require.Empty(t, db.SQL)
	}
}

func TestLocks(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *dbtest.DB) {
		ownerkit.CreateShop(t, db)
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
		defer cancel()
		in := Orders.In(me).OrderBy(OrderID.Asc())
		ownerkit.InRolledBackTx(t, db, func(first pgx.Tx) {
			// By a write, because CockroachDB may forget the lock of a read.
			require.NoError(t, Orders.In(me).Update(1).Set(OrderTotal.Add(1)).Exec(ctx, first))
			ownerkit.InRolledBackTx(t, db, func(tx pgx.Tx) {
				_, err := Orders.In(me).ForUpdate(owner.NoWait).Get(ctx, tx, 1)
				require.ErrorContains(t, err, "55P03")
			})
			if db.Cockroach() {
				return // no SKIP LOCKED before v22.2, and FOR SHARE locks nothing
			}
			ownerkit.InRolledBackTx(t, db, func(tx pgx.Tx) {
				rows, err := in.ForShare(owner.SkipLocked).All(ctx, tx)
				require.NoError(t, err)
				require.Len(t, rows, 1)
				require.EqualValues(t, 2, rows[0].ID)
			})
		})
	})
}
