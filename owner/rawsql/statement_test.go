package rawsql_test

import (
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	"github.com/rowkeeper/rowkeeper/internal/devdb/dbtest"
	"github.com/rowkeeper/rowkeeper/owner"
	"github.com/rowkeeper/rowkeeper/owner/internal/ownerkit"
	"github.com/rowkeeper/rowkeeper/owner/rawsql"
)

var (
	raise  = rawsql.MustStatement[UserID](`update accounts set balance = balance + @by where name = @name and user_id = @owner`)
	named  = rawsql.MustStatement[UserID](`select id from accounts where user_id = @owner and name like @like order by id`)
	broken = rawsql.MustStatement[UserID](`select id from nothing where user_id = @owner`)
	redo   = rawsql.MustStatement[Staff](`update drafts set text = @text where user_id = @owner and tenant_id = @tenant`)
)

func TestStatement(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *dbtest.DB) {
		ctx := t.Context()
		ownerkit.MustExec(t, db, ddl)
		n, err := raise.Exec(ctx, db, me, rawsql.Args{"by": 5, "name": "savings"})
		require.NoError(t, err)
		require.EqualValues(t, 1, n)
		var balance int64
		require.NoError(t, db.QueryRow(ctx, `select balance from accounts where id = 1`).Scan(&balance))
		require.EqualValues(t, 105, balance)

		rows, err := named.Query(ctx, db, me, rawsql.Args{"like": "%"})
		require.NoError(t, err)
		got, err := pgx.CollectRows(rows, pgx.RowTo[int64])
		require.NoError(t, err)
		require.Equal(t, []int64{1, 2}, got)

		n, err = redo.Exec(ctx, db, staff, rawsql.Args{"text": "z"})
		require.NoError(t, err)
		require.EqualValues(t, 1, n)

		_, err = broken.Exec(ctx, db, me, nil)
		var pgErr *pgconn.PgError
		require.ErrorAs(t, err, &pgErr)
		require.Equal(t, "42P01", pgErr.Code)
		require.Regexp(t, `^rawsql: statement "select id from nothing where user_id": `, err.Error())
		rows, err = broken.Query(ctx, db, me, nil)
		if err == nil { // the driver may report it with the rows
			_, err = pgx.CollectRows(rows, pgx.RowTo[int64])
		}
		require.ErrorAs(t, err, &pgErr)
		requireOthersUnchanged(t, db)
	})
}

// The owner is the first argument, for any order in the text.
func TestStatementText(t *testing.T) {
	t.Parallel()
	var db ownerkit.Recorder
	_, err := raise.Exec(t.Context(), &db, me, rawsql.Args{"by": 5, "name": "x"})
	require.ErrorIs(t, err, ownerkit.ErrRecorded)
	require.Equal(t, `update accounts set balance = balance + $2 where name = $3 and user_id = $1`, db.SQL)
	require.Equal(t, []any{UserID(42), 5, "x"}, db.Args)
	_, err = redo.Query(t.Context(), &db, staff, rawsql.Args{"text": "x"})
	require.ErrorIs(t, err, ownerkit.ErrRecorded)
	require.Equal(t, `update drafts set text = $3 where user_id = $2 and tenant_id = $1`, db.SQL)
	require.Equal(t, []any{TenantID("acme"), UserID(42), "x"}, db.Args)
}

func TestStatementMisuse(t *testing.T) {
	t.Parallel()
	_, err := rawsql.NewStatement[UserID](`delete from accounts`)
	require.EqualError(t, err, `rawsql: statement "delete from accounts": it has no @owner, so it is not kept to anybody's rows`)
	require.PanicsWithError(t, err.Error(), func() { rawsql.MustStatement[UserID](`delete from accounts`) })
	user := func(s rawsql.Statement[UserID], err error) error { return err }
	member := func(s rawsql.Statement[Staff], err error) error { return err }
	for want, err := range map[string]error{
		"has no @owner":                        user(rawsql.NewStatement[UserID](`select '@owner', "@owner" from accounts`)),
		"has no @owner,":                       user(rawsql.NewStatement[UserID](`select 1 where a = @Owner`)),
		"no comments":                          user(rawsql.NewStatement[UserID](`select 1 -- @owner`)),
		"no ;":                                 user(rawsql.NewStatement[UserID](`select @owner; delete from accounts`)),
		"begins with one of":                   user(rawsql.NewStatement[UserID](`drop table accounts`)),
		"and not @tenant":                      user(rawsql.NewStatement[UserID](`select 1 where a = @owner and b = @tenant`)),
		"and not @OWNER":                       user(rawsql.NewStatement[UserID](`select 1 where a = @owner and b = @OWNER`)),
		"has no @tenant":                       member(rawsql.NewStatement[Staff](`select 1 where a = @owner`)),
		"has no @owner, so it is not kept":     member(rawsql.NewStatement[Staff](`select 1 where a = @tenant`)),
		"put a space before the @ of a parame": user(rawsql.NewStatement[UserID](`select 1 where a=@owner`)),
	} {
		require.ErrorContains(t, err, want)
		require.Regexp(t, "^rawsql: ", err.Error())
	}

	ok := rawsql.Args{"by": 1, "name": "x"}
	for name, tc := range map[string]struct {
		statement rawsql.Statement[UserID]
		scope     owner.Scope[UserID]
		args      rawsql.Args
		want      string
	}{
		"zero statement": {rawsql.Statement[UserID]{}, me, nil, "the Statement was not made by MustStatement"},
		"zero scope":     {raise, owner.Scope[UserID]{}, ok, "no owner in scope"},
		"missing":        {raise, me, rawsql.Args{"by": 1}, "no argument for @name"},
		"unknown":        {raise, me, rawsql.Args{"by": 1, "name": "x", "y": 1}, `no parameter for the argument "y"`},
		"owner as well":  {raise, me, rawsql.Args{"by": 1, "name": "x", "owner": 43}, `no parameter for the argument "owner"`},
		"option":         {raise, me, rawsql.Args{"by": 1, "name": pgx.QueryExecModeSimpleProtocol}, "an option of pgx"},
	} {
		var db ownerkit.Recorder
		_, err := tc.statement.Exec(t.Context(), &db, tc.scope, tc.args)
		require.ErrorContains(t, err, tc.want, name)
		require.Regexp(t, "^rawsql: ", err.Error())
		_, err = tc.statement.Query(t.Context(), &db, tc.scope, tc.args)
		require.ErrorContains(t, err, tc.want, name)
		require.Empty(t, db.SQL, name)
	}
	_, err = raise.Exec(t.Context(), &ownerkit.Recorder{}, owner.Scope[UserID]{}, ok)
	require.ErrorIs(t, err, owner.ErrUnscoped)
	for _, db := range []owner.DB{nil, (*pgxpool.Pool)(nil)} {
		_, err = raise.Exec(t.Context(), db, me, ok)
		require.ErrorContains(t, err, "the database is nil")
		_, err = raise.Query(t.Context(), db, me, ok)
		require.ErrorContains(t, err, "the database is nil")
	}
}
