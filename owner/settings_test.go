package owner_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rowkeeper/rowkeeper/owner"
)

type (
	shopID     int64
	shortOwner string
)

// namedOwner keeps its setting when its package is renamed.
type namedOwner int64

func (namedOwner) SettingName() string { return "Shop: user_id'" }

func TestSettings(t *testing.T) {
	t.Parallel()
	_, err := owner.Scope[UserID]{}.Settings()
	require.ErrorIs(t, err, owner.ErrUnscoped)
	_, err = scope(shortOwner("a\x00b")).Settings()
	require.ErrorContains(t, err, "owner: Settings: an owner of type owner_test.shortOwner cannot be written as text")
	got, err := scope(owner.Member[shopID, UserID]{Tenant: 1, User: 2}).Settings()
	require.NoError(t, err)
	require.Equal(t, []owner.Setting{{"rowkeeper.owner_test_shopid", "1"}, {"rowkeeper.owner_test_userid_of_owner_test_shopid", "2"}}, got)
	got, err = scope(owner.Member[int64, int64]{Tenant: 1, User: 2}).Settings()
	require.NoError(t, err)
	require.NotEqual(t, got[0].Name, got[1].Name)
	got, err = scope(namedOwner(7)).Settings()
	require.NoError(t, err)
	require.Equal(t, []owner.Setting{{"rowkeeper.shop__user_id_", "7"}}, got)
	got, err = scope(owner.Member[namedOwner, UserID]{Tenant: 1, User: 2}).Settings()
	require.NoError(t, err)
	require.Equal(t, []owner.Setting{{"rowkeeper.shop__user_id_", "1"}, {"rowkeeper.owner_test_userid_of_shop__user_id_", "2"}}, got)
	type aTypeWithANameThatIsLongerThanAnyNameOfTheServersCanBeWithoutBeingCut uint8
	got, err = scope(aTypeWithANameThatIsLongerThanAnyNameOfTheServersCanBeWithoutBeingCut(7)).Settings()
	require.NoError(t, err)
	require.Regexp(t, `^rowkeeper\.owner_test_atypewithaname.{18,33}_[0-9a-f]{16}$`, got[0].Name)
	require.LessOrEqual(t, len(got[0].Name), len("rowkeeper.")+63)
	require.Equal(t, "7", got[0].Value)
}
