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
)

// rttSuite measures transactions without any conflict: their round trips, their
// time at several distances, and their allocations.
type rttSuite struct {
	runs   int
	delays delays
}

func (*rttSuite) name() string  { return "rtt" }
func (*rttSuite) about() string { return "round trips, latency and allocations without conflicts" }

func newRTTSuite() *rttSuite {
	return &rttSuite{delays: delays{0, time.Millisecond, 5 * time.Millisecond, 20 * time.Millisecond}}
}

func (s *rttSuite) network() *delays { return &s.delays }

func (s *rttSuite) register(flags *flag.FlagSet) {
	flags.IntVar(&s.runs, "runs", 50, "rtt: transactions behind each median; ten times as many without delay")
}

// rttFigures are the figures of one library with one body.
type rttFigures struct {
	library    string
	body       body
	roundTrips float64
	medians    []time.Duration // one for each delay
	bytes      float64         // allocated by one transaction
	allocs     float64
}

func (s *rttSuite) run(ctx context.Context, b *fixture, step func(string)) (report, error) {
	if s.runs < 1 {
		return nil, errors.New("-runs must be at least 1")
	}
	r := &rttReport{runs: s.runs, delays: s.delays}
	step("connecting")
	b.proxy.SetRoundTrip(0)
	near, err := connectAll(ctx, b, b.direct)
	if err != nil {
		return nil, err
	}
	defer near.close()
	far, err := connectAll(ctx, b, b.proxied())
	if err != nil {
		return nil, err
	}
	defer far.close()

	for which := range body(bodies) {
		step(fmt.Sprintf("%s: counting", which))
		first := len(r.figures)
		for i, c := range near {
			if c.run[which] == nil {
				continue
			}
			f := rttFigures{library: c.key, body: which}
			if f.roundTrips, err = countTurns(ctx, b, far[i], which); err != nil {
				return nil, err
			}
			if f.bytes, f.allocs, err = countAllocs(ctx, b, c, which); err != nil {
				return nil, err
			}
			r.figures = append(r.figures, f)
		}
		for _, delay := range s.delays {
			step(fmt.Sprintf("%s: latency at %v", which, delay))
			// Without delay the proxy would be most of what is measured.
			clients, runs := near, s.runs*10
			if delay > 0 {
				clients, runs = far, s.runs
			}
			b.proxy.SetRoundTrip(delay)
			medians, err := medianLatencies(ctx, b, clients, which, runs)
			b.proxy.SetRoundTrip(0)
			if err != nil {
				return nil, err
			}
			for i, median := range medians {
				f := &r.figures[first+i]
				f.medians = append(f.medians, median)
			}
		}
	}
	return r, nil
}

// countTurns counts how often one transaction waits for the network.
func countTurns(ctx context.Context, b *fixture, c *client, which body) (float64, error) {
	const times = 10
	var turns int64
	err := b.onAccount(ctx, c, which, times, func(run func() error) error {
		before := b.proxy.RoundTrips()
		err := repeat(times, run)
		turns = b.proxy.RoundTrips() - before
		return err
	})
	return float64(turns) / times, err
}

// countAllocs counts the allocations of one transaction, in this process.
func countAllocs(ctx context.Context, b *fixture, c *client, which body) (bytes, allocs float64, err error) {
	const times = 200
	var before, after runtime.MemStats
	err = b.onAccount(ctx, c, which, times, func(run func() error) error {
		runtime.GC()
		runtime.ReadMemStats(&before)
		err := repeat(times, run)
		runtime.ReadMemStats(&after)
		return err
	})
	return float64(after.TotalAlloc-before.TotalAlloc) / times, float64(after.Mallocs-before.Mallocs) / times, err
}

func repeat(times int, run func() error) error {
	for range times {
		if err := run(); err != nil {
			return err
		}
	}
	return nil
}

// onAccount runs a body of the client on an account of its own, and checks that it
// ran as often as it should.
func (b *fixture) onAccount(ctx context.Context, c *client, which body, times int, measure func(run func() error) error) error {
	a, err := b.open(ctx)
	if err == nil {
		err = measure(func() error { return c.run[which](ctx, a.id) })
	}
	if err == nil {
		err = b.check(ctx, a, times)
	}
	if err != nil {
		return c.failed(which, err)
	}
	return nil
}

// medianLatencies lets all clients that have the body take turns, in another order
// each time, so that other load on the machine affects all of them alike.
func medianLatencies(ctx context.Context, b *fixture, cs clients, which body, runs int) ([]time.Duration, error) {
	type runner struct {
		*client
		account
		took []time.Duration
	}
	var runners []*runner
	for _, c := range cs {
		if c.run[which] == nil {
			continue
		}
		a, err := b.open(ctx)
		if err != nil {
			return nil, err
		}
		runners = append(runners, &runner{client: c, account: a})
	}
	for range runs {
		for _, i := range rand.Perm(len(runners)) {
			r := runners[i]
			start := time.Now()
			err := r.run[which](ctx, r.id)
			r.took = append(r.took, time.Since(start))
			if err != nil {
				return nil, r.failed(which, err)
			}
		}
	}
	var medians []time.Duration
	for _, r := range runners {
		if err := b.check(ctx, r.account, runs); err != nil {
			return nil, r.failed(which, err)
		}
		slices.Sort(r.took)
		medians = append(medians, r.took[len(r.took)/2])
	}
	return medians, nil
}
