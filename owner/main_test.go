package owner_test

import (
	"testing"
	"time"

	"github.com/rowkeeper/rowkeeper/internal/devdb/dbtest"
	"github.com/rowkeeper/rowkeeper/owner"
	"github.com/rowkeeper/rowkeeper/owner/internal/ownerkit"
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

const accountsDDL = ownerkit.AccountsDDL // without rows, for tests and examples that have their own

const (
	alice UserID = ownerkit.Alice
	bob   UserID = ownerkit.Bob
)

var (
	me    = ownerkit.Scope(alice)
	other = ownerkit.Scope(bob)

	sealed = ownerkit.Cursors()
)

type (
	recorder   = ownerkit.Recorder
	txRecorder = ownerkit.TxRecorder
)

var errRecorded = ownerkit.ErrRecorded
