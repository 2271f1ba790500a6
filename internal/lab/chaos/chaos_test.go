package chaos_test

import (
	"bytes"
	"flag"
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rowkeeper/rowkeeper/internal/devdb"
	"github.com/rowkeeper/rowkeeper/internal/lab/chaos"
)

var small = flag.Bool("small", false, "run a small storm and a small soak too")

// skipUnlessSmall keeps slow tests out of go test ./...; make test runs them.
func skipUnlessSmall(t *testing.T) {
	if !*small || testing.Short() {
		t.Skip("takes long: go test ./internal/lab/chaos -small")
	}
}

// each runs f on every engine that can be killed.
func each(t *testing.T, f func(t *testing.T, s devdb.Source)) {
	if os.Getenv(devdb.EnvURL) != "" {
		t.Skip("a server that was not started here is not killed")
	}
	sources, err := devdb.Find()
	require.NoError(t, err)
	for _, s := range sources {
		t.Run(string(s.Engine), func(t *testing.T) { f(t, s) })
	}
}

func TestSmallRun(t *testing.T) {
	skipUnlessSmall(t)
	each(t, func(t *testing.T, s devdb.Source) {
		var out bytes.Buffer
		plan := chaos.Plan{Seed: 1, Transactions: 600, Cuts: 40, Kills: 1, Time: 10 * time.Minute}
		report, err := chaos.Run(t.Context(), s, plan, &out)
		require.NoError(t, err, "%s", &out)
		require.Zero(t, report.Wrong, "%s", &out)
		require.GreaterOrEqual(t, report.Committed, 500)
		require.Positive(t, report.Requests)
		require.Positive(t, report.Histories)
		t.Logf("%v", report)
	})
}

func TestARunThatComesToNothingSaysSo(t *testing.T) {
	each(t, func(t *testing.T, s devdb.Source) {
		_, err := chaos.Run(t.Context(), s, chaos.Plan{Transactions: 1_000_000, Time: 100 * time.Millisecond}, new(bytes.Buffer))
		require.ErrorContains(t, err, "it came to no more than")
	})
}

func TestSmallSoak(t *testing.T) {
	skipUnlessSmall(t)
	each(t, func(t *testing.T, s devdb.Source) {
		var out bytes.Buffer
		require.NoError(t, chaos.Soak(t.Context(), s, 1, 9*time.Second, &out), "%s", &out)
		t.Logf("%s", &out)
	})
}

func TestPlansThatMakeNoSense(t *testing.T) {
	for want, plan := range map[string]chaos.Plan{
		"at least one transaction": {Time: time.Second},
		"a positive time":          {Transactions: 1},
		"no negative numbers":      {Transactions: 1, Time: time.Second, Kills: -1},
		`"x" is no kind of call`:   {Transactions: 1, Time: time.Second, Work: []string{"x"}},
	} {
		_, err := chaos.Run(t.Context(), devdb.Source{}, plan, new(bytes.Buffer))
		require.ErrorContains(t, err, want)
	}
	require.ErrorContains(t, chaos.Soak(t.Context(), devdb.Source{}, 1, time.Second, new(bytes.Buffer)), "shows nothing")
}
