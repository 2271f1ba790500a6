package admission

import (
	"context"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

// workload is workers that run transactions which all begin alike, in virtual time:
// only the transactions take time, as long as they say.
type workload struct {
	workers  int
	pool     int           // connections; 0: one for each worker
	lasts    time.Duration // a transaction, give or take a quarter
	deadline time.Duration // of a call; 0: none
	rows     int           // to write: who writes one that somebody else has written meanwhile loses; 0: one for each
	change   time.Duration // when there are so many instead:
	then     int
	losers   int // of the transactions under way at the start, those that lose to somebody else
	runs     time.Duration
	queues   *Queues // nil: none
}

// simulated is a running workload with its results.
type simulated struct {
	workload

	mu       sync.Mutex
	versions map[int]int
	start    time.Time
	conns    chan struct{}

	commits  []time.Duration // since the start
	by       []int           // of each worker
	attempts int
	waited   int // attempts that had to wait for their permit
	refused  int // calls that had no time left, or were told so
}

func (load workload) run(t *testing.T) *simulated {
	t.Helper()
	w := &simulated{workload: load, by: make([]int, load.workers), versions: map[int]int{}}
	if w.pool == 0 {
		w.pool = w.workers
	}
	synctest.Test(t, func(*testing.T) {
		w.start = time.Now()
		w.conns = make(chan struct{}, w.pool)
		var all sync.WaitGroup
		for i := range w.workers {
			all.Go(func() {
				random := rand.New(rand.NewPCG(1, uint64(i))) // the same in each run
				for time.Since(w.start) < w.runs {
					w.call(i, random)
				}
			})
		}
		all.Wait()
	})
	return w
}

// call simulates a call until it is committed or has no time left.
func (w *simulated) call(worker int, random *rand.Rand) {
	ctx := context.Background()
	if w.deadline > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, w.deadline)
		defer cancel()
	}
	r := Request{Key: 1}
	r.Deadline, _ = ctx.Deadline()
	apart := false
	for {
		if r.Losses > 1 && !apart {
			time.Sleep(between(random, 0, time.Millisecond<<min(r.Losses, 9)))
		}
		permit, how := w.attempt(ctx, &r, random)
		if how != Lost {
			w.note(worker, how)
			return
		}
		r.Losses++
		if w.queues != nil {
			apart = w.queues.Lost(&r, permit)
		}
	}
}

