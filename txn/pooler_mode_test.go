package txn_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	"github.com/rowkeeper/rowkeeper/internal/devdb"
	"github.com/rowkeeper/rowkeeper/internal/devdb/dbtest"
	"github.com/rowkeeper/rowkeeper/txn"
	"github.com/rowkeeper/rowkeeper/txn/once"
)

// marks creates the table in which each statement records its client and itself.
func marks(t testing.TB, db *dbtest.DB) {
	t.Helper()
	_, err := db.Exec(t.Context(), "create table marks (who text not null, what text not null, n bigint not null)")
	require.NoError(t, err)
}

// mark returns a statement that leaves such a row. No two clients share a statement,
// but theirs are alike.
func mark(who, what string) string {
	return fmt.Sprintf("insert into marks values ('%s', '%s', $1)", who, what)
}

// marked lists the rows of one client, in order.
func marked(t testing.TB, db *dbtest.DB, who string) []string {
	t.Helper()
	rows, err := db.Query(t.Context(), "select what || ' ' || n from marks where who = $1 order by n, what", who)
	require.NoError(t, err)
	found, err := pgx.CollectRows(rows, pgx.RowTo[string])
	require.NoError(t, err)
	return found
}

// pooledCalls are ways to use a transaction, each with the rows that it leaves.
var pooledCalls = map[string]struct {
	leaves []string
	opts   func(key string) []txn.Option
	f      func(ctx context.Context, tx *txn.Tx, who string, n int) error
}{
	"queue": {leaves: []string{"first", "second"}, f: func(ctx context.Context, tx *txn.Tx, who string, n int) error {
		tx.Queue(mark(who, "first"), n)
		tx.Queue(mark(who, "second"), n)
		return nil
	}},
	"read, queue": {leaves: []string{"write"}, f: func(ctx context.Context, tx *txn.Tx, who string, n int) error {
		var got string
		if err := tx.QueryRow(ctx, fmt.Sprintf("select '%s ' || cast($1::bigint as text)", who), n).Scan(&got); err != nil {
			return err
		}
		if got != fmt.Sprintf("%s %d", who, n) {
			return fmt.Errorf("read what was for %s", got)
		}
		tx.QueueExpect(1, mark(who, "write"), n)
		return nil
	}},
	"exec": {leaves: []string{"first", "second", "third"}, f: func(ctx context.Context, tx *txn.Tx, who string, n int) error {
		for _, what := range []string{"first", "second"} {
			if _, err := tx.Exec(ctx, mark(who, what), n); err != nil {
				return err
			}
		}
		var got int
		if err := tx.QueryRow(ctx, mark(who, "third")+" returning n", n).Scan(&got); err != nil || got != n {
			return fmt.Errorf("returned %d: %w", got, err)
		}
		return nil
	}},
	"without arguments": {leaves: []string{"none"}, f: func(ctx context.Context, tx *txn.Tx, who string, n int) error {
		var got string
		if err := tx.QueryRow(ctx, "select '"+who+"'").Scan(&got); err != nil || got != who {
			return fmt.Errorf("returned %q: %w", got, err)
		}
		if err := tx.QueryRow(ctx, "select upper('"+who+"')").Scan(&got); err != nil {
			return err
		}
		_, err := tx.Exec(ctx, fmt.Sprintf("insert into marks values ('%s', 'none', %d)", who, n))
		return err
	}},
	"send batch": {leaves: []string{"first", "second"}, f: func(ctx context.Context, tx *txn.Tx, who string, n int) error {
		var b pgx.Batch
		b.Queue(mark(who, "first"), n)
		b.Queue(mark(who, "second")+" returning n", n).QueryRow(func(row pgx.Row) error { return row.Scan(new(int)) })
		return tx.SendBatch(ctx, &b).Close()
	}},
	"copy": {leaves: []string{"copied"}, f: func(ctx context.Context, tx *txn.Tx, who string, n int) error {
		_, err := tx.CopyFrom(ctx, pgx.Identifier{"marks"}, []string{"who", "what", "n"}, pgx.CopyFromRows([][]any{{who, "copied", n}}))
		return err
	}},
	"prepare": {leaves: []string{"prepared"}, f: func(ctx context.Context, tx *txn.Tx, who string, n int) error {
		if _, err := tx.Prepare(ctx, "mark_"+who, mark(who, "prepared")); err != nil {
			return err
		}
		_, err := tx.Exec(ctx, "mark_"+who, n)
		return err
	}},
	"savepoints": {leaves: []string{"kept"}, f: func(ctx context.Context, tx *txn.Tx, who string, n int) error {
		for _, kept := range []bool{true, false} {
			sp, err := tx.Begin(ctx)
			if err != nil {
				return err
			}
			if !kept {
				if _, err := sp.Exec(ctx, mark(who, "undone"), n); err != nil {
					return err
				}
				if err := sp.Rollback(ctx); err != nil {
					return err
				}
				continue
			}
			if _, err := sp.Exec(ctx, mark(who, "kept"), n); err != nil {
				return err
			}
			if err := sp.Commit(ctx); err != nil {
				return err
			}
		}
		return nil
	}},
	"joined": {leaves: []string{"inner", "outer"}, f: func(ctx context.Context, tx *txn.Tx, who string, n int) error {
		if err := txn.Run(ctx, tx, func(ctx context.Context, tx *txn.Tx) error {
			_, err := tx.Exec(ctx, mark(who, "inner"), n)
			return err
		}); err != nil {
			return err
		}
		tx.Queue(mark(who, "outer"), n)
		var b pgx.Batch
		b.Queue(fmt.Sprintf("delete from marks where who = '%s' and what = 'nothing' and n = $1", who), n)
		return txn.Batch(ctx, tx, &b)
	}},
	"settings": {leaves: []string{"set"}, opts: func(string) []txn.Option {
		return []txn.Option{txn.Setting("app.who", "me"), txn.Timeouts{Statement: time.Minute, Lock: 30 * time.Second}}
	}, f: func(ctx context.Context, tx *txn.Tx, who string, n int) error {
		var set, timeout string
		if err := tx.QueryRow(ctx, "select current_setting('app.who'), current_setting('statement_timeout')").Scan(&set, &timeout); err != nil || set != "me" || timeout != "1min" {
			return fmt.Errorf("set to %q and %q: %w", set, timeout, err)
		}
		tx.Queue(mark(who, "set"), n)
		return nil
	}},
	"once": {leaves: []string{"once"}, opts: func(key string) []txn.Option {
		return []txn.Option{once.Key("pooler", key, nil)}
	}, f: func(ctx context.Context, tx *txn.Tx, who string, n int) error {
		_, err := tx.Exec(ctx, mark(who, "once"), n)
		return err
	}},
	"conflict": {leaves: []string{"last"}, f: func(ctx context.Context, tx *txn.Tx, who string, n int) error {
		tx.Queue(mark(who, "last"), n)
		if tx.Attempt() == 1 {
			return tx.QueryRow(ctx, raise("40001", who, n)).Scan(new(int))
		}
		return nil
	}},
}

