package txn_test

import (
	"context"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	"github.com/rowkeeper/rowkeeper/internal/devdb/dbtest"
	"github.com/rowkeeper/rowkeeper/txn"
)

// Queued statements have taken effect when the statements after them are described,
// even if their text does not show it. So a call does the same on a connection that
// knows the statements and on one that does not.
func TestQueuedStatementsHaveTheirEffectFirst(t *testing.T) {
	t.Parallel()
	eachMode(t, func(t *testing.T, db *dbtest.DB, given *pgxpool.Pool) {
		away := schemas(t, db, "_away")[0]
		for _, sql := range []string{
			"create table " + away + ".only_there (id bigint primary key, what text not null)",
			"insert into " + away + ".only_there values (1, 'x')",
			// A table of the same name with other columns.
			"create table both_here (id text primary key, n text)",
			"create table " + away + ".both_here (id bigint primary key, n bigint, more bigint)",
			"insert into " + away + ".both_here values (1, 2, 3)",
		} {
			_, err := db.Exec(t.Context(), sql)
			require.NoError(t, err)
		}
		local := "true"
		if db.Cockroach() {
			local = "false" // which v21.1 does not have, so that it stays
		}
		move := "set_config('search_path', '" + away + "', " + local + ")"
		first := map[string]string{
			"select":               "select " + move,
			"with":                 "with moved as (select " + move + ") select * from moved",
			"values":               "values (" + move + ")",
			"insert":               "insert into accounts select 10 + length(" + move + "), 1",
			"update":               "update accounts set balance = length(" + move + ") where id = 1",
			"set":                  "set search_path = " + away,
			"update and returning": "update accounts set balance = 5 where id = 1 returning " + move,
		}
		if !db.Cockroach() {
			for _, sql := range []string{
				"create function move() returns trigger language plpgsql as $$ begin perform set_config('search_path', '" + away + "', true); return new; end $$",
				"create table moves (id bigint)",
				"create trigger move after insert on moves for each row execute function move()",
				"create function operate(int, int) returns bigint language plpgsql as $$ begin perform set_config('search_path', '" + away + "', true); return 1; end $$",
				"create operator <~> (leftarg = int, rightarg = int, function = operate)",
				"create view moving as select " + move + " as path",
			} {
				_, err := db.Exec(t.Context(), sql)
				require.NoError(t, err)
			}
			first["set local"] = "set local search_path = " + away
			first["trigger"] = "insert into moves values (1)"
			first["operator"] = "update accounts set balance = 1 <~> 2 where id = 1"
			first["view"] = "update accounts set balance = (select length(path) from moving) where id = 1"
			first["do"] = "do $$ begin perform " + move + "; end $$"
		}
		for how, last := range map[string]func(ctx context.Context, tx *txn.Tx) error{
			"QueryRow": func(ctx context.Context, tx *txn.Tx) error {
				var what string
				return tx.QueryRow(ctx, "select what from only_there where id = $1", 1).Scan(&what)
			},
			"Query": func(ctx context.Context, tx *txn.Tx) error {
				rows, err := tx.Query(ctx, "select * from both_here where id = $1", 1)
				if err != nil {
					return err
				}
				got, err := pgx.CollectRows(rows, pgx.RowToMap)
				require.Equal(t, []map[string]any{{"id": int64(1), "n": int64(2), "more": int64(3)}}, got)
				return err
			},
			"Exec": func(ctx context.Context, tx *txn.Tx) error {
				_, err := tx.Exec(ctx, "update only_there set what = $2 where id = $1", 1, "x")
				return err
			},
			"Queue": func(ctx context.Context, tx *txn.Tx) error {
				tx.Queue("update only_there set what = $2 where id = $1", 1, "y")
				return nil
			},
			"QueueExpect": func(ctx context.Context, tx *txn.Tx) error {
				tx.QueueExpect(1, "update only_there set what = $2 where id = $1", 1, "z")
				tx.Queue("update only_there set what = $2 where id = $1", 1, "z")
				return nil
			},
			"Batch": func(ctx context.Context, tx *txn.Tx) error {
				var b pgx.Batch
				b.Queue("select what from only_there where id = $1", 1).QueryRow(func(row pgx.Row) error { return row.Scan(new(string)) })
				return txn.Batch(ctx, tx, &b)
			},
		} {
			for name, sql := range first {
				pool := poolLike(t, db, given, func(*pgxpool.Config) {})
				for _, warmth := range []string{"cold", "warm", "still warm"} {
					require.NoError(t, txn.Run(t.Context(), pool, func(ctx context.Context, tx *txn.Tx) error {
						tx.Queue(sql)
						return last(ctx, tx)
					}), "%s, %s, %s", how, name, warmth)
					if db.Cockroach() {
						_, err := pool.Exec(t.Context(), "set search_path = "+db.Schema)
						require.NoError(t, err)
					}
					_, err := db.Exec(t.Context(), "delete from accounts where id > 2")
					require.NoError(t, err)
				}
				requireClean(t, pool)
				pool.Close()
			}
		}
	})
}

