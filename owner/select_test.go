package owner_test

import (
	"errors"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/stretchr/testify/require"

	"github.com/rowkeeper/rowkeeper/errs/kind"
	"github.com/rowkeeper/rowkeeper/internal/devdb/dbtest"
	"github.com/rowkeeper/rowkeeper/owner"
	"github.com/rowkeeper/rowkeeper/owner/internal/ownerkit"
)

// escapes are conditions that would reach rows of others if they were not ANDed to
// the owner in parentheses.
func escapes() map[string]owner.Condition[Account] {
	return map[string]owner.Condition[Account]{
		"true":          owner.And[Account](),
		"not false":     owner.Not(owner.Or[Account]()),
		"or true":       owner.Or(Name.Eq("nothing"), owner.And[Account]()),
		"or the other":  owner.Or(owner.Not(Owner.Eq(alice)), Owner.Eq(alice)),
		"not both":      owner.Not(owner.And(Owner.Eq(alice), Name.Eq("nothing"))),
		"the keys":      ID.In(1, 2, 3, 4),
		"all the names": Name.Contains(""),
		"sql text":      owner.Or(Name.Ne("x' or true --"), Name.Eq(`x") or (true`)),
	}
}

func TestReadingStaysWithTheOwner(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *dbtest.DB) {
		ownerkit.CreateAccounts(t, db)
		ctx := t.Context()
		in := Accounts.In(me)

		all, err := in.All(ctx, db)
		require.NoError(t, err)
		require.ElementsMatch(t, []int64{1, 2}, ids(all))

		ownerkit.RequireCount(t, db, 2, in.Count)

		for name, condition := range escapes() {
			q := in.Where(condition).OrderBy(ID.Asc())
			all, err := q.All(ctx, db)
			require.NoError(t, err, name)
			requireIDs(t, []int64{1, 2}, all, name)
			all, err = q.Limit(10).All(ctx, db)
			require.NoError(t, err, name)
			requireIDs(t, []int64{1, 2}, all, name)
			ownerkit.RequireCount(t, db, 2, q.Count, name)
			_, err = q.Get(ctx, db, 3)
			requireNotFound(t, err, name)
			_, err = q.Limit(1).Where(ID.Gt(2)).One(ctx, db)
			requireNotFound(t, err, name)
		}

		for name, condition := range map[string]owner.Condition[Account]{
			"the other":      Owner.Eq(bob),
			"not me":         Owner.Ne(alice),
			"not me, either": owner.Not(Owner.In(alice)),
			"the other's":    ID.In(3, 4),
			"or the other's": owner.Or(ID.Eq(3), owner.And(Name.Eq("savings"), Owner.Eq(bob))),
		} {
			all, err := in.Where(condition).All(ctx, db)
			require.NoError(t, err, name)
			require.Empty(t, all, name)
			require.NotNil(t, all, name)
			ownerkit.RequireCount(t, db, 0, in.Where(condition).Count, name)
			ownerkit.RequireExists(t, db, false, in.Where(condition).Exists, name)
			_, err = in.Where(condition).One(ctx, db)
			requireNotFound(t, err, name)
		}

		ownerkit.RequireExists(t, db, true, in.Where(Name.Eq("savings")).Exists)
		one, err := in.Where(Name.Eq("savings")).One(ctx, db)
		require.NoError(t, err)
		require.EqualValues(t, 1, one.ID)

		nobody := Accounts.In(ownerkit.Scope(UserID(44)))
		ownerkit.RequireExists(t, db, false, nobody.Exists)
	})
}

func TestGet(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *dbtest.DB) {
		ownerkit.CreateAccounts(t, db)
		ctx := t.Context()
		in := Accounts.In(me)

		a, err := in.Get(ctx, db, 1)
		require.NoError(t, err)
		require.Equal(t, "pig", *a.Nick)
		require.WithinDuration(t, time.Now(), a.Created, time.Hour)
		require.Equal(t, Account{ID: 1, UserID: alice, Name: "savings", Nick: a.Nick, Balance: 100, Created: a.Created}, a)

		a, err = in.Get(ctx, db, uint8(2))
		require.NoError(t, err)
		require.Nil(t, a.Nick)

		// A foreign row and a missing one cannot be told apart.
		a, foreign := in.Get(ctx, db, 3)
		requireNotFound(t, foreign)
		require.Zero(t, a)
		_, missing := in.Get(ctx, db, 999)
		require.Equal(t, missing, foreign)
		require.EqualError(t, missing, "owner: not found in accounts")

		_, err = in.Where(Name.Eq("checking")).Get(ctx, db, 1)
		requireNotFound(t, err)
	})
}

func TestKindsOfErrors(t *testing.T) {
	t.Parallel()
	for err, want := range map[error]kind.Kind{
		owner.ErrNotFound:   kind.NotFound,
		owner.ErrUnscoped:   kind.Internal,
		owner.ErrOtherOwner: kind.Forbidden,
		owner.ErrTooMany:    kind.Internal,
	} {
		var k interface{ Kind() kind.Kind }
		require.ErrorAs(t, errors.Join(errors.New("x"), err), &k)
		require.Equal(t, want, k.Kind())
		require.Regexp(t, "^owner: ", err.Error())
	}
}