// raise returns a statement that fails with a conflict, with the server's message.
func raise(code, who string, n int) string {
	return fmt.Sprintf("select rowkeeper_conflict('%s', '%s', %d)", code, who, n)
}

// Two clients in turn, whose sessions change, in every mode: each call has its own
// effects, and no others.
func TestModesBehindAPooler(t *testing.T) {
	for _, mode := range execModes() {
		t.Run(mode.String(), func(t *testing.T) { modeBehindAPooler(t, mode, false) })
	}
	t.Run("wrapper", func(t *testing.T) { modeBehindAPooler(t, pgx.QueryExecModeCacheStatement, true) })
}

func modeBehindAPooler(t *testing.T, mode pgx.QueryExecMode, wrapped bool) {
	eachPooler(t, map[string]string{"default_pool_size": "2"}, func(t *testing.T, db *dbtest.DB, p *devdb.Pooler) {
		withLedger(t, db)
		marks(t, db)
		if !db.Cockroach() {
			_, err := db.Exec(t.Context(), `create function rowkeeper_conflict(code text, who text, n bigint) returns int language plpgsql as
						$$ begin raise exception 'as asked by % %', who, n using errcode = code; end $$`)
			require.NoError(t, err)
		}
		inMode := func(c *pgxpool.Config) { c.ConnConfig.DefaultQueryExecMode = mode }
		change := changing(t, db, p)
		for name, call := range pooledCalls {
			if name == "conflict" && db.Cockroach() || name == "settings" && !knowsSetLocal(t, db) {
				continue // this server has no such functions, or no SET LOCAL
			}
			clients := []*pgxpool.Pool{behind(t, db, p, inMode), behind(t, db, p, inMode)}
			want := map[string][]string{}
			for round := range 6 {
				for i, pool := range clients {
					if round%2 == 0 || i > 0 { // each has a session of its own, then that of the other
						change()
					}
					who, n := fmt.Sprintf("%s %d", name, i), 10*round+i
					runs, opts := 0, []txn.Option{}
					if call.opts != nil {
						opts = call.opts(fmt.Sprint(who, n))
					}
					var through txn.DB = pool
					if wrapped {
						through = openWrapper{wrapper{pool}}
					}
					for range 2 {
						err := txn.Run(t.Context(), through, func(ctx context.Context, tx *txn.Tx) error {
							runs++
							return call.f(ctx, tx, who, n)
						}, opts...)
						require.NoError(t, err, who)
						if name != "once" {
							break
						}
					}
					require.LessOrEqual(t, runs, 4, who)
					for _, what := range call.leaves {
						want[who] = append(want[who], fmt.Sprintf("%s %d", what, n))
					}
				}
			}
			for who, rows := range want {
				require.Equal(t, rows, marked(t, db, who))
			}
			for _, pool := range clients {
				requireClean(t, pool)
				pool.Close()
			}
		}
	})
}
