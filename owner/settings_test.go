package owner_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rowkeeper/rowkeeper/owner"
	"github.com/rowkeeper/rowkeeper/owner/internal/ownerkit"
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
	_, err = ownerkit.Scope(shortOwner("a\x00b")).Settings()
	require.ErrorContains(t, err, "owner: Settings: an owner of type owner_test.shortOwner cannot be written as text")
	got := mustSettings(t, ownerkit.Scope(owner.Member[shopID, UserID]{Tenant: 1, User: 2}))
	require.Equal(t, []setting{{"rowkeeper.owner_test_shopid", "1"}, {"rowkeeper.owner_test_userid_of_owner_test_shopid", "2"}}, got)
	got = mustSettings(t, ownerkit.Scope(owner.Member[int64, int64]{Tenant: 1, User: 2}))
	require.NotEqual(t, got[0].name, got[1].name)
	got = mustSettings(t, ownerkit.Scope(namedOwner(7)))
	require.Equal(t, []setting{{"rowkeeper.shop__user_id_", "7"}}, got)
	got = mustSettings(t, ownerkit.Scope(owner.Member[namedOwner, UserID]{Tenant: 1, User: 2}))
	require.Equal(t, []setting{{"rowkeeper.shop__user_id_", "1"}, {"rowkeeper.owner_test_userid_of_shop__user_id_", "2"}}, got)
	type aTypeWithANameThatIsLongerThanAnyNameOfTheServersCanBeWithoutBeingCut uint8
	got = mustSettings(t, ownerkit.Scope(aTypeWithANameThatIsLongerThanAnyNameOfTheServersCanBeWithoutBeingCut(7)))
	require.Regexp(t, `^rowkeeper\.owner_test_atypewithaname.{18,33}_[0-9a-f]{16}$`, got[0].name)
	require.LessOrEqual(t, len(got[0].name), len("rowkeeper.")+63)
	require.Equal(t, "7", got[0].value)
}

type setting struct{ name, value string }

// mustSettings returns the settings of a scope.
func mustSettings[O comparable](t *testing.T, s owner.Scope[O]) []setting {
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
