package txn_test

import (
	"context"
	"flag"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/rowkeeper/rowkeeper/internal/devdb"
	"github.com/rowkeeper/rowkeeper/internal/devdb/dbtest"
	"github.com/rowkeeper/rowkeeper/txn"
)

var pooledStatements = flag.Int("pooled-statements", 1000, "how many statements go through each pooler in TestMixedStatementsBehindAPooler")

// mixer is a client that sends statements of all kinds. No two clients share a
// statement, but the arguments of one fit those of every other.
type mixer struct {
	who    string
	random *rand.Rand
	n      int      // the last argument, which no other statement of this client has
	left   []string // the rows that its statements left
	counts [mixedCounters]int
}

const mixedCounters = 3

// next returns a statement, its argument and its effect once it is committed.
func (m *mixer) next() (sql string, n int, happened func()) {
	m.n++
	n = m.n
	kind := m.random.IntN(6)
	switch kind {
	case 0, 1, 2:
		what := fmt.Sprintf("insert %d", kind)
		return mark(m.who, what), n, func() { m.left = append(m.left, fmt.Sprintf("%s %d", what, n)) }
	case 3: // which finds none: what is carried out as this one is missing
		return fmt.Sprintf("delete from marks where who = '%s' and what = 'nothing' and n = $1", m.who), n, func() {}
	}
	counter := kind - 4
	return fmt.Sprintf("update counters set n = n + 1 where who = '%s' and counter = %d and $1 > 0", m.who, counter), n, func() { m.counts[counter]++ }
}

// call runs one transaction of some statements, and records its effects.
func (m *mixer) call(ctx context.Context, db txn.DB) (sent int, err error) {
	size := 1 + m.random.IntN(4)
	way := m.random.IntN(6)
	type planned struct {
		sql string
		n   int
	}
	var plan []planned
	var happened []func()
	for range size {
		sql, n, does := m.next()
		plan, happened = append(plan, planned{sql, n}), append(happened, does)
	}
	undone, undoneN, _ := m.next()
	err = txn.Run(ctx, db, func(ctx context.Context, tx *txn.Tx) error {
		switch way {
		case 0:
			for _, p := range plan {
				tx.Queue(p.sql, p.n)
			}
			return nil
		case 1:
			var b pgx.Batch
			for _, p := range plan {
				b.Queue(p.sql, p.n)
			}
			return tx.SendBatch(ctx, &b).Close()
		case 2: // a read by the same client, queued writes, and what a savepoint undoes
			var got string
			if err := tx.QueryRow(ctx, "select who from counters where who = '"+m.who+"' and counter = $1", 0).Scan(&got); err != nil || got != m.who {
				return fmt.Errorf("read a row of %q: %w", got, err)
			}
			sp, err := tx.Begin(ctx)
			if err != nil {
				return err
			}
			if _, err := sp.Exec(ctx, undone, undoneN); err != nil {
				return err
			}
			if err := sp.Rollback(ctx); err != nil {
				return err
			}
			for _, p := range plan {
				tx.Queue(p.sql, p.n)
			}
			return nil
		case 3:
			return txn.Run(ctx, tx, func(ctx context.Context, tx *txn.Tx) error {
				for _, p := range plan {
					if _, err := tx.Exec(ctx, p.sql, p.n); err != nil {
						return err
					}
				}
				return nil
			})
		}
		for i, p := range plan {
			if i%2 == 0 {
				tx.Queue(p.sql, p.n)
			} else if _, err := tx.Exec(ctx, p.sql, p.n); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return 0, err
	}
	for _, f := range happened {
		f()
	}
	return size, nil
}

// Eight clients in the default mode share two sessions of the server: no statement is
// executed as another, and none fails.
func TestMixedStatementsBehindAPooler(t *testing.T) {
	eachPooler(t, map[string]string{"default_pool_size": "2"}, func(t *testing.T, db *dbtest.DB, p *devdb.Pooler) {
		marks(t, db)
		_, err := db.Exec(t.Context(), "create table counters (who text, counter bigint, n bigint not null default 0, primary key (who, counter))")
		require.NoError(t, err)
		clients, most := make([]*mixer, 8), *pooledStatements
		if testing.Short() {
			most = min(most, 200)
		}
		for i := range clients {
			clients[i] = &mixer{who: fmt.Sprint("client ", i), random: rand.New(rand.NewPCG(uint64(i), 1)), n: 1000 * 1000 * i}
			for counter := range mixedCounters {
				_, err := db.Exec(t.Context(), "insert into counters (who, counter) values ($1, $2)", clients[i].who, counter)
				require.NoError(t, err)
			}
		}
		var wg sync.WaitGroup
		for _, m := range clients {
			pool := behind(t, db, p)
			wg.Go(func() {
				for sent := 0; sent < most/len(clients); {
					n, err := m.call(t.Context(), pool)
					if err != nil {
						t.Errorf("%s: %v", m.who, err)
						return
					}
					sent += n
					if m.random.IntN(100) == 0 {
						pool.Reset() // its next connection has prepared nothing
					}
				}
			})
		}
		wg.Wait()
		for _, m := range clients {
			found := marked(t, db, m.who)
			slices.Sort(found)
			slices.Sort(m.left)
			require.Equal(t, m.left, found, m.who)
			for counter := range mixedCounters {
				var n int
				require.NoError(t, db.QueryRow(t.Context(), "select n from counters where who = $1 and counter = $2", m.who, counter).Scan(&n))
				require.Equal(t, m.counts[counter], n, "%s, counter %d", m.who, counter)
			}
		}
	})
}
