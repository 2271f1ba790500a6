// Proof builds statements of package owner from hostile input, proves that each of
// them cannot leave the owner's rows, and runs some of them on real databases
// beside an oracle.
//
// The grammar of PostgreSQL runs as WebAssembly, so that no C compiler is needed.
// With a C compiler, -tags pgquery_cgo runs the same grammar several times as fast,
// which is how 5000000 statements are proven for a release.
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"runtime/debug"
	"sync"
	"time"

	"github.com/rowkeeper/rowkeeper/internal/devdb"
	"github.com/rowkeeper/rowkeeper/internal/devdb/dbtest"
)

type options struct {
	statements int
	executed   int
	seed       uint64
	engine     string
	workers    int
}

func main() {
	var o options
	flag.IntVar(&o.statements, "n", 200_000, "`statements` to build and prove; 5000000 for a release")
	flag.IntVar(&o.executed, "x", 2_000, "`calls` to run on each engine besides")
	flag.Uint64Var(&o.seed, "seed", uint64(time.Now().UnixNano()), "for the choices; the same seed and workers make the same statements")
	flag.StringVar(&o.engine, "engine", "all", "`engines` to run on: postgresql, cockroachdb, all, none")
	flag.IntVar(&o.workers, "workers", 2, "how many `workers` build and prove at once, and run on each engine")
	flag.Parse()
	debug.SetGCPercent(400) // parsing allocates much, and little of it stays
	if err := run(context.Background(), o, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(ctx context.Context, o options, out io.Writer) error {
	if o.workers < 1 {
		return fmt.Errorf("at least one worker is needed")
	}
	fmt.Fprintf(out, "seed %d, %d workers\n", o.seed, o.workers)
	all := report{}
	if err := proveAll(o, all, out); err != nil {
		return err
	}
	if o.engine != "none" {
		sources, err := devdb.Find()
		if err != nil {
			return err
		}
		for _, s := range sources {
			if o.engine == "all" || o.engine == string(s.Engine) {
				if err := executeAll(ctx, o, s, all, out); err != nil {
					return err
				}
			}
		}
	}
	all.print(out)
	return nil
}

// each runs the workers, and adds their reports. It returns the first error.
func each(workers int, all report, work func(worker int) (report, error)) error {
	var (
		wg    sync.WaitGroup
		mu    sync.Mutex
		first error
	)
	for i := range workers {
		wg.Go(func() {
			r, err := work(i)
			mu.Lock()
			defer mu.Unlock()
			all.add(r)
			if first == nil {
				first = err
			}
		})
	}
	wg.Wait()
	return first
}

func proveAll(o options, all report, out io.Writer) error {
	begin := time.Now()
	err := each(o.workers, all, func(worker int) (report, error) {
		p := newProving(seeded(o.seed, uint64(worker)))
		for sent := 0; sent < o.statements/o.workers; {
			n, err := p.step()
			if err != nil {
				return p.report, fmt.Errorf("seed %d, worker %d: %w", o.seed, worker, err)
			}
			sent += n
		}
		return p.report, nil
	})
	n := all.total().proven
	fmt.Fprintf(out, "built and proved %d statements in %s: %.0f/s\n", n, time.Since(begin).Round(time.Millisecond), float64(n)/time.Since(begin).Seconds())
	return err
}

func executeAll(ctx context.Context, o options, s devdb.Source, all report, out io.Writer) error {
	srv, err := s.Start(ctx)
	if err != nil {
		return err
	}
	defer srv.Stop()
	begin := time.Now()
	err = each(o.workers, all, func(worker int) (report, error) {
		db, err := dbtest.Schema(ctx, srv)
		if err != nil {
			return nil, err
		}
		defer db.Close()
		x, err := newExecution(ctx, seeded(o.seed, uint64(1000+worker)), db.Pool, srv.Engine)
		if err != nil {
			return nil, err
		}
		for range o.executed / o.workers {
			if err := x.step(ctx); err != nil {
				return x.report, fmt.Errorf("seed %d, worker %d: %w", o.seed, worker, err)
			}
		}
		return x.report, x.look(ctx)
	})
	n := all.total().executed[string(srv.Engine)]
	fmt.Fprintf(out, "ran %d calls on %s %s in %s: %.0f/s\n", n, srv.Engine, srv.Version, time.Since(begin).Round(time.Millisecond), float64(n)/time.Since(begin).Seconds())
	return err
}
