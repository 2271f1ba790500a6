package txn_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	"github.com/rowkeeper/rowkeeper/internal/devdb/dbtest"
	"github.com/rowkeeper/rowkeeper/txn"
)

// knowsSetLocal asks the server: CockroachDB has SET LOCAL since v21.2.
func knowsSetLocal(t *testing.T, db *dbtest.DB) bool {
	err := pgx.BeginFunc(t.Context(), db, func(tx pgx.Tx) error {
		_, err := tx.Exec(t.Context(), "set local statement_timeout = '5s'")
		return err
	})
	return err == nil
}

func TestSettingHoldsForTheTransaction(t *testing.T) {
	eachMode(t, func(t *testing.T, db *dbtest.DB, pool *pgxpool.Pool) {
		ctx := t.Context()
		if !knowsSetLocal(t, db) {
			err := txn.Run(ctx, pool, func(ctx context.Context, tx *txn.Tx) error {
				_, err := read(ctx, tx, 1)
				return err
			}, txn.Setting("application_name", "x"), txn.Name("pay"))
			requireCode(t, err, "0A000")
			if pool.Config().ConnConfig.DefaultQueryExecMode != pgx.QueryExecModeSimpleProtocol {
				require.ErrorContains(t, err, "txn pay: Setting application_name: this server cannot do it")
			}
			requireClean(t, pool)
			return
		}
		show := func(d txn.DB, name string, opts ...txn.Option) (got string) {
			require.NoError(t, txn.Run(ctx, d, func(ctx context.Context, tx *txn.Tx) error {
				return tx.QueryRow(ctx, "select current_setting('"+name+"', true)").Scan(&got)
			}, opts...))
			return got
		}
		for _, d := range []txn.DB{pool, wrapper{pool}} {
			for _, value := range []string{"42", "it's", `back\slash`, `\'; drop table accounts; --`, "", "ü\n"} {
				require.Equal(t, value, show(d, "app.user_id", txn.Setting("app.user_id", value)))
			}
			require.Equal(t, "2", show(d, "app.user_id", txn.Setting("app.user_id", "1"), txn.Setting("app.user_id", "2")), "the later one")
			require.Empty(t, show(d, "app.user_id"), "gone with the transaction")
			require.Equal(t, "1234ms", show(d, "statement_timeout", txn.Timeouts{Statement: 1234 * time.Millisecond}))
			require.Equal(t, "1234ms", show(d, "lock_timeout", txn.Timeouts{Lock: 1234 * time.Millisecond}))
			err := txn.Run(ctx, d, func(ctx context.Context, tx *txn.Tx) error {
				tx.Queue("select 1")
				return nil
			}, txn.Setting("no_such_parameter", "1"))
			require.ErrorContains(t, err, "txn: Setting no_such_parameter: this server cannot do it")
			requireCode(t, err, "42704")
		}
		requireClean(t, pool)
	})
}

// search_path applies to the first statement too, even if that is parsed for the first
// time.
func TestSettingComesBeforeParsing(t *testing.T) {
	eachMode(t, func(t *testing.T, db *dbtest.DB, pool *pgxpool.Pool) {
		if !knowsSetLocal(t, db) {
			t.Skip("no SET LOCAL")
		}
		other := "t_other_" + db.Schema
		for _, sql := range []string{
			"create schema " + other,
			"create table " + other + ".only_there (id bigint)",
			"insert into " + other + ".only_there values (7)",
		} {
			_, err := db.Exec(t.Context(), sql)
			require.NoError(t, err)
		}
		t.Cleanup(func() { _, _ = db.Exec(context.Background(), "drop schema "+other+" cascade") })
		for range 2 {
			got, err := txn.RunInTx(t.Context(), pool, func(ctx context.Context, tx *txn.Tx) (n int, err error) {
				return n, tx.QueryRow(ctx, "select id from only_there where id > $1", 0).Scan(&n)
			}, txn.Setting("search_path", other))
			require.NoError(t, err)
			require.Equal(t, 7, got)
		}
	})
}

// The value is unchanged even if a backslash has a meaning in text.
func TestSettingWithoutStandardConformingStrings(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *dbtest.DB) {
		if db.Cockroach() {
			t.Skip("CockroachDB has it always on")
		}
		pool := poolWith(t, db, func(c *pgxpool.Config) { c.ConnConfig.RuntimeParams["standard_conforming_strings"] = "off" })
		for _, value := range []string{`a\b`, `\'; drop schema public; --`} {
			var got string
			require.NoError(t, txn.Run(t.Context(), pool, func(ctx context.Context, tx *txn.Tx) error {
				return tx.QueryRow(ctx, "select current_setting('app.x')").Scan(&got)
			}, txn.Setting("app.x", value)))
			require.Equal(t, value, got)
		}
	})
}

