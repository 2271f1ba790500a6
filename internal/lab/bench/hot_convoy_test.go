package main

import (
	"bytes"
	"encoding/json"
	"flag"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rowkeeper/rowkeeper/internal/devdb/dbtest"
)

func TestConvoyIsSetBesideItselfWithoutLines(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *dbtest.DB) {
		s := shortHotSuite()
		r := &hotReport{time: 2 * time.Second, deadline: s.deadline, pool: s.pool}
		for _, c := range []string{"rowkeeper", withoutQueues} {
			hc := hotCase{scenario: "convoy-50ms-within-2s", candidate: c, processes: 1, workers: 4}
			f, err := s.measure(t.Context(), db.URL, hc, r.time)
			require.NoError(t, err)
			require.Len(t, f.seconds, 2)
			require.LessOrEqual(t, f.seconds[0]+f.seconds[1], f.committed)
			r.figures = append(r.figures, f)
		}
		r.figures[1].seconds = []int{10, 10} // whatever the machine made of it
		r.figures[0].seconds = []int{5, 9}
		var table bytes.Buffer
		require.NoError(t, r.write(&table))
		require.Contains(t, table.String(), "convoy-50ms-within-2s at 0s, 1 process, 4 workers: rowkeeper: 0.50 0.90; at least 0.50\n")
		encoded, err := json.Marshal(r)
		require.NoError(t, err)
		require.Contains(t, string(encoded), `"committed_in_each_second":[5,9],"each_second_vs_without_lines":[0.5,0.9]`)
	})
}

func TestConvoyStandsForAllOfThem(t *testing.T) {
	t.Parallel()
	s := newHotSuite()
	flags := flag.NewFlagSet("", flag.ContinueOnError)
	flags.SetOutput(new(bytes.Buffer))
	s.register(flags)
	require.NoError(t, flags.Parse([]string{"-scenarios", "hot, convoy"}))
	require.Len(t, s.scenarios, 1+6)
	require.Error(t, flags.Parse([]string{"-scenarios", "convoy,convoy-50ms"}))
	for _, hc := range s.cases() {
		require.True(t, hc.scenario == "hot" || hc.workers > 1, hc)
	}
}
