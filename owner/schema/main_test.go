package schema_test

import (
	"context"
	"errors"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/stretchr/testify/require"

	"github.com/rowkeeper/rowkeeper/internal/devdb/dbtest"
	"github.com/rowkeeper/rowkeeper/owner"
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

	me    = scope(UserID(42))
	other = scope(UserID(43))
)

func scope[O comparable](o O) owner.Scope[O] {
	s, err := owner.For(o)
	if err != nil {
		panic(err)
	}
	return s
}

// recorder is a database that records the last statement and runs none.
type recorder struct{ sql string }

func (r *recorder) Query(_ context.Context, sql string, _ ...any) (pgx.Rows, error) {
	r.sql = sql
	return nil, errors.New("recorded")
}

func (r *recorder) Exec(_ context.Context, sql string, _ ...any) (pgconn.CommandTag, error) {
	r.sql = sql
	return pgconn.CommandTag{}, errors.New("recorded")
}

// refused checks that a call returned an error of the package with that text, and
// that nothing was sent.
func refused(t *testing.T, call func(db owner.DB) error, text string) {
	t.Helper()
	var db recorder
	err := call(&db)
	require.ErrorContains(t, err, text)
	require.Regexp(t, "^owner/schema: ", err.Error())
	require.Empty(t, db.sql, "a statement was sent")
}