// SET LOCAL takes no snapshot, so rows that LOCK TABLE waits for are seen.
func TestSettingsTakeNoSnapshot(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *dbtest.DB) {
		if db.Cockroach() {
			t.Skip("CockroachDB has no LOCK TABLE")
		}
		accounts(t, db)
		holder, err := db.Begin(t.Context())
		require.NoError(t, err)
		defer holder.Rollback(context.Background())
		require.NoError(t, write(t.Context(), holder, 1, 7))
		done := make(chan error, 1)
		attempts := 0
		go func() {
			done <- txn.Run(t.Context(), db, func(ctx context.Context, tx *txn.Tx) error {
				attempts = tx.Attempt()
				if _, err := tx.Exec(ctx, "lock table accounts in exclusive mode"); err != nil {
					return err
				}
				n, err := read(ctx, tx, 1)
				if err != nil {
					return err
				}
				return write(ctx, tx, 1, n+1)
			}, txn.Setting("app.x", "1"), txn.Timeouts{Statement: time.Minute})
		}()
		require.Eventually(t, func() bool {
			var waiting int
			err := db.QueryRow(t.Context(), "select count(*) from pg_locks where not granted and relation = to_regclass('accounts')").Scan(&waiting)
			return err == nil && waiting > 0
		}, eventually, tick)
		require.NoError(t, holder.Commit(t.Context()))
		require.NoError(t, <-done)
		require.Equal(t, 1, attempts)
		require.Equal(t, 8, balance(t, db, 1))
	})
}

func TestTimeoutsAreNotRetried(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *dbtest.DB) {
		if !knowsSetLocal(t, db) {
			t.Skip("no SET LOCAL")
		}
		accounts(t, db)
		holder, err := db.Begin(t.Context())
		require.NoError(t, err)
		defer holder.Rollback(context.Background())
		require.NoError(t, write(t.Context(), holder, 1, 7))
		for code, timeouts := range map[string]txn.Timeouts{
			"57014": {Statement: 20 * time.Millisecond},
			"55P03": {Lock: 20 * time.Millisecond},
		} {
			runs := 0
			err := txn.Run(t.Context(), db, func(ctx context.Context, tx *txn.Tx) error {
				runs++
				return write(ctx, tx, 1, 8)
			}, timeouts)
			requireCode(t, err, code)
			require.Equal(t, 1, runs)
		}
	})
}

func TestTransactionTimeoutWhereTheServerHasNone(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *dbtest.DB) {
		var known int
		require.NoError(t, db.QueryRow(t.Context(), "select count(*) from pg_settings where name = 'transaction_timeout'").Scan(&known))
		if known > 0 {
			t.Skip("this server has it")
		}
		err := txn.Run(t.Context(), db, func(ctx context.Context, tx *txn.Tx) error {
			tx.Queue("select 1")
			return nil
		}, txn.Timeouts{Transaction: time.Second})
		require.ErrorContains(t, err, "txn: Timeouts transaction_timeout: this server cannot do it")
	})
}

func TestAsOfAndPriority(t *testing.T) {
	eachMode(t, func(t *testing.T, db *dbtest.DB, pool *pgxpool.Pool) {
		ctx := t.Context()
		get := func(ctx context.Context, tx *txn.Tx) (int, error) { return read(ctx, tx, 1) }
		for _, d := range []txn.DB{pool, wrapper{pool}} {
			if !db.Cockroach() {
				for option, o := range map[string]txn.Option{
					"AsOf": txn.AsOf(time.Now()), "Priority": txn.HighPriority(),
				} {
					_, err := txn.RunInTx(ctx, d, get, o)
					require.ErrorContains(t, err, "the server does not know "+option+", which CockroachDB has")
					requireCode(t, err, "42601")
				}
				continue
			}
			var before time.Time
			require.NoError(t, db.QueryRow(ctx, "select clock_timestamp()").Scan(&before))
			old := balance(t, db, 1)
			_, err := db.Exec(ctx, "update accounts set balance = balance + 1 where id = 1")
			require.NoError(t, err)
			got, err := txn.RunInTx(ctx, d, get, txn.AsOf(before))
			require.NoError(t, err)
			require.Equal(t, old, got)
			err = txn.Run(ctx, d, func(ctx context.Context, tx *txn.Tx) error { return write(ctx, tx, 1, 7) }, txn.AsOf(before))
			require.Error(t, err, "it is read only")
			for p, o := range map[string]txn.Option{"low": txn.LowPriority(), "normal": txn.Name("x"), "high": txn.HighPriority()} {
				var shown string
				require.NoError(t, txn.Run(ctx, d, func(ctx context.Context, tx *txn.Tx) error {
					return tx.QueryRow(ctx, "show transaction priority").Scan(&shown)
				}, o))
				require.Equal(t, p, strings.ToLower(shown))
			}
		}
	})
}

func TestFollowerRead(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *dbtest.DB) {
		get := func(ctx context.Context, tx *txn.Tx) (n int, err error) {
			return n, tx.QueryRow(ctx, "select 42").Scan(&n)
		}
		got, err := txn.RunInTx(t.Context(), db, get, txn.FollowerRead())
		if !db.Cockroach() {
			require.ErrorContains(t, err, "the server does not know AsOf")
			return
		}
		require.NoError(t, err)
		require.Equal(t, 42, got)
	})
}

func TestRunnerWithSettingsBeginsNothingByItself(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *dbtest.DB) {
		_, err := txn.New(db, txn.Setting("app.x", "1")).Begin(t.Context())
		require.ErrorContains(t, err, "use RunInTx")
	})
}
