package main

import (
	"bytes"
	"encoding/json"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rowkeeper/rowkeeper/internal/devdb/dbtest"
)

func shortHotSuite() *hotSuite {
	s := newHotSuite()
	s.time, s.deadline, s.pool = 150*time.Millisecond, 2*time.Minute, 4
	return s
}

// untilEnough tries again with twice the time: on a slow machine a short run may
// have no result.
func untilEnough(s *hotSuite, try func() (enough bool)) {
	for !try() && s.time < time.Minute {
		s.time *= 2
	}
}

func TestEveryCandidateDoesItsWorkInEveryScenario(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *dbtest.DB) {
		s := shortHotSuite()
		for _, sc := range scenarios {
			for _, c := range candidates {
				if sc.convoy > 50*time.Millisecond && !c.ours {
					continue // nothing else about them
				}
				hc := hotCase{scenario: sc.key, candidate: c.key, processes: 1, workers: 4}
				t.Run(sc.key+"/"+c.key, func(t *testing.T) {
					t.Parallel()
					s, f := *s, hotFigures{}
					untilEnough(&s, func() bool {
						var err error
						f, err = s.measure(t.Context(), db.URL, hc, s.time)
						require.NoError(t, err)
						return f.committed > 0
					})
					require.Positive(t, f.committed, "%v", f.errors)
					require.Zero(t, f.extra)
					for class := range f.errors {
						require.Contains(t, []string{"40001", "40P01", "deadline"}, class)
					}
					if c.key == baseCockroachGo && !db.Cockroach() {
						return // cockroach-go takes PostgreSQL's answer ROLLBACK to COMMIT for a commit
					}
					require.Zero(t, f.lost)
				})
			}
		}
	})
}

func TestHotReportHasEveryFigure(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *dbtest.DB) {
		s := shortHotSuite()
		s.scenarios = []scenario{must(scenarioNamed("mixed")), must(scenarioNamed(withoutHotRow))}
		s.candidates = []candidate{must(candidateNamed("rowkeeper")), must(candidateNamed(baseCockroachGo))}
		s.workers, s.processes = []int{5}, []int{2}
		s.delays = delays{time.Millisecond}
		var r report
		untilEnough(s, func() bool {
			var err error
			r, err = s.run(t.Context(), fixtureOn(t, db), func(string) {})
			require.NoError(t, err)
			return !slices.ContainsFunc(r.(*hotReport).figures, func(f hotFigures) bool {
				return f.all.rate == 0 || f.scenario == "mixed" && f.hot.p50 > 0 && f.cold.rate == 0
			})
		})

		var table bytes.Buffer
		require.NoError(t, r.write(&table))
		encoded, err := json.Marshal(r)
		require.NoError(t, err)
		type part struct {
			Rate     float64 `json:"committed_per_s"`
			Attempts float64 `json:"attempts_per_commit"`
			P50      float64 `json:"p50_ms"`
			P99      float64 `json:"p99_ms"`
			Max      float64 `json:"max_ms"`
		}
		var decoded struct {
			Rows []struct {
				Scenario, Candidate string
				RoundTrip           float64 `json:"round_trip_ms"`
				Processes, Workers  int
				part
				Alone     float64 `json:"vs_one_worker"`
				Peer      float64 `json:"vs_best_peer"`
				Cockroach float64 `json:"vs_cockroach_go"`
				P99Ratio  float64 `json:"p99_vs_fair"`
				ColdP50   float64 `json:"cold_p50_vs_no_hot_row"`
				BestPeer  string  `json:"best_peer"`
				Slowest   float64 `json:"slowest_worker_vs_mean"`
				Hot, Cold *part
			}
		}
		require.NoError(t, json.Unmarshal(encoded, &decoded))
		require.Len(t, decoded.Rows, 2*2*2)
		for _, row := range decoded.Rows {
			require.Contains(t, table.String(), must(candidateNamed(row.Candidate)).name)
			require.Equal(t, 1.0, row.RoundTrip)
			require.Contains(t, [][2]int{{1, 1}, {2, 5}}, [2]int{row.Processes, row.Workers})
			require.Positive(t, row.Rate)
			require.GreaterOrEqual(t, row.Attempts, 1.0)
			require.Greater(t, row.P50, 2*row.RoundTrip, "faster than the network")
			require.GreaterOrEqual(t, row.P99, row.P50)
			require.GreaterOrEqual(t, row.Max, row.P99)
			require.Positive(t, row.Alone)
			require.Positive(t, row.Peer)
			require.Positive(t, row.Cockroach)
			require.Positive(t, row.P99Ratio)
			require.Equal(t, baseCockroachGo, row.BestPeer)
			require.LessOrEqual(t, row.Slowest, 1.0)
			if row.Scenario != "mixed" || row.Hot == nil { // nothing is hot in a bad draw
				require.Nil(t, row.Cold)
				continue
			}
			require.Positive(t, row.Cold.Rate)
			require.Positive(t, row.Hot.P50)
			require.Positive(t, row.ColdP50)
		}
	})
}

func TestWorkersAreDividedAmongProcesses(t *testing.T) {
	t.Parallel()
	s := shortHotSuite()
	var first, workers []int
	for _, task := range s.tasks(&fixture{}, hotCase{scenario: "hot", processes: 4, workers: 10}, 0, 0) {
		first, workers = append(first, task.First), append(workers, task.Workers)
	}
	require.Equal(t, []int{0, 3, 6, 8}, first)
	require.Equal(t, []int{3, 3, 2, 2}, workers)
}

func TestHotFigures(t *testing.T) {
	t.Parallel()
	sample := &hotSample{Committed: 40, Failed: 3, Ambiguous: 1, Workers: []int{5, 15}}
	sample.Parts[0] = hotPart{Attempts: 8, Committed: 8, CommittedInTime: 8, Took: []int64{1000, 3000, 2000}}
	sample.Parts[1] = hotPart{Attempts: 32, Committed: 12, CommittedInTime: 12, FailedInTime: 2, Took: []int64{9000}}

	f := figuresOf(hotCase{workers: 2}, sample, 2*time.Second, 38)
	require.Equal(t, 2, f.lost)
	require.Zero(t, f.extra)
	require.Equal(t, 0.5, f.slowest)
	require.Equal(t, hotPartFigures{
		rate: 10, failRate: 1, attempts: 2, p50: 2 * time.Millisecond, p99: 3 * time.Millisecond, max: 9 * time.Millisecond,
	}, f.all)
	require.Equal(t, 4.0, f.cold.rate)
	require.Equal(t, 9*time.Millisecond, f.hot.p50)

	f = figuresOf(hotCase{workers: 2}, sample, 2*time.Second, 42)
	require.Zero(t, f.lost)
	require.Equal(t, 1, f.extra, "one may be there, two may not")
}

func TestHotProcessThatCannotWorkSaysWhy(t *testing.T) {
	t.Parallel()
	_, err := runHotTasks(t.Context(), []hotTask{{URL: "postgres://%"}})
	require.ErrorContains(t, err, "cannot parse")
}
