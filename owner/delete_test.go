package owner_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rowkeeper/rowkeeper/internal/devdb/dbtest"
	"github.com/rowkeeper/rowkeeper/owner/internal/ownerkit"
)

func TestDelete(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *dbtest.DB) {
		ownerkit.CreateAccounts(t, db)
		ctx := t.Context()
		in := Accounts.In(me)

		foreign := in.Delete(3).Exec(ctx, db)
		requireNotFound(t, foreign)
		missing := in.Delete(999).Exec(ctx, db)
		require.Equal(t, missing, foreign)
		ownerkit.RequireBobsAccountsUnchanged(t, db)

		require.NoError(t, in.Delete(1).Exec(ctx, db))
		requireNotFound(t, in.Delete(1).Exec(ctx, db))
		all, err := in.All(ctx, db)
		require.NoError(t, err)
		requireIDs(t, []int64{2}, all)
		ownerkit.RequireBobsAccountsUnchanged(t, db)
	})
}
