package schema_test

import (
	"context"
	"crypto/rand"
	"maps"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	"github.com/rowkeeper/rowkeeper/internal/devdb/dbtest"
	"github.com/rowkeeper/rowkeeper/owner"
	"github.com/rowkeeper/rowkeeper/owner/internal/ownerkit"
	"github.com/rowkeeper/rowkeeper/owner/schema"
	"github.com/rowkeeper/rowkeeper/txn"
)

// eachWall is dbtest.Each for servers with row-level security. It also tests the
// error of the other servers.
func eachWall(t *testing.T, ddl string, tables []owner.AnyTable, f func(t *testing.T, admin *dbtest.DB, app *pgxpool.Pool)) {
	t.Helper()
	dbtest.Each(t, func(t *testing.T, db *dbtest.DB) {
		ownerkit.MustExec(t, db, ddl)
		sql, err := schema.RLS(t.Context(), db, tables...)
		if db.Cockroach() {
			require.ErrorIs(t, err, schema.ErrNoRLS)
			require.ErrorContains(t, err, "the server says that it is CockroachDB")
			_, err = schema.Verify(t.Context(), db, schema.WithRLS(tables...)...)
			require.ErrorIs(t, err, schema.ErrNoRLS)
			return
		}
		require.NoError(t, err)
		ownerkit.MustExec(t, db, sql)
		ownerkit.MustExec(t, db, sql) // again
		f(t, db, appOf(t, db))
	})
}

// appOf returns a pool with one connection, as a role without special rights.
func appOf(t *testing.T, db *dbtest.DB) *pgxpool.Pool {
	t.Helper()
	role, password := "app_"+strings.ToLower(rand.Text()[:16]), rand.Text()
	ownerkit.MustExec(t, db, "create role "+role+" login password '"+password+"'")
	ownerkit.MustExec(t, db, "grant usage on schema "+db.Schema+" to "+role)
	ownerkit.MustExec(t, db, "grant select, insert, update, delete on all tables in schema "+db.Schema+" to "+role)
	ownerkit.MustExec(t, db, "grant usage on all sequences in schema "+db.Schema+" to "+role)
	config := db.Config()
	require.NoError(t, db.QueryRow(t.Context(), "select current_database()").Scan(&config.ConnConfig.Database))
	config.ConnConfig.User, config.ConnConfig.Password = role, password
	config.MaxConns = 1
	app, err := pgxpool.NewWithConfig(t.Context(), config)
	require.NoError(t, err)
	t.Cleanup(func() {
		app.Close()
		_, err := db.Exec(context.WithoutCancel(t.Context()), "drop owned by "+role+"; drop role "+role)
		require.NoError(t, err)
	})
	return app
}

// within runs f in a transaction for that owner and rolls it back.
func within[O comparable](t *testing.T, app *pgxpool.Pool, s owner.Scope[O], f func(tx pgx.Tx)) {
	t.Helper()
	settings, err := s.Settings()
	require.NoError(t, err)
	tx, err := app.Begin(t.Context())
	require.NoError(t, err)
	defer func() { require.NoError(t, tx.Rollback(context.WithoutCancel(t.Context()))) }()
	for name, value := range settings {
		_, err := tx.Exec(t.Context(), "select set_config($1, $2, true)", name, value)
		require.NoError(t, err)
	}
	f(tx)
}

func count(t *testing.T, db owner.DB, sql string) int {
	t.Helper()
	rows, err := db.Query(t.Context(), sql)
	require.NoError(t, err)
	n, err := pgx.CollectExactlyOneRow(rows, pgx.RowTo[int])
	require.NoError(t, err)
	return n
}

// denied fails unless the policies refused the statement.
func denied(t *testing.T, tx pgx.Tx, sql string) {
	t.Helper()
	sp, err := tx.Begin(t.Context())
	require.NoError(t, err)
	_, err = sp.Exec(t.Context(), sql)
	var pe *pgconn.PgError
	require.ErrorAs(t, err, &pe, sql)
	require.Equal(t, "42501", pe.Code)
	require.Contains(t, pe.Message, "row-level security")
	require.NoError(t, sp.Rollback(t.Context()))
}

const shopRows = `;
insert into nations values ('at');
insert into customers (id, email) values (42, 'a'), (43, 'b');
insert into baskets (id, shop_id, name, amount, country, version) values (1, 42, 'x', 1, 'at', 1), (2, 43, 'y', 1, 'at', 1), (3, 43, 'z', 1, 'at', 1);
insert into items values (1, 1, 'pen'), (2, 1, 'axe'), (3, 1, 'saw');
insert into receipts (shop_id, basket_id) values (42, 1), (43, 2);
insert into accesses (shop_id, basket_id) values (42, 3), (43, 1);`