// note records how a call ended.
func (w *simulated) note(worker int, how Verdict) {
	if how == Cut {
		time.Sleep(10 * time.Millisecond)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if how == Cut {
		w.refused++
		return
	}
	w.by[worker]++
	w.commits = append(w.commits, time.Since(w.start))
}

// attempt simulates an attempt: it waits for a permit, then for a connection.
func (w *simulated) attempt(ctx context.Context, r *Request, random *rand.Rand) (t *Permit, how Verdict) {
	if w.queues != nil {
		var err error
		if t, err = w.queues.Enter(r); err != nil {
			return nil, Cut
		}
	}
	if t != nil {
		defer func() { w.queues.Release(t, how) }()
		if t.granted != nil {
			w.mu.Lock()
			w.waited++
			w.mu.Unlock()
			select {
			case <-t.granted:
			case <-ctx.Done():
				return t, Cut
			}
		}
	}
	select {
	case w.conns <- struct{}{}:
	case <-ctx.Done():
		return t, Cut
	}
	defer func() { <-w.conns }()
	if t != nil {
		w.queues.Connected(t)
	}
	return t, w.transaction(ctx, random)
}

func (w *simulated) transaction(ctx context.Context, random *rand.Rand) Verdict {
	w.mu.Lock()
	w.attempts++
	row, rows, began := -1, w.rows, time.Since(w.start)
	if w.change > 0 && began >= w.change {
		rows = w.then
	}
	if rows > 0 {
		row = random.IntN(rows)
	}
	read := w.versions[row]
	w.mu.Unlock()
	select {
	case <-time.After(between(random, w.lasts*3/4, w.lasts*5/4)):
	case <-ctx.Done():
		return Cut
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if row >= 0 && w.versions[row] != read {
		return Lost
	}
	if at := w.runs / 4; w.losers > 0 && began <= at && time.Since(w.start) > at {
		w.losers--
		return Lost
	}
	w.versions[row]++
	return Agreed
}

func between(random *rand.Rand, a, b time.Duration) time.Duration {
	return a + time.Duration(random.Int64N(int64(b-a)))
}

// in returns how many were committed between two times.
func (w *simulated) in(from, until time.Duration) (n float64) {
	for _, at := range w.commits {
		if from <= at && at < until {
			n++
		}
	}
	return n
}

var convoyed = []time.Duration{50 * time.Millisecond, 300 * time.Millisecond, time.Second}

// One conflict among transactions that only begin alike costs nothing, however
// long they last, with and without deadlines, with and without enough connections.
func TestConvoyDoesNotForm(t *testing.T) {
	t.Parallel()
	for _, lasts := range convoyed {
		for _, pool := range []int{0, 16} {
			for _, deadline := range []time.Duration{0, 8 * lasts} {
				load := workload{workers: 64, pool: pool, lasts: lasts, deadline: deadline, losers: 1, runs: 8 * lasts}
				free := load.run(t)
				load.queues = New(unlimited)
				lined := load.run(t)
				require.Zero(t, lined.waited, "%v", load)
				require.InEpsilon(t, len(free.commits), len(lined.commits), 0.05, "%v", load)
			}
		}
	}
}

// Many conflicts at once, of which one is like another to a contended row, do not delay
// them for long either.
func TestConvoyBreaksUp(t *testing.T) {
	t.Parallel()
	for _, lasts := range convoyed {
		for _, losers := range []int{2, 10, 64} {
			load := workload{workers: 64, lasts: lasts, losers: losers, runs: 8 * time.Second}
			free := load.run(t)
			load.queues = New(unlimited)
			lined := load.run(t)
			share := 0.9
			if losers == load.workers { // as if it were a row that everybody wants, so it takes longer to see that it is none
				share = 0.7
			}
			for at := load.runs/4 + 3*time.Second; at < load.runs; at += time.Second {
				require.GreaterOrEqual(t, lined.in(at, at+time.Second), share*free.in(at, at+time.Second), "%v: %v", load, at)
			}
		}
	}
}

// A contended row is given to one call after the other, and every call gets it.
func TestHotRowIsServedInTurn(t *testing.T) {
	t.Parallel()
	for _, lasts := range []time.Duration{time.Millisecond, 10 * time.Millisecond, 50 * time.Millisecond} {
		for _, workers := range []int{2, 16, 64} {
			load := workload{workers: workers, pool: 16, lasts: lasts, rows: 1, runs: 500 * lasts, queues: New(unlimited)}
			hot := load.run(t)
			require.Greater(t, len(hot.commits), 475, "%v", load)
			require.Less(t, hot.attempts, len(hot.commits)*11/10+2*workers, "%v", load)
			require.GreaterOrEqual(t, slices.Min(hot.by), slices.Max(hot.by)*4/5-1, "%v: %v", load, hot.by)
		}
	}
}

// A contended row is soon free for all once the contention ends.
func TestHotRowCoolsDown(t *testing.T) {
	t.Parallel()
	for _, lasts := range []time.Duration{20 * time.Millisecond, 200 * time.Millisecond} {
		const hot = 15 * time.Second
		load := workload{workers: 64, lasts: lasts, rows: 1, change: hot, runs: hot + 15*time.Second, queues: New(unlimited)}
		cooled := load.run(t)
		require.Less(t, cooled.in(0, hot), 1.1*hot.Seconds()/lasts.Seconds())
		require.Greater(t, cooled.in(load.runs-time.Second, load.runs), 0.9*64/lasts.Seconds(), "%v", load)
	}
}

// A row becomes contended, and its calls are then queued.
func TestRowBecomesHot(t *testing.T) {
	t.Parallel()
	load := workload{workers: 64, pool: 16, lasts: 5 * time.Millisecond, rows: 10_000, runs: 2 * time.Second, queues: New(unlimited)}
	free := load.run(t)
	load.queues, load.change, load.then, load.runs = New(unlimited), load.runs, 1, 2*load.runs
	heated := load.run(t)
	require.InEpsilon(t, free.in(0, free.runs), heated.in(0, free.runs), 0.05)
	commits := len(heated.commits) - len(free.commits)
	require.Less(t, heated.attempts-free.attempts, commits*11/10+4*load.workers)
	require.Greater(t, commits, 380)
}

// A crowd of calls that come at once, and have time for it, are all served.
func TestCrowdIsServed(t *testing.T) {
	t.Parallel()
	for _, load := range []workload{
		{lasts: time.Millisecond, pool: 16, rows: 1},
		{lasts: 20 * time.Millisecond, pool: 16, losers: 64},
	} {
		load.workers, load.deadline, load.queues = 1500, 3*time.Second, New(unlimited)
		load.runs = 1 // one call each
		crowd := load.run(t)
		require.Zero(t, crowd.refused, "%v", load)
		require.Len(t, crowd.commits, load.workers)
	}
}
