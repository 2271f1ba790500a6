package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/rowkeeper/rowkeeper/internal/faultnet"
)

// hotProcessArg, alone on the command line, makes this program one of the processes
// of a case. Every case runs in processes of its own, even if it is one process, so
// that none inherits another's heap or a library's learned state.
//
// The process reads a hotTask, reports that it is ready, waits for a word, works,
// and writes a hotSample, all as JSON. It ends when its input ends.
const hotProcessArg = "-hot-process"

// isHotProcess runs the process if this is one.
func isHotProcess(args []string, in io.Reader, out io.Writer) (is bool, err error) {
	if len(args) != 1 || args[0] != hotProcessArg {
		return false, nil
	}
	return true, runHotProcess(in, out)
}

// hotTask is the task of one process.
type hotTask struct {
	URL, Schema          string
	Delay                time.Duration
	Scenario, Candidate  string
	First, Workers, Pool int // its workers are numbered from First
	WarmUp, Time         time.Duration
	Deadline             time.Duration // of each call
}

func runHotProcess(in io.Reader, out io.Writer) error {
	from, to := json.NewDecoder(in), json.NewEncoder(out)
	var t hotTask
	if err := from.Decode(&t); err != nil {
		return err
	}
	ctx, cancel := context.WithCancelCause(context.Background())
	defer cancel(nil)
	pool, closePool, err := t.connect(ctx)
	if err != nil {
		return err
	}
	defer closePool()
	var word string
	if err := to.Encode("ready"); err != nil {
		return err
	}
	if err := from.Decode(&word); err != nil {
		return err
	}
	go func() {
		if err := from.Decode(&word); err != nil {
			cancel(fmt.Errorf("the process that began this one is gone: %w", err))
		}
	}()
	sample, err := t.measure(ctx, pool)
	if err != nil {
		return err
	}
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return to.Encode(sample)
}

func (t hotTask) connect(ctx context.Context) (_ *pgxpool.Pool, closeAll func(), err error) {
	config, err := pgxpool.ParseConfig("")
	if err != nil {
		return nil, nil, err
	}
	if config.ConnConfig, err = pgx.ParseConfig(t.URL); err != nil {
		return nil, nil, err
	}
	config.ConnConfig.RuntimeParams["search_path"] = t.Schema
	config.MaxConns = int32(t.Pool)
	config.ShouldPing = func(context.Context, pgxpool.ShouldPingParams) bool { return false } // as in newPool
	closeProxy := func() {}
	if t.Delay > 0 {
		proxy, err := faultnet.New(pgconn.NetworkAddress(config.ConnConfig.Host, config.ConnConfig.Port))
		if err != nil {
			return nil, nil, err
		}
		proxy.SetRoundTrip(t.Delay)
		proxy.Rewrite(config.ConnConfig)
		closeProxy = proxy.Close
	}
	pool, err := pgxpool.NewWithConfig(ctx, config)
	if err != nil {
		closeProxy()
		return nil, nil, err
	}
	return pool, func() { pool.Close(); closeProxy() }, nil
}

// hotSample is the result of a task. Calls that ended during the warm-up count in
// Committed, Failed, Ambiguous and Errors only.
type hotSample struct {
	Committed int            // calls, from beginning to end: the sum of all balances
	Failed    int            // likewise
	Ambiguous int            // of those, the calls that may have committed
	Errors    map[string]int // what they failed with
	Parts     [2]hotPart     // cold and hot transactions
	Workers   []int          // what each committed in time
	Seconds   []int          // of a convoy, what was committed in each second after the conflict
}

// hotPart counts calls that ended after the warm-up. The process waits for calls
// that are running when the time is over: they count in everything except a rate.
type hotPart struct {
	Attempts, Committed           int
	CommittedInTime, FailedInTime int
	Took                          []int64 // microseconds of each call, also of failed ones
}

func (t hotTask) measure(ctx context.Context, pool *pgxpool.Pool) (*hotSample, error) {
	s, err := scenarioNamed(t.Scenario)
	if err != nil {
		return nil, err
	}
	c, err := candidateNamed(t.Candidate)
	if err != nil {
		return nil, err
	}
	start := time.Now().Add(t.WarmUp)
	end := start.Add(t.Time)
	samples := make([]hotSample, t.Workers)
	var working sync.WaitGroup
	for i := range samples {
		if s.convoy > 0 {
			samples[i].Seconds = make([]int, t.Time/time.Second)
		}
		working.Go(func() {
			for time.Now().Before(end) && ctx.Err() == nil {
				t.call(ctx, pool, c, s, t.First+i, &samples[i], start, end)
			}
		})
	}
	var failed error
	if s.convoy > 0 {
		working.Go(func() {
			time.Sleep(time.Until(start))
			failed = collide(ctx, pool, c)
		})
	}
	working.Wait()
	if failed != nil && ctx.Err() == nil {
		return nil, fmt.Errorf("the conflict: %w", failed)
	}
	var all hotSample
	for _, sample := range samples {
		sample.Workers = []int{sample.Parts[0].CommittedInTime + sample.Parts[1].CommittedInTime}
		all.add(sample)
	}
	return &all, nil
}

