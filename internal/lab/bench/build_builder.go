package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/Masterminds/squirrel"
	"github.com/doug-martin/goqu/v9"
	_ "github.com/doug-martin/goqu/v9/dialect/postgres"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/stephenafamo/bob"
	"github.com/stephenafamo/bob/dialect/psql"
	"github.com/stephenafamo/bob/dialect/psql/sm"

	"github.com/rowkeeper/rowkeeper/owner"
)

const (
	buildSchema = `
create table build_accounts (
	id      bigint primary key,
	user_id bigint not null,
	name    text   not null,
	balance bigint not null
);
create index on build_accounts (user_id, id);
insert into build_accounts select n, 42, 'savings', n from generate_series(1, 1000) n`

	oneAccount = `select id, user_id, name, balance from build_accounts where user_id = $1 and id = $2`
)

type buildAccount struct {
	ID      int64  `db:"id" owner:"pk"`
	UserID  int64  `db:"user_id" owner:"owner"`
	Name    string `db:"name"`
	Balance int64  `db:"balance"`
}

var (
	buildAccounts = owner.MustTable[buildAccount, int64]("build_accounts")
	buildID       = owner.Column(buildAccounts, func(a *buildAccount) *int64 { return &a.ID })
	buildName     = owner.Column(buildAccounts, func(a *buildAccount) *string { return &a.Name })
	buildBalance  = owner.Column(buildAccounts, func(a *buildAccount) *int64 { return &a.Balance })

	buildOwner = must(owner.For(int64(42)))
)

const baseRowkeeper = "rowkeeper"

// builders make the same select: that of a user's accounts, with three
// conditions, an order and a limit.
var builders = []builder{
	{baseRowkeeper, "Rowkeeper, with what runs it", func(n int) error {
		_, err := buildAccounts.In(buildOwner).
			Where(buildName.Eq("savings"), buildBalance.Ge(int64(1000+n)), buildID.Ne(5000)).
			OrderBy(buildID.Asc()).Limit(50).All(context.Background(), nowhere{})
		return err
	}},
	{"squirrel", "squirrel", func(n int) error {
		sql, args, err := squirrel.StatementBuilder.PlaceholderFormat(squirrel.Dollar).
			Select("id", "user_id", "name", "balance").From("build_accounts").
			Where(squirrel.Eq{"user_id": int64(42)}).
			Where(squirrel.Eq{"name": "savings"}).Where(squirrel.GtOrEq{"balance": int64(1000 + n)}).Where(squirrel.NotEq{"id": int64(5000)}).
			OrderBy("id").Limit(50).ToSql()
		return built(sql, args, 4, err)
	}},
	{"goqu", "goqu, prepared", func(n int) error {
		sql, args, err := goqu.Dialect("postgres").From("build_accounts").Prepared(true).
			Select("id", "user_id", "name", "balance").
			Where(goqu.C("user_id").Eq(int64(42)), goqu.C("name").Eq("savings"), goqu.C("balance").Gte(int64(1000+n)), goqu.C("id").Neq(int64(5000))).
			Order(goqu.C("id").Asc()).Limit(50).ToSQL()
		return built(sql, args, 5, err) // the limit is one too
	}},
	{"bob", "bob", func(n int) error {
		sql, args, err := bob.Build(context.Background(), psql.Select(
			sm.Columns("id", "user_id", "name", "balance"), sm.From("build_accounts"),
			sm.Where(psql.Quote("user_id").EQ(psql.Arg(int64(42)))),
			sm.Where(psql.Quote("name").EQ(psql.Arg("savings"))),
			sm.Where(psql.Quote("balance").GTE(psql.Arg(int64(1000+n)))),
			sm.Where(psql.Quote("id").NE(psql.Arg(int64(5000)))),
			sm.OrderBy("id"), sm.Limit(50)))
		return built(sql, args, 4, err)
	}},
}

func built(sql string, args []any, n int, err error) error {
	if err == nil && (len(args) != n || sql == "") {
		err = fmt.Errorf("%d arguments, want %d: %s", len(args), n, sql)
	}
	return err
}

// nowhere is a database in which no row is found.
type nowhere struct{}

func (nowhere) Query(_ context.Context, sql string, args ...any) (pgx.Rows, error) {
	return noRows{}, built(sql, args, 5, nil)
}

func (nowhere) Exec(context.Context, string, ...any) (pgconn.CommandTag, error) {
	return pgconn.CommandTag{}, errors.ErrUnsupported
}

type noRows struct{ pgx.Rows }

func (noRows) Close()                        {}
func (noRows) Err() error                    { return nil }
func (noRows) Next() bool                    { return false }
func (noRows) CommandTag() pgconn.CommandTag { return pgconn.CommandTag{} }

// readers read one account by its key.
func readers(ctx context.Context, conn *pgx.Conn) []builder {
	id := func(n int) int64 { return int64(n%1000) + 1 }
	check := func(a buildAccount, n int, err error) error {
		if err == nil && a.ID != id(n) {
			err = fmt.Errorf("account %d, want %d", a.ID, id(n))
		}
		return err
	}
	return []builder{
		{baseRowkeeper, "Rowkeeper, Get", func(n int) error {
			a, err := buildAccounts.In(buildOwner).Get(ctx, conn, id(n))
			return check(a, n, err)
		}},
		{basePgx, "pgx, by hand", func(n int) error {
			var a buildAccount
			err := conn.QueryRow(ctx, oneAccount, int64(42), id(n)).Scan(&a.ID, &a.UserID, &a.Name, &a.Balance)
			return check(a, n, err)
		}},
	}
}
