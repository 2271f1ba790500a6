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
	got := settingsOf(t, scope(owner.Member[shopID, UserID]{Tenant: 1, User: 2}))
	require.Equal(t, []setting{{"rowkeeper.owner_test_shopid", "1"}, {"rowkeeper.owner_test_userid_of_owner_test_shopid", "2"}}, got)
	got = settingsOf(t, scope(owner.Member[int64, int64]{Tenant: 1, User: 2}))
	require.NotEqual(t, got[0].name, got[1].name)
	got = settingsOf(t, scope(namedOwner(7)))
	require.Equal(t, []setting{{"rowkeeper.shop__user_id_", "7"}}, got)
	got = settingsOf(t, scope(owner.Member[namedOwner, UserID]{Tenant: 1, User: 2}))
	require.Equal(t, []setting{{"rowkeeper.shop__user_id_", "1"}, {"rowkeeper.owner_test_userid_of_shop__user_id_", "2"}}, got)
	type aTypeWithANameThatIsLongerThanAnyNameOfTheServersCanBeWithoutBeingCut uint8
	got = settingsOf(t, scope(aTypeWithANameThatIsLongerThanAnyNameOfTheServersCanBeWithoutBeingCut(7)))
	require.Regexp(t, `^rowkeeper\.owner_test_atypewithaname.{18,33}_[0-9a-f]{16}$`, got[0].name)
	require.LessOrEqual(t, len(got[0].name), len("rowkeeper.")+63)
	require.Equal(t, "7", got[0].value)
}

type setting struct{ name, value string }

func settingsOf[O comparable](t *testing.T, s owner.Scope[O]) []setting {
	t.Helper()
	settings, err := s.Settings()
	require.NoError(t, err)
	var out []setting
	for name, value := range settings {
		out = append(out, setting{name, value})
	}
	for name := range settings { // stops when it is told to
		require.Equal(t, out[0].name, name)
		break
	}
	return out
}
