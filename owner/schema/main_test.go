package schema_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rowkeeper/rowkeeper/internal/devdb/dbtest"
	"github.com/rowkeeper/rowkeeper/owner"
	"github.com/rowkeeper/rowkeeper/owner/internal/ownerkit"
)

func TestMain(m *testing.M) { dbtest.Main(m) }

type (
	UserID int64

	account struct {
		ID     int64  `db:"id" owner:"pk"`
		UserID UserID `db:"user_id" owner:"owner"`
		Name   string `db:"name"`
	}
)

var (
	accounts = owner.MustTable[account, UserID]("accounts")

	me    = ownerkit.Scope(UserID(ownerkit.Alice))
	other = ownerkit.Scope(UserID(ownerkit.Bob))
)

// refused checks that a call returned an error of the package with that text, and
// that nothing was sent.
func refused(t *testing.T, call func(db owner.DB) error, text string) {
	t.Helper()
	var db ownerkit.Recorder
	err := call(&db)
	require.ErrorContains(t, err, text)
	require.Regexp(t, "^owner/schema: ", err.Error())
	require.Empty(t, db.SQL, "a statement was sent")
}
