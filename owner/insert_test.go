package owner_test

import (
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/stretchr/testify/require"

	"github.com/rowkeeper/rowkeeper/internal/devdb/dbtest"
	"github.com/rowkeeper/rowkeeper/owner"
	"github.com/rowkeeper/rowkeeper/owner/internal/ownerkit"
)

func TestInsert(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *dbtest.DB) {
		ownerkit.CreateAccounts(t, db)
		ctx := t.Context()
		in := Accounts.In(me)

		a := Account{Name: "new", Cached: 7, note: "kept"}
		require.NoError(t, in.Insert(ctx, db, &a))
		require.Equal(t, alice, a.UserID, "set by us")
		require.NotZero(t, a.ID, "by the database")
		require.WithinDuration(t, time.Now(), a.Created, time.Hour, "by the database")
		require.Equal(t, 7, a.Cached)
		require.Equal(t, "kept", a.note)
		got, err := in.Get(ctx, db, a.ID)
		require.NoError(t, err)
		require.True(t, got.Created.Equal(a.Created))
		got.Created, got.Cached, got.note = a.Created, 7, "kept"
		require.Equal(t, a, got)

		year := time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)
		b := Account{ID: 77, UserID: alice, Name: "own key", Created: year}
		require.NoError(t, in.Insert(ctx, db, &b))
		require.EqualValues(t, 77, b.ID)
		require.True(t, b.Created.Equal(year), "not the default")

		_, err = Accounts.In(other).Get(ctx, db, 77)
		requireNotFound(t, err)
		ownerkit.RequireBobsAccountsUnchanged(t, db)
	})
}

func TestInsertRefusesAnotherOwner(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *dbtest.DB) {
		ownerkit.CreateAccounts(t, db)
		row := Account{UserID: bob, Name: "gift"}
		before := row
		requireRefused(t, func(rec owner.DB) error {
			err := Accounts.In(me).Insert(t.Context(), rec, &row)
			require.ErrorIs(t, err, owner.ErrOtherOwner)
			return err
		}, "owner: the row names another owner (table accounts)")
		require.ErrorIs(t, Accounts.In(me).Insert(t.Context(), db, &row), owner.ErrOtherOwner)
		require.Equal(t, before, row)
		ownerkit.RequireCount(t, db, 2, Accounts.In(other).Count)
		ownerkit.RequireBobsAccountsUnchanged(t, db)
	})
}

func TestInsertOverARowOfAnotherOwner(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *dbtest.DB) {
		ownerkit.CreateAccounts(t, db)
		row := Account{ID: 3, Name: "mine"}
		before := row
		err := Accounts.In(me).Insert(t.Context(), db, &row)
		var pgErr *pgconn.PgError
		require.ErrorAs(t, err, &pgErr)
		require.Equal(t, "23505", pgErr.Code)
		require.Equal(t, before, row)
		ownerkit.RequireBobsAccountsUnchanged(t, db)
	})
}

func TestInsertNil(t *testing.T) {
	t.Parallel()
	requireRefused(t, func(db owner.DB) error { return Accounts.In(me).Insert(t.Context(), db, nil) },
		"owner: table accounts: the row to insert is nil")
}

// A constraint that is checked at the end of the transaction fails after the row was
// returned.
func TestInsertLeavesTheRowAsItWas(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *dbtest.DB) {
		if db.Cockroach() {
			t.Skip("CockroachDB has no deferred constraints")
		}
		ctx := t.Context()
		ownerkit.MustExec(t, db, accountsDDL+`; alter table accounts add unique (name) deferrable initially deferred`)
		in := Accounts.In(me)
		require.NoError(t, in.Insert(ctx, db, &Account{Name: "taken"}))
		row := Account{Name: "taken", Cached: 1}
		before := row
		require.Error(t, in.Insert(ctx, db, &row))
		require.Equal(t, before, row)
	})
}

func TestInsertThatATriggerSuppresses(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *dbtest.DB) {
		if db.Cockroach() {
			t.Skip("CockroachDB has had triggers only since v24.3")
		}
		ctx := t.Context()
		ownerkit.MustExec(t, db, accountsDDL+`;
			create function nothing() returns trigger language plpgsql as 'begin return null; end';
			create trigger nothing before insert on accounts for each row execute function nothing()`)
		row := Account{Name: "x"}
		before := row
		err := Accounts.In(me).Insert(ctx, db, &row)
		require.ErrorContains(t, err, "owner: insert into accounts: the database stored no row")
		require.Equal(t, before, row)
	})
}

// The fields of an embedded struct are columns like R's own, even if its type is not
// exported.
func TestEmbeddedColumns(t *testing.T) {
	type base struct {
		ID     int64  `db:"id" owner:"pk"`
		UserID UserID `db:"user_id" owner:"owner"`
	}
	type named struct {
		base
		Name string `db:"name"`
		Nick string `db:"-"`
	}
	type row struct {
		named
		Balance int64 `db:"balance"`
	}
	rows := owner.MustTable[row, UserID]("accounts")
	id := owner.Column(rows, func(r *row) *int64 { return &r.ID })
	name := owner.Column(rows, func(r *row) *string { return &r.Name })

	dbtest.Each(t, func(t *testing.T, db *dbtest.DB) {
		ownerkit.CreateAccounts(t, db)
		ctx := t.Context()
		r := row{Balance: 7}
		r.Name, r.Nick = "new", "kept"
		require.NoError(t, rows.In(me).Insert(ctx, db, &r))
		require.NotZero(t, r.ID)
		require.Equal(t, alice, r.UserID)
		require.Equal(t, "kept", r.Nick)
		got, err := rows.In(me).Where(name.Eq("new"), id.Gt(0)).One(ctx, db)
		require.NoError(t, err)
		r.Nick = ""
		require.Equal(t, r, got)
	})
}