func TestWallHoldsForSQLByHand(t *testing.T) {
	eachWall(t, shopDDL+shopRows, shop, func(t *testing.T, admin *dbtest.DB, app *pgxpool.Pool) {
		within(t, app, ownerkit.Scope(shopID(42)), func(tx pgx.Tx) {
			require.Equal(t, 1, count(t, tx, "select count(*) from nations"))
			require.Equal(t, 42, count(t, tx, "select min(id) * count(*) from customers"))
			require.Equal(t, 13, count(t, tx, "select sum(id) * 10 / count(*) - 7 from baskets"), "his own, and the one to which he was given access")
			require.Equal(t, 1, count(t, tx, "select count(*) from items where true or basket_id > 0"))
			require.Equal(t, 1, count(t, tx, "select count(*) from receipts"))
			require.Equal(t, 3, count(t, tx, "select sum(basket_id) from accesses"))
			for _, sql := range []string{
				"update baskets set name = 'mine' where id <> 1",
				"delete from baskets where id <> 1", "delete from items where basket_id <> 1",
				"update customers set email = 'c' where id = 43", "delete from accesses", "update accesses set basket_id = 2",
			} {
				tag, err := tx.Exec(t.Context(), sql)
				require.NoError(t, err)
				require.Zero(t, tag.RowsAffected(), sql)
			}
			for _, sql := range []string{
				"insert into baskets (shop_id, name, amount, country, version) values (43, 'his', 1, 'at', 1)",
				"update baskets set shop_id = 43 where id = 1",
				"insert into items values (2, 2, 'into his')", "insert into items values (3, 2, 'read only')",
				"update items set basket_id = 2",
				"insert into accesses (shop_id, basket_id) values (42, 2)",
				"insert into accesses (shop_id, basket_id) values (44, 3)",
			} {
				denied(t, tx, sql)
			}
			tag, err := tx.Exec(t.Context(), "insert into items values (1, 2, 'ink')")
			require.NoError(t, err)
			require.EqualValues(t, 1, tag.RowsAffected())
		})
	})
}

// The check of InsertMany reads tables that have policies of their own.
func TestInsertManyBehindTheWall(t *testing.T) {
	eachWall(t, shopDDL+shopRows, shop, func(t *testing.T, admin *dbtest.DB, app *pgxpool.Pool) {
		ctx, mine, his := t.Context(), int64(1), int64(3) // his, but with access
		for name, c := range map[string]struct {
			run  func(tx pgx.Tx) error
			fits bool
		}{
			"children": {func(tx pgx.Tx) error {
				return items.In(ownerkit.Scope(shopID(42))).InsertMany(ctx, tx, []item{{1, 2, "a"}, {1, 3, "b"}})
			}, true},
			"a stranger's key": {func(tx pgx.Tx) error {
				return items.In(ownerkit.Scope(shopID(42))).InsertMany(ctx, tx, []item{{1, 2, "a"}, {2, 1, "b"}})
			}, false},
			"a key that is shared": {func(tx pgx.Tx) error {
				return items.In(ownerkit.Scope(shopID(42))).InsertMany(ctx, tx, []item{{his, 1, "a"}})
			}, false},
			"references": {func(tx pgx.Tx) error {
				return receipts.In(ownerkit.Scope(shopID(42))).InsertMany(ctx, tx, []receipt{{Basket: &mine}, {}})
			}, true},
			"a stranger's row": {func(tx pgx.Tx) error {
				return receipts.In(ownerkit.Scope(shopID(42))).InsertMany(ctx, tx, []receipt{{}, {Basket: &his}})
			}, false},
		} {
			within(t, app, ownerkit.Scope(shopID(42)), func(tx pgx.Tx) {
				if err := c.run(tx); c.fits {
					require.NoError(t, err, name)
				} else {
					require.ErrorIs(t, err, owner.ErrReference, name)
				}
			})
		}
	})
}