// A connection may remember a statement from another search path, in which its
// parameters had other types. It is then described again.
func TestDescriptionOfAnotherSearchPath(t *testing.T) {
	eachMode(t, func(t *testing.T, db *dbtest.DB, pool *pgxpool.Pool) {
		away := schemas(t, db, "_away")[0]
		for _, sql := range []string{
			"create table things (id text primary key, what text)",
			"insert into things values ('1', 'text')",
			"create table " + away + ".things (id bigint primary key, what text)",
			"insert into " + away + ".things values (1, 'bigint')",
		} {
			_, err := db.Exec(t.Context(), sql)
			require.NoError(t, err)
		}
		const get = "select what from things where id = $1"
		for round := range 3 {
			for _, arg := range []any{"1", 1} {
				for _, path := range []string{db.Schema, away, away} {
					if path == db.Schema && arg == 1 {
						continue // no text
					}
					for _, queued := range []bool{true, false} {
						if !queued && db.Cockroach() {
							continue // no SET LOCAL
						}
						var opts []txn.Option
						if !queued {
							opts = append(opts, txn.Setting("search_path", path))
						}
						got, err := txn.RunInTx(t.Context(), pool, func(ctx context.Context, tx *txn.Tx) (what string, err error) {
							if queued {
								tx.Queue("select set_config('search_path', '" + path + "', " + map[bool]string{true: "false", false: "true"}[db.Cockroach()] + ")")
							}
							tx.Queue("update things set what = what where id = $1", arg)
							return what, tx.QueryRow(ctx, get, arg).Scan(&what)
						}, opts...)
						require.NoError(t, err, "%d, %s, %T, %t", round, path, arg, queued)
						require.Equal(t, map[string]string{db.Schema: "text", away: "bigint"}[path], got)
						if db.Cockroach() {
							_, err := pool.Exec(t.Context(), "set search_path = "+db.Schema)
							require.NoError(t, err)
						}
					}
				}
			}
		}
		requireClean(t, pool)
	})
}

// A table created by a queued statement exists for the next one.
func TestQueuedStatementsThatMakeTables(t *testing.T) {
	eachMode(t, func(t *testing.T, db *dbtest.DB, pool *pgxpool.Pool) {
		makers := []string{"create table made (id bigint)"}
		if !db.Cockroach() {
			_, err := db.Exec(t.Context(), "create function make() returns int language plpgsql as $$ begin create table made (id bigint); return 1; end $$")
			require.NoError(t, err)
			makers = append(makers, "select make()", "select 1::bigint as id into made", "with x as (select make()) select * from x", "do 'begin create table made (id bigint); end'")
		}
		for _, sql := range makers {
			for range 2 {
				require.NoError(t, txn.Run(t.Context(), pool, func(ctx context.Context, tx *txn.Tx) error {
					tx.Queue(sql)
					tx.Queue("insert into made values ($1)", 1)
					return nil
				}), sql)
				_, err := db.Exec(t.Context(), "drop table made")
				require.NoError(t, err)
			}
		}
		requireClean(t, pool)
	})
}

