package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"runtime"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"
)

// buildSuite measures query builders: the cost of a statement, and its share in a
// read of one row.
type buildSuite struct {
	rounds int
	delays delays
}

func (*buildSuite) name() string { return "build" }
func (*buildSuite) about() string {
	return "making a select with three conditions, and reading one row with it"
}

func newBuildSuite() *buildSuite { return &buildSuite{delays: delays{0}} }

func (s *buildSuite) network() *delays { return &s.delays }

func (s *buildSuite) register(flags *flag.FlagSet) {
	flags.IntVar(&s.rounds, "rounds", 40, "build: rounds behind each median")
}

const (
	buildsInRound = 5000
	getsInRound   = 200
)

// buildFigures are the figures of one builder, or of one way to read a row.
type buildFigures struct {
	key, name string
	median    time.Duration
	bytes     float64 // allocated
	allocs    float64
}

func (s *buildSuite) run(ctx context.Context, b *fixture, step func(string)) (report, error) {
	if s.rounds < 1 {
		return nil, errors.New("-rounds must be at least 1")
	}
	r := &buildReport{rounds: s.rounds, delay: s.delays[0]}
	step("building")
	var err error
	if r.builds, err = measureRounds(s.rounds, buildsInRound, builders); err != nil {
		return nil, err
	}
	step("reading")
	b.proxy.SetRoundTrip(s.delays[0])
	config := b.direct
	if s.delays[0] > 0 {
		config = b.proxied()
	}
	conn, err := pgx.ConnectConfig(ctx, config)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, conn.Close(ctx)) }()
	if _, err := conn.Exec(ctx, buildSchema); err != nil {
		return nil, err
	}
	r.gets, err = measureRounds(s.rounds, getsInRound, readers(ctx, conn))
	return r, err
}

// builder is a query builder or a reader in the comparison.
type builder struct {
	key, name string
	do        func(n int) error
}

// measureRounds lets the builders take turns, in another order each time.
func measureRounds(rounds, each int, all []builder) ([]buildFigures, error) {
	times := make([][]time.Duration, len(all))
	figures := make([]buildFigures, len(all))
	var before, after runtime.MemStats
	for round := range rounds + 1 {
		for _, i := range rand.Perm(len(all)) {
			runtime.GC()
			runtime.ReadMemStats(&before)
			start := time.Now()
			for n := range each {
				if err := all[i].do(n); err != nil {
					return nil, fmt.Errorf("%s: %w", all[i].name, err)
				}
			}
			took := time.Since(start)
			runtime.ReadMemStats(&after)
			if round == 0 {
				continue // cold
			}
			times[i] = append(times[i], took/time.Duration(each))
			figures[i].allocs = float64(after.Mallocs-before.Mallocs) / float64(each)
			figures[i].bytes = float64(after.TotalAlloc-before.TotalAlloc) / float64(each)
		}
	}
	for i := range figures {
		figures[i].key, figures[i].name = all[i].key, all[i].name
		slices.Sort(times[i])
		figures[i].median = times[i][len(times[i])/2]
	}
	return figures, nil
}