// call runs one transaction and adds it to the worker's sample.
func (t hotTask) call(
	ctx context.Context, pool *pgxpool.Pool, c candidate, s scenario, worker int, sample *hotSample, start, end time.Time,
) {
	do, hot := s.next(worker)
	attempts := 0
	ctx, cancel := context.WithTimeout(ctx, t.Deadline)
	defer cancel()
	began := time.Now()
	err := c.run(ctx, pool, func(ctx context.Context, tx hotTx) error {
		attempts++
		return do(ctx, tx)
	})
	ended := time.Now()

	if err == nil {
		sample.Committed++
	} else {
		sample.Failed++
		if !c.isDefinite(err) {
			sample.Ambiguous++
		}
		if sample.Errors == nil {
			sample.Errors = map[string]int{}
		}
		sample.Errors[classOf(err)]++
	}
	if ended.Before(start) {
		return
	}
	part := &sample.Parts[0]
	if hot {
		part = &sample.Parts[1]
	}
	part.Attempts += attempts
	part.Took = append(part.Took, ended.Sub(began).Microseconds())
	inTime := ended.Before(end)
	switch {
	case err != nil && inTime:
		part.FailedInTime++
	case err == nil:
		part.Committed++
		if inTime {
			part.CommittedInTime++
			if second := int(ended.Sub(start) / time.Second); second < len(sample.Seconds) {
				sample.Seconds[second]++
			}
		}
	}
}

// classOf keeps the number of different errors small.
func classOf(err error) string {
	var pgErr *pgconn.PgError
	switch {
	case errors.As(err, &pgErr):
		return pgErr.Code
	case errors.Is(err, context.DeadlineExceeded):
		return "deadline"
	}
	text := err.Error()
	return text[:min(len(text), 100)]
}

func (s *hotSample) add(other hotSample) {
	s.Committed += other.Committed
	s.Failed += other.Failed
	s.Ambiguous += other.Ambiguous
	if s.Errors == nil {
		s.Errors = map[string]int{}
	}
	for class, n := range other.Errors {
		s.Errors[class] += n
	}
	for i := range s.Parts {
		s.Parts[i].add(other.Parts[i])
	}
	s.Workers = append(s.Workers, other.Workers...)
	if s.Seconds == nil {
		s.Seconds = make([]int, len(other.Seconds))
	}
	for i, n := range other.Seconds {
		s.Seconds[i] += n
	}
}

func (p *hotPart) add(other hotPart) {
	p.Attempts += other.Attempts
	p.Committed += other.Committed
	p.CommittedInTime += other.CommittedInTime
	p.FailedInTime += other.FailedInTime
	p.Took = append(p.Took, other.Took...)
}

// hotProcess is a process of this program, seen from the process that started it.
type hotProcess struct {
	cmd    *exec.Cmd
	in     io.WriteCloser
	to     *json.Encoder
	from   *json.Decoder
	stderr bytes.Buffer
}

// runHotTasks runs each task in a process, all of them at the same time.
func runHotTasks(ctx context.Context, tasks []hotTask) (_ *hotSample, err error) {
	ctx, cancel := context.WithCancel(ctx)
	var processes []*hotProcess
	defer cancel()
	defer func() {
		if err != nil {
			cancel() // kills them
		}
		for _, p := range processes {
			p.in.Close()
			_ = p.cmd.Wait() // its message is on stderr, too
			if err != nil && p.stderr.Len() > 0 {
				err = fmt.Errorf("%w: %s", err, bytes.TrimSpace(p.stderr.Bytes()))
			}
		}
	}()
	for _, task := range tasks {
		p, err := startHotProcess(ctx)
		if err != nil {
			return nil, err
		}
		processes = append(processes, p)
		if err := p.to.Encode(task); err != nil {
			return nil, err
		}
	}
	for _, p := range processes {
		var ready string
		if err := p.from.Decode(&ready); err != nil {
			return nil, err
		}
	}
	for _, p := range processes {
		if err := p.to.Encode("go"); err != nil {
			return nil, err
		}
	}
	var all hotSample
	for _, p := range processes {
		var sample hotSample
		if err := p.from.Decode(&sample); err != nil {
			return nil, err
		}
		all.add(sample)
	}
	return &all, nil
}

func startHotProcess(ctx context.Context) (*hotProcess, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	p := &hotProcess{cmd: exec.CommandContext(ctx, self, hotProcessArg)}
	p.cmd.Stderr = &p.stderr
	if p.in, err = p.cmd.StdinPipe(); err != nil {
		return nil, err
	}
	out, err := p.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	p.to, p.from = json.NewEncoder(p.in), json.NewDecoder(out)
	return p, p.cmd.Start()
}
