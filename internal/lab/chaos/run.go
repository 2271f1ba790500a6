package chaos

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/rowkeeper/rowkeeper/internal/devdb"
	"github.com/rowkeeper/rowkeeper/txn"
)

// crew is a pool, a way to the server, and the clients on it.
type crew struct {
	name    string
	clients int
	conns   int32
	mode    pgx.QueryExecMode
	timeout time.Duration // of statements
}

var crews = []crew{
	{"wide", 10, 10, pgx.QueryExecModeCacheStatement, 0},
	{"narrow", 2, 1, pgx.QueryExecModeCacheStatement, 0},
	{"simple", 4, 3, pgx.QueryExecModeSimpleProtocol, 0},
	{"plain", 3, 2, pgx.QueryExecModeExec, 0},
	{"hasty", 4, 4, pgx.QueryExecModeCacheDescribe, 5 * time.Millisecond},
}

// run is one run of a plan.
type run struct {
	plan    Plan
	srv     *devdb.Durable
	out     io.Writer
	faults  *faults
	log     logbook
	workers []*worker
	hurry   time.Duration // the longest of the contexts that are too short
	soak    time.Duration // 0: no soak

	committed atomic.Int64
	effects   atomic.Int64 // that there must be
	ids, keys atomic.Int64
	values    values
	seeds     atomic.Uint64

	mu       sync.Mutex
	requests []*request
	counts   counts
	reasons  map[string]int
	mistakes []string
}

// counts is the number of calls by the outcome that clients were told.
type counts struct {
	calls, committed, rolledBack, unknown, expired, retried int
}

func newRun(plan Plan, srv *devdb.Durable, out io.Writer) *run {
	return &run{plan: plan, srv: srv, out: out, faults: &faults{begun: time.Now()}, hurry: 30 * time.Millisecond, reasons: map[string]int{}}
}

func (r *run) rand() *rand.Rand { return rand.New(rand.NewPCG(r.plan.Seed, r.seeds.Add(1))) }

func (r *run) newCall(kind, crew string) *call {
	return &call{id: r.ids.Add(1), kind: kind, crew: crew}
}

func (r *run) addRequest(q *request) {
	if !r.log.keep {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.requests = append(r.requests, q)
}

func (r *run) tally(c *call, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	n := &r.counts
	n.calls++
	switch c.told {
	case committed:
		n.committed++
	case rolledBack:
		n.rolledBack++
	case unknown:
		n.unknown++
	}
	if c.expired {
		n.expired++
	}
	if len(c.attempts) > 1 {
		n.retried++
	}
	if c.told == committed && c.key == "" && !c.readOnly {
		r.effects.Add(1)
	}
	if c.told != committed {
		r.count(c.told.String() + ": " + reasonFor(err))
	}
	if mistake(err) && len(r.mistakes) < 5 {
		r.mistakes = append(r.mistakes, c.kind+": "+err.Error())
	}
}

// calls returns the number of calls made so far.
func (r *run) calls() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.counts.calls
}

func (r *run) note(what string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.count(what)
}

func (r *run) count(reason string) {
	const most = 200 // in a long run errors may be of many kinds
	if _, known := r.reasons[reason]; !known && len(r.reasons) >= most {
		reason = "others"
	}
	r.reasons[reason]++
}

// due returns how many faults of a kind should have happened by now. All kinds of
// cuts are one kind here. In a soak they follow the time.
func (r *run) due(k faultKind) int64 {
	elapsed := time.Since(r.faults.begun)
	each := func(total int, every time.Duration) int64 {
		if r.soak > 0 {
			return int64(elapsed / every)
		}
		return r.plan.due(total, r.committed.Load())
	}
	switch k {
	case killed:
		if r.soak > 0 { // additional time on a slow machine is for more samples, not for more kills
			elapsed = min(elapsed, r.soak)
		}
		return each(r.plan.Kills, min(time.Minute, max(r.soak/3, 1)))
	case terminated:
		return each(r.plan.Cuts/8, 4*time.Second)
	case canceled:
		return each(r.plan.Cuts/4, 2*time.Second)
	}
	return each(r.plan.Cuts, 500*time.Millisecond)
}

// hangs ends the program: no fault may keep a call for that long.
func (r *run) hangs(c *call) {
	stacks := make([]byte, 1<<20)
	panic(fmt.Sprintf("chaos: seed %d: call %d (%s through %s) does not end\n%s", r.plan.Seed, c.id, c.kind, c.crew, stacks[:runtime.Stack(stacks, true)]))
}

// reached reports whether all planned faults have happened.
func (r *run) reached() bool {
	return r.committed.Load() >= int64(r.plan.Transactions) && r.faults.cuts() >= int64(r.plan.Cuts) &&
		r.faults.count[killed].Load() >= int64(r.plan.Kills)
}

// prepare starts the database and the time of the plan.
func prepare(ctx context.Context, source devdb.Source) (*devdb.Durable, error) {
	srv, err := source.StartDurable(ctx)
	if err != nil {
		return nil, err
	}
	pool, err := pgxpool.New(ctx, srv.URL)
	if err == nil {
		err = createSchema(ctx, pool)
		pool.Close()
	}
	if err != nil {
		srv.Stop()
		return nil, err
	}
	return srv, nil
}

// storm runs clients and faults until stop ends it, and returns after all calls
// have ended and nothing of the network is left.
func (r *run) storm(ctx context.Context, stop func() bool) error {
	var networks []*network
	var pools []*pgxpool.Pool
	end := func() {
		for _, p := range pools {
			p.Close()
		}
		for _, n := range networks {
			n.close()
		}
	}
	wanted := func() bool { return r.faults.cuts() < r.due(cutBefore) }
	for i, c := range crews {
		config, err := pgxpool.ParseConfig(r.srv.URL)
		if err == nil {
			config.MaxConns = c.conns
			config.ConnConfig.ConnectTimeout = 2 * time.Second
			config.ConnConfig.DefaultQueryExecMode = c.mode
			config.ConnConfig.RuntimeParams["application_name"] = applicationName
			if c.timeout > 0 {
				config.ConnConfig.RuntimeParams["statement_timeout"] = fmt.Sprint(c.timeout.Milliseconds())
			}
			var n *network
			if n, err = newNetwork(c.name, r.plan.Seed, i, config, r.faults, wanted); err == nil {
				networks = append(networks, n)
				var pool *pgxpool.Pool
				if pool, err = pgxpool.NewWithConfig(ctx, config); err == nil {
					pools = append(pools, pool)
					for range c.clients {
						r.workers = append(r.workers, &worker{run: r, crew: c.name, pool: pool, rng: r.rand(),
							db: txn.New(pool, txn.MaxElapsed(longest))})
					}
				}
			}
		}
		if err != nil {
			end()
			return err
		}
	}

	ctx, enough := context.WithCancel(ctx)
	defer enough()
	var wg sync.WaitGroup
	for _, w := range r.workers {
		wg.Go(func() { w.work(ctx) })
	}
	sabotaged := make(chan error, 1)
	go func() { sabotaged <- (&injector{run: r, rng: r.rand()}).work(ctx) }()
	var err error
	for err == nil && ctx.Err() == nil && !stop() {
		select {
		case err = <-sabotaged:
			sabotaged <- nil
		case <-time.After(50 * time.Millisecond):
		}
	}
	interrupted := ctx.Err() != nil
	enough()
	wg.Wait()
	err = errors.Join(err, <-sabotaged)
	end()
	if interrupted {
		err = errors.Join(err, context.Canceled)
	}
	return err
}