func TestAllNeverCutsSilently(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *dbtest.DB) {
		ownerkit.CreateAccounts(t, db)
		ctx := t.Context()
		ownerkit.MustExec(t, db, `insert into accounts (user_id, name) select 42, 'n' from generate_series(1, 998)`)
		in := Accounts.In(me)

		all, err := in.All(ctx, db)
		require.NoError(t, err)
		require.Len(t, all, owner.MaxRows)

		require.NoError(t, in.Insert(ctx, db, &Account{Name: "one more"}))
		all, err = in.All(ctx, db)
		require.ErrorIs(t, err, owner.ErrTooMany)
		require.EqualError(t, err, "owner: too many rows: accounts has more than 1000 for this call")
		require.Nil(t, all)

		all, err = in.Limit(1001).All(ctx, db)
		require.NoError(t, err)
		require.Len(t, all, 1001)
		all, err = in.OrderBy(ID.Asc()).Limit(1).All(ctx, db)
		require.NoError(t, err)
		requireIDs(t, []int64{1}, all)
	})
}

func TestOne(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *dbtest.DB) {
		ownerkit.CreateAccounts(t, db)
		ctx := t.Context()
		in := Accounts.In(me)

		_, err := in.One(ctx, db)
		require.ErrorIs(t, err, owner.ErrTooMany)
		_, err = in.Limit(2).One(ctx, db)
		require.ErrorIs(t, err, owner.ErrTooMany)
		_, err = in.Where(Name.Eq("nothing")).One(ctx, db)
		requireNotFound(t, err)
		a, err := in.OrderBy(ID.Desc()).Limit(1).One(ctx, db)
		require.NoError(t, err)
		require.EqualValues(t, 2, a.ID)
	})
}

func TestSelectMisuse(t *testing.T) {
	t.Parallel()
	in := Accounts.In(me)
	for _, n := range []int{0, -1} {
		requireRefused(t, func(db owner.DB) error { _, err := in.Limit(n).All(t.Context(), db); return err }, "the least is 1")
		requireRefused(t, func(db owner.DB) error { _, err := in.Limit(n).One(t.Context(), db); return err }, "the least is 1")
		requireRefused(t, func(db owner.DB) error { _, err := in.Limit(n).Get(t.Context(), db, 1); return err }, "the least is 1")
		requireRefused(t, func(db owner.DB) error { _, err := in.Limit(n).Exists(t.Context(), db); return err }, "the least is 1")
	}
	requireRefused(t, func(db owner.DB) error { _, err := in.Limit(5).Count(t.Context(), db); return err }, "leave out the Limit")

	const needsTx = "table accounts: ForUpdate needs a transaction, not a *ownerkit.Recorder"
	requireRefused(t, func(db owner.DB) error { _, err := in.ForUpdate().All(t.Context(), db); return err }, needsTx)
	requireRefused(t, func(db owner.DB) error { _, err := in.ForUpdate().One(t.Context(), db); return err }, needsTx)
	requireRefused(t, func(db owner.DB) error { _, err := in.ForUpdate().Get(t.Context(), db, 1); return err }, needsTx)

	var tx txRecorder
	_, err := in.ForUpdate().Count(t.Context(), &tx)
	require.ErrorContains(t, err, "ForUpdate locks the rows that are returned")
	_, err = in.ForUpdate().Exists(t.Context(), &tx)
	require.ErrorContains(t, err, "ForUpdate locks the rows that are returned")
	require.Empty(t, tx.SQL)
}

func TestForUpdateLocksOnlyTheOwnersRows(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *dbtest.DB) {
		ownerkit.CreateAccounts(t, db)
		ctx := t.Context()
		_, err := Accounts.In(me).ForUpdate().All(ctx, db)
		require.ErrorContains(t, err, "owner: table accounts: ForUpdate needs a transaction, not a *dbtest.DB")

		ownerkit.InRolledBackTx(t, db, func(tx pgx.Tx) {
			q := Accounts.In(me).Where(owner.Or(ID.Ge(0), Owner.Eq(bob))).ForUpdate()
			all, err := q.All(ctx, tx)
			require.NoError(t, err)
			require.ElementsMatch(t, []int64{1, 2}, ids(all))
			_, err = q.Get(ctx, tx, 3)
			requireNotFound(t, err)

			if db.Cockroach() {
				return // it locks what it scans, even if a condition then leaves it out
			}
			var n int
			err = db.QueryRow(ctx, `select count(*) from (select id from accounts where user_id = 43 for update nowait) as x`).Scan(&n)
			require.NoError(t, err, "the other owner's rows are free")
			require.Equal(t, 2, n)
			err = db.QueryRow(ctx, `select id from accounts where id = 1 for update nowait`).Scan(&n)
			var pgErr *pgconn.PgError
			require.ErrorAs(t, err, &pgErr, "the owner's rows are locked")
			require.Equal(t, "55P03", pgErr.Code)
		})
	})
}

func TestErrorsOfTheDatabaseStayReachable(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *dbtest.DB) {
		for name, call := range statements(Accounts.In(me)) {
			ownerkit.InRolledBackTx(t, db, func(tx pgx.Tx) {
				err := call(t.Context(), tx)
				var pgErr *pgconn.PgError
				require.ErrorAs(t, err, &pgErr, name)
				require.Equal(t, "42P01", pgErr.Code, name)
				require.Regexp(t, "^owner: (select from|insert into|update|delete from) accounts: ", err.Error())
			})
		}
	})
}

// A row that does not fit the struct is an error, not a zero.
func TestNullIntoAPlainField(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *dbtest.DB) {
		ctx := t.Context()
		ownerkit.MustExec(t, db, `create table settings (user_id bigint primary key, theme text)`)
		ownerkit.MustExec(t, db, `insert into settings values (42, null)`)
		_, err := Settings.In(me).Get(ctx, db)
		require.ErrorContains(t, err, "owner: select from settings: can't scan into dest[1] (col: theme)")
		_, err = Settings.In(me).All(ctx, db)
		require.Error(t, err)
	})
}
