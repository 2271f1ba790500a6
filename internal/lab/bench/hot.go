package main

import (
	"cmp"
	"context"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"time"
)

// hotSuite measures transactions that conflict: how many are committed, how much
// work is wasted, and how long each worker waits.
type hotSuite struct {
	scenarios  []scenario
	candidates []candidate
	workers    []int
	processes  []int
	delays     delays
	time       time.Duration
	deadline   time.Duration
	pool       int
}

func (*hotSuite) name() string { return "hot" }
func (*hotSuite) about() string {
	return "throughput, failures and fairness on rows that everybody wants"
}

func newHotSuite() *hotSuite {
	s := &hotSuite{candidates: candidates, workers: []int{1, 128}, processes: []int{1}, delays: delays{0}}
	for _, key := range []string{"hot", "mixed", withoutHotRow, "transfers-10"} {
		s.scenarios = append(s.scenarios, must(scenarioNamed(key)))
	}
	return s
}

func must[T any](value T, err error) T {
	if err != nil {
		panic(err)
	}
	return value
}

func (s *hotSuite) network() *delays { return &s.delays }

func (s *hotSuite) register(flags *flag.FlagSet) {
	list(flags, "scenarios", "kinds of contention", &s.scenarios, scenarios, scenariosNamed,
		func(s scenario) string { return s.key })
	list(flags, "candidates", "ways of running a transaction", &s.candidates, candidates,
		func(key string) ([]candidate, error) { c, err := candidateNamed(key); return []candidate{c}, err },
		func(c candidate) string { return c.key })
	numbers(flags, "workers", "numbers of workers; a single one is always measured, to compare with", &s.workers)
	numbers(flags, "processes", "numbers of processes that the workers are divided among", &s.processes)
	flags.DurationVar(&s.time, "time", 3*time.Second, "hot: how long each line is measured; that of a convoy at least "+convoyTime.String())
	flags.DurationVar(&s.deadline, "deadline", 10*time.Second, "hot: of each call")
	flags.IntVar(&s.pool, "pool", 16, "hot: connections of each process")
}

// list defines a flag for some of all values, by their keys. A name may stand for
// several.
func list[T any](flags *flag.FlagSet, name, about string, to *[]T, all []T, named func(string) ([]T, error), key func(T) string) {
	usage := fmt.Sprintf("hot: `names` of %s, divided by commas, or all: %s (default %s)", about, joined(all, key), joined(*to, key))
	if name == "scenarios" {
		usage += fmt.Sprintf("; %s is all that begin so: with -candidates rowkeeper,%s -workers 64 -pool 64 "+
			"it shows each second after one conflict beside the same without queues", convoy, withoutQueues)
	}
	flags.Func(name, usage, func(text string) error {
		if text == "all" {
			*to = all
			return nil
		}
		parts, err := listed(text, func(part string) (string, error) {
			_, err := named(part)
			return part, err
		})
		if err != nil {
			return err
		}
		*to = nil
		for _, part := range parts {
			for _, value := range must(named(part)) {
				if slices.ContainsFunc(*to, func(other T) bool { return key(other) == key(value) }) {
					return fmt.Errorf("%q is there twice", key(value))
				}
				*to = append(*to, value)
			}
		}
		return nil
	})
}

// numbers defines a flag for numbers of at least 1.
func numbers(flags *flag.FlagSet, name, about string, to *[]int) {
	usage := fmt.Sprintf("hot: `numbers`, divided by commas: %s (default %s)", about, joined(*to, strconv.Itoa))
	flags.Func(name, usage, func(text string) (err error) {
		*to, err = listed(text, func(part string) (int, error) {
			n, err := strconv.Atoi(part)
			if err == nil && n < 1 {
				err = errors.New("must be at least 1")
			}
			return n, err
		})
		return err
	})
}

// hotCase is what one line of the table measures.
type hotCase struct {
	scenario, candidate string
	delay               time.Duration
	processes, workers  int
}

func (hc hotCase) String() string {
	return fmt.Sprintf("%s at %v, %s, %s: %s", hc.scenario, hc.delay, plural(hc.processes, "process", "es"),
		plural(hc.workers, "worker", "s"), hc.candidate)
}

func plural(n int, one, more string) string {
	if n == 1 {
		more = ""
	}
	return fmt.Sprintf("%d %s%s", n, one, more)
}

