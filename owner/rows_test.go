package owner_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rowkeeper/rowkeeper/internal/devdb/dbtest"
	"github.com/rowkeeper/rowkeeper/owner"
	"github.com/rowkeeper/rowkeeper/owner/internal/ownerkit"
)

func TestRows(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *dbtest.DB) {
		ownerkit.CreateShop(t, db)
		var got []int64
		for o, err := range Orders.In(me).OrderBy(OrderID.Asc()).Rows(t.Context(), db) {
			require.NoError(t, err)
			got = append(got, o.ID)
		}
		require.Equal(t, []int64{1, 2}, got)
		for range Orders.In(me).Rows(t.Context(), db) {
			break // gives the connection back, which dbtest checks
		}
		for _, err := range Orders.In(owner.Scope[UserID]{}).Rows(t.Context(), db) {
			require.ErrorIs(t, err, owner.ErrUnscoped)
		}
	})
}