// A missing table is reported once that is certain; one more run is no reason to give
// up.
func TestWhatIsMissingBehindAQueue(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *dbtest.DB) {
		accounts(t, db)
		for _, f := range []func(ctx context.Context, tx *txn.Tx) error{
			func(ctx context.Context, tx *txn.Tx) error {
				tx.Queue(setBalance, 1, 7)
				return tx.QueryRow(ctx, "select id from nowhere where id = $1", 1).Scan(new(int))
			},
			func(ctx context.Context, tx *txn.Tx) error {
				tx.Queue(setBalance, 1, 7)
				tx.Queue("update nowhere set id = $1", 1)
				return nil
			},
		} {
			runs := 0
			err := txn.Run(t.Context(), db, func(ctx context.Context, tx *txn.Tx) error {
				runs++
				return f(ctx, tx)
			}, txn.MaxAttempts(1))
			requireCode(t, err, "42P01")
			require.NotErrorAs(t, err, new(*txn.ExhaustedError))
			require.LessOrEqual(t, runs, 2)
		}
		// A savepoint undoes it, and the function goes on.
		require.NoError(t, txn.Run(t.Context(), db, func(ctx context.Context, tx *txn.Tx) error {
			err := pgx.BeginFunc(ctx, tx, func(sp pgx.Tx) error {
				sp.(*txn.Tx).Queue(setBalance, 1, 7)
				return sp.QueryRow(ctx, "select id from nowhere where id = $1", 2).Scan(new(int))
			})
			requireCode(t, err, "42P01")
			return write(ctx, tx, 2, 7)
		}))
		require.Equal(t, 100, balance(t, db, 1))
		require.Equal(t, 7, balance(t, db, 2))
	})
}

// All statements that are described for the first time take one round trip together.
func TestRoundTripsOfQueuesWhenCold(t *testing.T) {
	for _, test := range []struct {
		name  string
		trips int64
		f     func(ctx context.Context, tx *txn.Tx) error
	}{
		{"writes, then a read", 3, func(ctx context.Context, tx *txn.Tx) error {
			tx.Queue(insertEffect, 1, 1)
			tx.Queue("update effects set attempt = greatest(attempt, $1, coalesce(call, 2)) where call in (1, $2)", 1, 1)
			tx.Queue("delete from effects where call = $1 and exists (select 1 from effects e where e.call > now()::date - date '2000-01-01')", 9)
			return tx.QueryRow(ctx, "select count(*) from effects where call = $1", 1).Scan(new(int))
		}},
		{"a batch", 2, func(ctx context.Context, tx *txn.Tx) error {
			tx.Queue("select count(*), max(attempt) from effects where call = $1", 1)
			tx.Queue("with x (y) as (select 1) select y from x where y = $1", 1)
			tx.QueueExpect(1, insertEffect, 1, 2)
			return nil
		}},
		{"a function of one's own", 3, func(ctx context.Context, tx *txn.Tx) error {
			tx.Queue("select current_setting('search_path')")
			tx.Queue("select current_setting('search_path')")
			tx.Queue(insertEffect, 1, 1)
			return nil
		}},
	} {
		t.Run(test.name, func(t *testing.T) {
			dbtest.Each(t, func(t *testing.T, db *dbtest.DB) {
				f := withFaults(t, db)
				require.NoError(t, f.pool.Ping(t.Context()))
				before := f.proxy.RoundTrips()
				require.NoError(t, txn.Run(t.Context(), f.pool, test.f))
				require.Equal(t, test.trips, f.proxy.RoundTrips()-before)
			})
		})
	}
}