// cases returns the cases in the order of measurement: all candidates beside each
// other, in another order each time. One worker alone is always a case of its own,
// because the others are compared with it, except in a convoy, which needs more
// workers.
func (s *hotSuite) cases() (all []hotCase) {
	each := func(hc hotCase) {
		for _, i := range rand.Perm(len(s.candidates)) {
			hc.candidate = s.candidates[i].key
			all = append(all, hc)
		}
	}
	for _, sc := range s.scenarios {
		for _, delay := range s.delays {
			if sc.convoy == 0 {
				each(hotCase{scenario: sc.key, delay: delay, processes: 1, workers: 1})
			}
			for _, processes := range s.processes {
				for _, workers := range s.workers {
					if workers > 1 && workers >= processes {
						each(hotCase{scenario: sc.key, delay: delay, processes: processes, workers: workers})
					}
				}
			}
		}
	}
	return all
}

func (s *hotSuite) run(ctx context.Context, b *fixture, step func(string)) (report, error) {
	if s.time <= 0 || s.deadline <= 0 || s.pool < 1 {
		return nil, errors.New("-time, -deadline and -pool must be more than nothing")
	}
	r := &hotReport{time: s.time, deadline: s.deadline, pool: s.pool}
	cases := s.cases()
	for i, hc := range cases {
		step(fmt.Sprintf("%d of %d: %s", i+1, len(cases), hc))
		took := s.time
		if must(scenarioNamed(hc.scenario)).convoy > 0 {
			took = max(took, convoyTime)
		}
		f, err := s.measure(ctx, b.url, hc, took)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", hc, err)
		}
		r.figures = append(r.figures, f)
	}
	r.sort()
	return r, nil
}

// measure gives the case a schema of its own.
func (s *hotSuite) measure(ctx context.Context, url string, hc hotCase, took time.Duration) (_ hotFigures, err error) {
	b, err := newFixture(ctx, url)
	if err != nil {
		return hotFigures{}, err
	}
	defer func() { err = errors.Join(err, b.close(ctx)) }()
	if err := b.openHot(ctx, hc.workers); err != nil {
		return hotFigures{}, err
	}
	warmUp := max(min(took/4, 500*time.Millisecond), 2*must(scenarioNamed(hc.scenario)).convoy)
	const toStart = 5 * time.Minute
	running, cancel := context.WithTimeout(ctx, toStart+warmUp+took+2*s.deadline)
	defer cancel()
	sample, err := runHotTasks(running, s.tasks(b, hc, warmUp, took))
	if err != nil {
		return hotFigures{}, err
	}
	sum, err := b.hotSum(ctx)
	return figuresOf(hc, sample, took, sum), err
}

// tasks divides the workers among the processes.
func (s *hotSuite) tasks(b *fixture, hc hotCase, warmUp, took time.Duration) (tasks []hotTask) {
	deadline := cmp.Or(must(scenarioNamed(hc.scenario)).deadline, s.deadline)
	first := 0
	for i := range hc.processes {
		workers := hc.workers / hc.processes
		if i < hc.workers%hc.processes {
			workers++
		}
		tasks = append(tasks, hotTask{
			URL: b.url, Schema: b.schema, Delay: hc.delay, Scenario: hc.scenario, Candidate: hc.candidate,
			First: first, Workers: workers, Pool: s.pool, WarmUp: warmUp, Time: took, Deadline: deadline,
		})
		first += workers
	}
	return tasks
}

// figuresOf computes figures from the counts and from the sum of the balances.
func figuresOf(hc hotCase, s *hotSample, took time.Duration, sum int) hotFigures {
	f := hotFigures{
		hotCase: hc, committed: s.Committed, failed: s.Failed, errors: s.Errors, seconds: s.Seconds,
		lost:  max(0, s.Committed-sum),
		extra: max(0, sum-s.Committed-s.Ambiguous),
		cold:  partFigures(s.Parts[0], took), hot: partFigures(s.Parts[1], took),
	}
	both := s.Parts[0]
	both.add(s.Parts[1])
	f.all = partFigures(both, took)
	if both.CommittedInTime > 0 {
		mean := float64(both.CommittedInTime) / float64(len(s.Workers))
		f.slowest = float64(slices.Min(s.Workers)) / mean
	}
	return f
}

func partFigures(p hotPart, took time.Duration) (f hotPartFigures) {
	f.rate = float64(p.CommittedInTime) / took.Seconds()
	f.failRate = float64(p.FailedInTime) / took.Seconds()
	f.attempts = ratio(float64(p.Attempts), float64(p.Committed))
	if len(p.Took) > 0 {
		slices.Sort(p.Took)
		at := func(share float64) time.Duration {
			return time.Duration(p.Took[int(share*float64(len(p.Took)-1))]) * time.Microsecond
		}
		f.p50, f.p99, f.max = at(0.5), at(0.99), at(1)
	}
	return f
}

// ratio returns 0 if there is nothing to compare with.
func ratio(a, b float64) float64 {
	if b == 0 {
		return 0
	}
	return a / b
}