func TestWallWithoutASetting(t *testing.T) {
	nothing := func(t *testing.T, tx pgx.Tx) {
		for _, table := range []string{"customers", "baskets", "items", "receipts", "accesses"} {
			require.Zero(t, count(t, tx, "select count(*) from "+table), table)
			tag, err := tx.Exec(t.Context(), "delete from "+table)
			require.NoError(t, err)
			require.Zero(t, tag.RowsAffected(), table)
		}
		denied(t, tx, "insert into baskets (shop_id, name, amount, country, version) values (42, 'n', 1, 'at', 1)")
		denied(t, tx, "insert into items values (1, 2, 'ink')")
		denied(t, tx, "insert into receipts (shop_id) values (42)")
	}
	eachWall(t, shopDDL+shopRows, shop, func(t *testing.T, admin *dbtest.DB, app *pgxpool.Pool) {
		inApp := func(f func(tx pgx.Tx)) {
			tx, err := app.Begin(t.Context())
			require.NoError(t, err)
			defer func() { require.NoError(t, tx.Rollback(context.WithoutCancel(t.Context()))) }()
			f(tx)
		}
		inApp(func(tx pgx.Tx) { nothing(t, tx) })

		// The one connection of the pool carries nothing over.
		const pid = "select pg_backend_pid()"
		before := count(t, app, pid)
		settings, err := ownerkit.Scope(shopID(42)).Settings()
		require.NoError(t, err)
		require.Equal(t, map[string]string{"rowkeeper.schema_test_shopid": "42"}, maps.Collect(settings))
		var options []txn.Option
		for name, value := range settings {
			options = append(options, txn.Setting(name, value))
		}
		err = txn.Run(t.Context(), app, func(ctx context.Context, tx *txn.Tx) error {
			b := basket{Name: "new", Country: "at"}
			require.NoError(t, baskets.In(ownerkit.Scope(shopID(42))).Insert(ctx, tx, &b))
			require.NoError(t, baskets.In(ownerkit.Scope(shopID(42))).Update(b.ID).Set(basketName.Set("old")).Exec(ctx, tx))
			got, err := basketGrant.In(ownerkit.Scope(shopID(42))).OrderBy(basketName.Asc()).All(ctx, tx)
			require.NoError(t, err)
			require.Len(t, got, 3)
			require.NoError(t, baskets.In(ownerkit.Scope(shopID(42))).Delete(b.ID).Exec(ctx, tx))

			// Scopes other than the transaction's find nothing.
			_, err = baskets.In(ownerkit.Scope(shopID(43))).Get(ctx, tx, 2)
			require.ErrorIs(t, err, owner.ErrNotFound)
			return nil
		}, options...)
		require.NoError(t, err)
		require.Equal(t, before, count(t, app, pid))
		inApp(func(tx pgx.Tx) { nothing(t, tx) })

		// A user with the same number is not that shop.
		within(t, app, ownerkit.Scope(UserID(42)), func(tx pgx.Tx) { nothing(t, tx) })

		// A value that is not a number is an error and does not match everything.
		inApp(func(tx pgx.Tx) {
			_, err := tx.Exec(t.Context(), "set local rowkeeper.schema_test_shopid = '42 or true'")
			require.NoError(t, err)
			_, err = tx.Exec(t.Context(), "select * from baskets")
			require.ErrorContains(t, err, "22P02")
		})
	})
}

func TestWallIsComputedOnce(t *testing.T) {
	eachWall(t, shopDDL+shopRows, shop, func(t *testing.T, admin *dbtest.DB, app *pgxpool.Pool) {
		within(t, app, ownerkit.Scope(shopID(42)), func(tx pgx.Tx) {
			_, err := tx.Exec(t.Context(), "set local enable_seqscan = off")
			require.NoError(t, err)
			rows, err := tx.Query(t.Context(), "explain select * from receipts")
			require.NoError(t, err)
			plan, err := pgx.CollectRows(rows, pgx.RowTo[string])
			require.NoError(t, err)
			require.Contains(t, strings.Join(plan, "\n"), "InitPlan")
			require.Contains(t, strings.Join(plan, "\n"), "Index Cond: (shop_id = ")
		})
	})
}

type (
	shortOwner string
	rawOwner   [16]byte
	word       struct {
		ID    int64      `db:"id" owner:"pk"`
		Owner shortOwner `db:"who" owner:"owner"`
	}
	raw struct {
		ID    int64    `db:"id" owner:"pk"`
		Owner rawOwner `db:"who" owner:"owner"`
	}
	draft struct {
		Tenant shopID `db:"tenant_id" owner:"tenant,pk"`
		User   UserID `db:"user_id" owner:"owner"`
		ID     int64  `db:"id" owner:"pk"`
	}
)

