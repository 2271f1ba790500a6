package interleave

import (
	"context"
	"flag"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/rowkeeper/rowkeeper/internal/devdb/dbtest"
	"github.com/rowkeeper/rowkeeper/owner/internal/ownerkit"
)

var (
	schedules = flag.Int("schedules", 200, "schedules for each engine and isolation level; 20000 for a release")
	seed      = flag.Uint64("seed", 1, "of the schedules")
)

// In every order of the steps of two sessions, the former owner's statements have no
// effect after the transfer is known to have committed.
func TestNothingHappensAfterTheTransfer(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *dbtest.DB) {
		ownerkit.MustExec(t, db, ddl)
		levels := []pgx.TxIsoLevel{pgx.ReadCommitted, pgx.RepeatableRead, pgx.Serializable}
		if db.Cockroach() {
			levels = levels[2:] // it has no other before v23.2
		}
		for i, level := range levels {
			t.Run(string(level), func(t *testing.T) {
				t.Parallel()
				workers := 1
				if db.Cockroach() {
					workers = 8 // most of the time each waits to see that a session waits
				}
				tally := map[string]int{}
				t.Run("workers", func(t *testing.T) {
					var mu sync.Mutex
					for w := range workers {
						t.Run(fmt.Sprint(w), func(t *testing.T) {
							t.Parallel()
							own, err := try(t, db, level, int64(i+1)*1e12+int64(w)*1e9, (*schedules+workers-1)/workers)
							mu.Lock()
							defer mu.Unlock()
							for what, n := range own {
								tally[what] += n
							}
							require.NoError(t, err)
						})
					}
				})
				t.Logf("%d schedules: %v", tally["all"], tally)
				if *schedules >= 100 && !t.Failed() { // or the test shows nothing
					require.NotZero(t, tally["given away first"])
					require.NotZero(t, tally["had an effect"])
				}
			})
		}
	})
}

// try runs that many schedules, each on rows of its own from id on.
func try(t *testing.T, db *dbtest.DB, level pgx.TxIsoLevel, id int64, n int) (map[string]int, error) {
	ctx := t.Context()
	conns := make([]*pgx.Conn, 3)
	for i := range conns {
		conn, err := pgx.ConnectConfig(ctx, db.Config().ConnConfig)
		require.NoError(t, err)
		defer conn.Close(context.Background())
		if !db.Cockroach() {
			_, err = conn.Exec(ctx, "set deadlock_timeout = '20ms'")
			require.NoError(t, err)
		}
		conns[i] = conn
	}
	tally := map[string]int{}
	for i := range n {
		p := place{id + int64(i)*10}
		c := &schedule{p: p, level: level, rand: rand.New(rand.NewPCG(*seed, uint64(p.id)))}
		if c.watch = conns[2]; db.Cockroach() {
			c.watch = nil
		}
		c.giver = session{conn: conns[0], done: make(chan error, 1)}
		c.other = session{conn: conns[1], done: make(chan error, 1)}
		p.fill(t, db)
		c.draw()
		if err := c.run(ctx); err != nil {
			return tally, fmt.Errorf("schedule %d: %w\n\t%s", i, err, strings.Join(c.log, "\n\t"))
		}
		verdict, err := c.judge(ctx, db)
		require.NoError(t, err)
		c.count(tally)
		if verdict != "" {
			return tally, fmt.Errorf("schedule %d, %s of seed %d: %s\n\t%s", i, c.change, *seed, verdict, strings.Join(c.log, "\n\t"))
		}
	}
	return tally, nil
}

func (c *schedule) count(tally map[string]int) {
	tally["all"]++
	if c.gone > 0 && c.gone < c.answered {
		tally["given away first"]++
	}
	if c.effect {
		tally["had an effect"]++
	}
	log := strings.Join(c.log, "\n")
	for what, sign := range map[string]string{"had to wait": " waits", "deadlocks": "40P01", "serialization failures": "40001"} {
		if strings.Contains(log, sign) {
			tally[what]++
		}
	}
}

// judge describes a violation, or returns "".
func (c *schedule) judge(ctx context.Context, db *dbtest.DB) (string, error) {
	if c.gone == 0 || !c.effect || c.gone > c.answered {
		return "", nil // never given away, nothing done, or done before
	}
	switch {
	case c.s.kind == "write" && !c.committed:
		return "", nil
	case c.s.kind == "read" && c.level != pgx.ReadCommitted && c.first < c.gone:
		return "", nil // it reads from a snapshot that it had before
	case db.Cockroach() && c.first < c.gone:
		return "", nil // in the order of time stamps it may have come before
	}
	return fmt.Sprintf("%q had an effect, and it was known before that the rows are another's", c.s.name), nil
}
