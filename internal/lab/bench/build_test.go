package main

import (
	"bytes"
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rowkeeper/rowkeeper/internal/devdb/dbtest"
)

func TestBuildSuite(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *dbtest.DB) {
		s := buildSuite{rounds: 1, delays: delays{0}}
		r, err := s.run(t.Context(), fixtureOn(t, db), func(string) {})
		require.NoError(t, err)
		report := r.(*buildReport)
		require.Len(t, report.builds, len(builders))
		require.Len(t, report.gets, 2)
		for _, f := range append(report.builds, report.gets...) {
			require.Positive(t, f.median, f.name)
			require.Positive(t, f.allocs, f.name)
		}
		var text bytes.Buffer
		require.NoError(t, r.write(&text))
		for _, c := range builders {
			require.Contains(t, text.String(), c.name)
		}
		encoded, err := json.Marshal(r)
		require.NoError(t, err)
		require.Contains(t, string(encoded), `"median_ns"`)

		s.rounds = 0
		_, err = s.run(t.Context(), fixtureOn(t, db), func(string) {})
		require.ErrorContains(t, err, "-rounds")
	})
}
