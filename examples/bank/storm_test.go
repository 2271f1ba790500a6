package main

import (
	"bytes"
	"context"
	"errors"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	"github.com/rowkeeper/rowkeeper/errs"
	"github.com/rowkeeper/rowkeeper/internal/devdb"
	"github.com/rowkeeper/rowkeeper/internal/devdb/dbtest"
	"github.com/rowkeeper/rowkeeper/txn"
)

func newRunner(db *dbtest.DB) *txn.Runner { return txn.New(db) }

func TestStorm(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *dbtest.DB) {
		_, err := db.Exec(t.Context(), stormSchema)
		require.NoError(t, err)
		s := storm{workers: 4, accounts: 2, duration: 300 * time.Millisecond}
		quiet := func(int64, time.Duration) {}

		rowkeeper := ways[len(ways)-1]
		require.Equal(t, "Rowkeeper", rowkeeper.name)
		got, err := s.run(t.Context(), db.Pool, 0, rowkeeper, quiet)
		require.NoError(t, err)
		require.Positive(t, got.committed)
		require.Zero(t, got.lost)
		require.Zero(t, got.refused)
		require.GreaterOrEqual(t, got.attempts, got.committed)

		// The demo is there to show this.
		lost := int64(0)
		s.workers = 8
		for number := 100; number < 120 && lost == 0; number++ {
			naive, err := s.run(t.Context(), db.Pool, number, ways[0], quiet)
			require.NoError(t, err)
			lost = naive.lost
		}
		require.Positive(t, lost)

		// The checks notice lost updates and refusals.
		liar := way{"liar", func(context.Context, *pgxpool.Pool, move, func()) error { return nil }}
		one := storm{workers: 1, accounts: 2, duration: 5 * time.Millisecond}
		found := false
		for number := 1; number < 20 && !found; number++ { // transfers there and back cancel out
			got, err = one.run(t.Context(), db.Pool, number, liar, quiet)
			require.NoError(t, err)
			found = got.lost > 0
		}
		require.True(t, found)

		quitter := way{"quitter", func(context.Context, *pgxpool.Pool, move, func()) error { return errs.Contention }}
		got, err = one.run(t.Context(), db.Pool, 20, quitter, quiet)
		require.NoError(t, err)
		require.Positive(t, got.refused)
		require.Zero(t, got.committed)

		broken := way{"broken", func(context.Context, *pgxpool.Pool, move, func()) error { return errs.NotFound }}
		_, err = one.run(t.Context(), db.Pool, 21, broken, quiet)
		require.True(t, errors.Is(err, errs.NotFound), "%v", err)
	})
}

func TestReport(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	report(&out, []score{{name: "x", committed: 4, refused: 1, lost: 2, attempts: 6, took: []time.Duration{1e6, 2e6, 3e6}}, {name: "nothing"}})
	require.Contains(t, out.String(), "x           4               1              2              1.50   2.0 ms   2.0 ms   3.0 ms")
}

func TestDemoRunsOnce(t *testing.T) {
	t.Setenv(devdb.EnvURL, dbtest.First(t).URL)
	require.NoError(t, run(t.Context(), []string{"-once", "-duration", "300ms", "-workers", "4"}))
}

func TestDemoRefusesWhatItCannotDo(t *testing.T) {
	t.Parallel()
	for _, args := range [][]string{{"-workers", "0"}, {"-accounts", "1"}, {"-duration", "0s"}, {"what"}, {"-addr", "0.0.0.0:8080"}, {"-addr", "nonsense"}, {"-nonsense"}} {
		require.Error(t, run(t.Context(), append(args, "-once")), "%v", args)
	}
}
