package owner_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rowkeeper/rowkeeper/owner"
)

// requireIDs fails unless the accounts are those with these ids, in this order.
func requireIDs(t testing.TB, want []int64, accounts []Account, msg ...any) {
	t.Helper()
	require.Equal(t, want, ids(accounts), msg...)
}

func ids(accounts []Account) []int64 {
	ids := []int64{}
	for _, a := range accounts {
		ids = append(ids, a.ID)
	}
	return ids
}

func orderIDs(orders []Order) []int64 {
	ids := []int64{}
	for _, o := range orders {
		ids = append(ids, o.ID)
	}
	return ids
}

// requireRefused fails unless a call returns an error of the package with that text,
// and sends nothing.
func requireRefused(t testing.TB, call func(db owner.DB) error, text string) {
	t.Helper()
	var db recorder
	err := call(&db)
	require.ErrorContains(t, err, text)
	require.Regexp(t, "^owner: ", err.Error())
	require.Empty(t, db.Sent, "a statement was sent")
}

// requireNotFound fails unless the error is that the owner has no such row.
func requireNotFound(t testing.TB, err error, msg ...any) {
	t.Helper()
	require.ErrorIs(t, err, owner.ErrNotFound, msg...)
}
