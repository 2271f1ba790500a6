package owner_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rowkeeper/rowkeeper/owner"
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