func TestWallForOwnersOfAllTypes(t *testing.T) {
	words, uuids := owner.MustTable[word, shortOwner]("words"), owner.MustTable[raw, rawOwner]("uuids")
	names, letters := owner.MustTable[word, shortOwner]("names"), owner.MustTable[word, shortOwner]("letters")
	domains := owner.MustTable[word, shortOwner]("domains")
	drafts := owner.MustTable[draft, owner.Member[shopID, UserID]]("Drafts")
	tables := []owner.AnyTable{words, uuids, names, letters, domains, drafts}
	const ddl = `create table words (id int8 primary key, who varchar(2) not null);
		create table uuids (id int8 primary key, who uuid not null);
		create table names (id int8 primary key, who name not null); create table letters (id int8 primary key, who char(2) not null);
		create table "Drafts" (tenant_id int8, user_id int8 not null, id int8, primary key (tenant_id, id));
		insert into words values (1, 'ab'), (2, 'xy'); insert into letters values (1, 'ab'), (2, 'xy');
		insert into names values (1, repeat('n', 63)), (2, 'ab');
		insert into uuids values (1, '01000000-0000-0000-0000-000000000000'), (2, '02000000-0000-0000-0000-000000000000');
		insert into "Drafts" values (1, 1, 1), (1, 2, 2), (2, 1, 1), (42, 42, 1);
		create domain short as varchar(2); create table domains (id int8 primary key, who short not null); insert into domains select * from words`
	dbtest.Each(t, func(t *testing.T, db *dbtest.DB) {
		if db.Cockroach() {
			_, err := schema.RLS(t.Context(), db, drafts)
			require.ErrorIs(t, err, schema.ErrNoRLS)
			return
		}
		ownerkit.MustExec(t, db, ddl)
		sql, err := schema.RLS(t.Context(), db, tables...)
		require.NoError(t, err)
		ownerkit.MustExec(t, db, sql)
		app := appOf(t, db)
		for _, f := range verified(t, app, schema.WithRLS(tables...)...) {
			require.Equal(t, schema.Advice, f.Severity, "the server's text for the policies: %v", f)
		}
		within(t, app, ownerkit.Scope(shortOwner("ab")), func(tx pgx.Tx) {
			for _, table := range []string{"words", "letters", "domains"} {
				require.Equal(t, 1, count(t, tx, "select sum(id) from "+table), table)
			}
			require.Equal(t, 2, count(t, tx, "select sum(id) from names"))
		})
		within(t, app, ownerkit.Scope(shortOwner("abc")), func(tx pgx.Tx) { // cut to the column's length it would be another's
			for _, table := range []string{"words", "letters", "domains", "names"} {
				require.Zero(t, count(t, tx, "select count(*) from "+table), table)
			}
		})
		within(t, app, ownerkit.Scope(shortOwner(strings.Repeat("n", 64))), func(tx pgx.Tx) {
			require.Zero(t, count(t, tx, "select count(*) from names"))
		})
		within(t, app, ownerkit.Scope(rawOwner{1}), func(tx pgx.Tx) {
			require.Equal(t, 1, count(t, tx, "select sum(id) from uuids"))
		})
		within(t, app, ownerkit.Scope(owner.Member[shopID, UserID]{Tenant: 1, User: 2}), func(tx pgx.Tx) {
			require.Equal(t, 2, count(t, tx, `select sum(id) from "Drafts"`))
			denied(t, tx, `insert into "Drafts" values (1, 1, 5)`)
			denied(t, tx, `insert into "Drafts" values (2, 2, 5)`)
			_, err := tx.Exec(t.Context(), `insert into "Drafts" values (1, 2, 5)`)
			require.NoError(t, err)
		})
		within(t, app, ownerkit.Scope(shopID(42)), func(tx pgx.Tx) { // a tenant is no member
			require.Zero(t, count(t, tx, `select count(*) from "Drafts"`))
		})
	})
}

// namedOwner keeps its setting when its package is renamed.
type namedOwner int64

func (namedOwner) SettingName() string { return "Shop: user_id'" }

func TestWallOfANamedSetting(t *testing.T) {
	type row struct {
		ID    int64      `db:"id" owner:"pk"`
		Owner namedOwner `db:"shop_id" owner:"owner"`
	}
	things := owner.MustTable[row, namedOwner]("named_things")
	dbtest.Each(t, func(t *testing.T, db *dbtest.DB) {
		_, err := db.Exec(t.Context(), "create table named_things (id int8 primary key, shop_id int8 not null)")
		require.NoError(t, err)
		sql, err := schema.RLS(t.Context(), db, things)
		if db.Cockroach() {
			require.ErrorIs(t, err, schema.ErrNoRLS)
			return
		}
		require.NoError(t, err)
		require.Contains(t, sql, "current_setting('rowkeeper.shop__user_id_', true)")
		_, err = db.Exec(t.Context(), sql)
		require.NoError(t, err)
	})
}
