package owner_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/stretchr/testify/require"

	"github.com/rowkeeper/rowkeeper/internal/devdb/dbtest"
	"github.com/rowkeeper/rowkeeper/owner"
)

func TestMain(m *testing.M) { dbtest.Main(m) }

type UserID int64

type Account struct {
	ID      int64     `db:"id" owner:"pk"`
	UserID  UserID    `db:"user_id" owner:"owner"`
	Name    string    `db:"name"`
	Nick    *string   `db:"nick"`
	Balance int64     `db:"balance" owner:"server"`
	Created time.Time `db:"created_at" owner:"default"`

	Cached int `db:"-"`
	note   string
}

var (
	Accounts = owner.MustTable[Account, UserID]("accounts")
	ID       = owner.Column(Accounts, func(a *Account) *int64 { return &a.ID })
	Owner    = owner.Column(Accounts, func(a *Account) *UserID { return &a.UserID })
	Name     = owner.Column(Accounts, func(a *Account) *string { return &a.Name })
	Nick     = owner.Column(Accounts, func(a *Account) **string { return &a.Nick })
	Balance  = owner.Column(Accounts, func(a *Account) *int64 { return &a.Balance })
	Created  = owner.Column(Accounts, func(a *Account) *time.Time { return &a.Created })
)

const accountsDDL = `create sequence ids start 5000; create table accounts (
	id bigint primary key default nextval('ids'),
	user_id bigint not null,
	name text not null,
	nick text,
	balance bigint not null default 0,
	created_at timestamptz not null default now()
)`

const (
	alice UserID = 42
	bob   UserID = 43
)

var (
	me    = scope(alice)
	other = scope(bob)
)

func scope[O comparable](o O) owner.Scope[O] {
	s, err := owner.For(o)
	if err != nil {
		panic(err)
	}
	return s
}

// setup makes two accounts of Alice, 1 and 2, and two of Bob, 3 and 4, with the same
// names.
func setup(t *testing.T, db *dbtest.DB) {
	t.Helper()
	_, err := db.Exec(t.Context(), accountsDDL)
	require.NoError(t, err)
	_, err = db.Exec(t.Context(), `insert into accounts (id, user_id, name, nick, balance) values
		(1, 42, 'savings', 'pig', 100), (2, 42, 'checking', null, 200),
		(3, 43, 'savings', 'pig', 100), (4, 43, 'checking', null, 200)`)
	require.NoError(t, err)
}

// untouched fails if one of Bob's rows has changed or is gone.
func untouched(t *testing.T, db queryRower) {
	t.Helper()
	var n int
	err := db.QueryRow(t.Context(), `select count(*) from accounts where
		(id, user_id, name, balance) in ((3, 43, 'savings', 100), (4, 43, 'checking', 200))`).Scan(&n)
	require.NoError(t, err)
	require.Equal(t, 2, n, "rows of the other owner")
}

// inTx runs f in a transaction that is rolled back.
func inTx(t *testing.T, db *dbtest.DB, f func(tx pgx.Tx)) {
	t.Helper()
	tx, err := db.Begin(t.Context())
	require.NoError(t, err)
	defer func() { require.NoError(t, tx.Rollback(context.Background())) }()
	f(tx)
}

func ids(accounts []Account) []int64 {
	ids := []int64{}
	for _, a := range accounts {
		ids = append(ids, a.ID)
	}
	return ids
}

var errRecorded = errors.New("recorded")

// recorder is a database that records the last statement and runs none.
type recorder struct {
	sql  string
	args []any
}

func (r *recorder) Query(_ context.Context, sql string, args ...any) (pgx.Rows, error) {
	r.sql, r.args = sql, args
	return nil, errRecorded
}

func (r *recorder) Exec(_ context.Context, sql string, args ...any) (pgconn.CommandTag, error) {
	r.sql, r.args = sql, args
	return pgconn.CommandTag{}, errRecorded
}

// recorderTx is a recorder that passes for a transaction.
type recorderTx struct {
	pgx.Tx
	recorder
}

func (r *recorderTx) Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error) {
	return r.recorder.Query(ctx, sql, args...)
}

func (r *recorderTx) Exec(ctx context.Context, sql string, args ...any) (pgconn.CommandTag, error) {
	return r.recorder.Exec(ctx, sql, args...)
}

func run(t *testing.T, db *dbtest.DB, sql string) {
	t.Helper()
	_, err := db.Exec(t.Context(), sql)
	require.NoError(t, err, sql)
}

// refused checks that a call returned an error of the package with that text, and
// that nothing was sent.
func refused(t *testing.T, call func(db owner.DB) error, text string) {
	t.Helper()
	var db recorder
	err := call(&db)
	require.ErrorContains(t, err, text)
	require.Regexp(t, "^owner: ", err.Error())
	require.Empty(t, db.sql, "a statement was sent")
}
