package main

import (
	"bytes"
	"encoding/json"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rowkeeper/rowkeeper/internal/devdb/dbtest"
)

// turnsOf is the number of round trips of each library: for its own statements, and
// for each statement of the body.
var turnsOf = map[string]struct{ around, each int }{
	"cockroach-go":    {4, 1}, // BEGIN, SAVEPOINT, RELEASE, COMMIT
	"pgx":             {2, 1}, // BEGIN, COMMIT
	"pgx-batch-begin": {1, 1}, // COMMIT
	"database-sql":    {2, 1},
	"gorm":            {2, 1},
	"gorm-prepare":    {2, 3}, // prepare, execute, deallocate
	"rowkeeper":       {1, 1}, // COMMIT
	"rowkeeper-queue": {0, 1},
	"rowkeeper-batch": {0, 1},
}

func TestEveryLibraryDoesItsWork(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *dbtest.DB) {
		b := fixtureOn(t, db)
		clients, err := connectAll(t.Context(), b, b.proxied())
		require.NoError(t, err)
		defer clients.close()
		for _, c := range clients {
			for i, run := range c.run {
				which := body(i)
				if _, lacks := c.lacks[which]; lacks {
					require.Nil(t, run, c.key)
					continue
				}
				a, err := b.open(t.Context())
				require.NoError(t, err)
				require.NoError(t, run(t.Context(), a.id), "%s, %s", c.key, which)
				require.NoError(t, b.check(t.Context(), a, 1), "%s, %s", c.key, which)

				trips, err := countTurns(t.Context(), b, c, which)
				require.NoError(t, err)
				of, ok := turnsOf[c.key]
				require.True(t, ok, c.key)
				require.EqualValues(t, of.around+of.each*which.statements(), trips, "%s, %s", c.key, which)
			}
		}
	})
}

func TestReportHasEveryFigure(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *dbtest.DB) {
		s := rttSuite{runs: 1, delays: delays{0, time.Millisecond}}
		r, err := s.run(t.Context(), fixtureOn(t, db), func(string) {})
		require.NoError(t, err)

		var table bytes.Buffer
		require.NoError(t, r.write(&table))
		encoded, err := json.Marshal(r)
		require.NoError(t, err)
		var decoded struct {
			Rows []struct {
				Library    string
				RoundTrips float64 `json:"round_trips"`
				Bytes      float64
				Allocs     float64
				Latencies  []struct {
					RoundTrip     float64 `json:"round_trip_ms"`
					Median        float64 `json:"median_ms"`
					VsCockroachGo float64 `json:"vs_cockroach_go"`
					VsPgx         float64 `json:"vs_pgx"`
				}
			}
			LeftOut []omission `json:"left_out"`
		}
		require.NoError(t, json.Unmarshal(encoded, &decoded))
		require.Len(t, decoded.Rows, len(libraries)*int(bodies)-len(decoded.LeftOut))
		for _, row := range decoded.Rows {
			require.Contains(t, table.String(), libraryNamed(row.Library).name)
			require.Positive(t, row.RoundTrips)
			require.Positive(t, row.Bytes)
			require.Positive(t, row.Allocs)
			require.Len(t, row.Latencies, 2)
			for _, l := range row.Latencies {
				require.Positive(t, l.VsCockroachGo)
				require.Positive(t, l.VsPgx)
				require.GreaterOrEqual(t, l.Median, l.RoundTrip*row.RoundTrips, "%s is faster than the network", row.Library)
			}
		}
	})
}

func TestFlags(t *testing.T) {
	t.Parallel()
	for _, args := range [][]string{
		{"-suite", "nothing"}, {"-delays", "1"}, {"-delays", "-1ms"}, {"-delays", "1ms,1ms"}, {"-delays", ""}, {"stray"},
		{"-scenarios", "nothing"}, {"-scenarios", "hot,hot"}, {"-candidates", ""}, {"-workers", "0"}, {"-processes", "x"},
		{"-suite", "hot", "-time", "0"},
	} {
		require.Error(t, run(t.Context(), args, new(bytes.Buffer)), "%q", args)
	}
	var d delays
	require.NoError(t, d.Set("0, 1ms"))
	require.Equal(t, "0s,1ms", d.String())
}
