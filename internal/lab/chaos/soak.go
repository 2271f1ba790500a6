package chaos

import (
	"context"
	"fmt"
	"io"
	"runtime"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/rowkeeper/rowkeeper/internal/devdb"
)

// A soak looks for growth. It keeps no log of calls, and only checks the money and
// the number of effects at the end.

// sample is one measurement of values that should not grow.
type sample struct {
	at          time.Duration
	heap        float64 // bytes in use behind a collection
	goroutines  float64
	connections float64 // sessions at the server
}

// The minimum that must be measured before a judgement. On a slow machine that
// takes longer than the requested time.
const (
	leastSamples = 10
	warmCalls    = 1_000 // pools and caches fill up first
	extraTime    = 5 * time.Minute
)

// Soak runs the load of [Run] for some time, with two cuts in each second and a
// kill in each minute, and fails if memory, goroutines or connections have grown.
func Soak(ctx context.Context, source devdb.Source, seed uint64, d time.Duration, out io.Writer) error {
	if d < 5*time.Second {
		return fmt.Errorf("a soak of %v shows nothing: at least 5s", d)
	}
	srv, err := prepare(ctx, source)
	if err != nil {
		return err
	}
	defer srv.Stop()
	fmt.Fprintf(out, "%s %s, seed %d: soak for %v\n", srv.Engine, srv.Version, seed, d)

	r := newRun(Plan{Seed: seed, Transactions: 1, Time: d}, srv, out)
	r.soak = d
	idle := runtime.NumGoroutine()
	var samples []sample
	every := max(d/120, 250*time.Millisecond)
	next := time.Now().Add(d / 10)
	shown := time.Now()
	err = r.storm(ctx, func() bool {
		now := time.Now()
		if now.After(next) && r.calls() >= warmCalls {
			next = now.Add(every)
			if s, ok := r.sample(ctx); ok {
				samples = append(samples, s)
				if now.Sub(shown) >= max(d/30, 5*time.Second) {
					shown = now
					fmt.Fprintf(out, "%v: %.1f MiB, %.0f goroutines, %.0f connections; %s\n",
						s.at.Round(time.Second), s.heap/(1<<20), s.goroutines, s.connections, r.progress())
				}
			}
		}
		over := now.Sub(r.faults.begun) - d
		return over >= 0 && len(samples) >= leastSamples || over >= extraTime
	})
	if err != nil {
		return err
	}
	if err := r.awaitNoSession(ctx); err != nil {
		return err
	}
	if err := awaitGoroutines(ctx, idle); err != nil {
		return err
	}
	if err := flat(samples, out); err != nil {
		return err
	}
	return r.account(ctx, out)
}

// sample measures under load. While the server is down there is nothing to measure.
func (r *run) sample(ctx context.Context) (sample, bool) {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	s := sample{at: time.Since(r.faults.begun)}
	err := r.query(ctx, func(conn *pgx.Conn) error {
		return conn.QueryRow(ctx, countSessions[r.srv.Engine], applicationName).Scan(&s.connections)
	})
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	s.heap, s.goroutines = float64(m.HeapAlloc), float64(runtime.NumGoroutine())
	return s, err == nil
}

// awaitGoroutines waits until about as many goroutines are left as before: those of
// a closed pool take time to end.
func awaitGoroutines(ctx context.Context, before int) error {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	for {
		left := runtime.NumGoroutine()
		if left <= before+5 {
			return nil
		}
		if ctx.Err() != nil {
			return fmt.Errorf("%d goroutines are left, and there were %d before", left, before)
		}
		pause(ctx, 20*time.Millisecond)
	}
}

// flat fails if something grows: if the trend over all samples is more than a
// quarter of the mean and more than the usual variation. Within less than a minute
// a busy machine alone makes that much, so there the trend must exceed the mean: one
// goroutine lost in ten calls does.
func flat(samples []sample, out io.Writer) error {
	if len(samples) < leastSamples {
		return fmt.Errorf("no more than %d looks came off", len(samples))
	}
	share := 0.25
	if samples[len(samples)-1].at-samples[0].at < time.Minute {
		share = 1
	}
	for _, q := range []struct {
		name  string
		of    func(s sample) float64
		slack float64
	}{
		{"bytes in use", func(s sample) float64 { return s.heap }, 8 << 20},
		{"goroutines", func(s sample) float64 { return s.goroutines }, 25},
		{"connections", func(s sample) float64 { return s.connections }, 8},
	} {
		mean, growth := trend(samples, q.of)
		fmt.Fprintf(out, "%s: %.0f on average, %+.0f by the trend from begin to end\n", q.name, mean, growth)
		if growth > share*mean && growth > q.slack {
			return fmt.Errorf("%s grow: by %.0f from begin to end, with %.0f on average", q.name, growth, mean)
		}
	}
	return nil
}

// trend returns the mean, and the rise of the line of best fit from the first
// sample to the last.
func trend(samples []sample, of func(sample) float64) (mean, growth float64) {
	n := float64(len(samples))
	var middle float64
	for _, s := range samples {
		mean += of(s) / n
		middle += s.at.Seconds() / n
	}
	var above, below float64
	for _, s := range samples {
		dt := s.at.Seconds() - middle
		above += dt * (of(s) - mean)
		below += dt * dt
	}
	if below == 0 {
		return mean, 0
	}
	return mean, above / below * (samples[len(samples)-1].at - samples[0].at).Seconds()
}

// account checks the totals that need no log of calls.
func (r *run) account(ctx context.Context, out io.Writer) error {
	return r.query(ctx, func(conn *pgx.Conn) error {
		var effects, wrong, negative int64
		if err := conn.QueryRow(ctx, "select count(*) from effects").Scan(&effects); err != nil {
			return err
		}
		if err := conn.QueryRow(ctx, `select count(*) from accounts a where balance <> $1::bigint
			+ coalesce((select sum(amount) from effects e where e.credit = a.id), 0)
			- coalesce((select sum(amount) from effects e where e.debit = a.id), 0)`, openingBalance).Scan(&wrong); err != nil {
			return err
		}
		if err := conn.QueryRow(ctx, "select count(*) from accounts where balance < 0").Scan(&negative); err != nil {
			return err
		}
		least := r.effects.Load()
		fmt.Fprintf(out, "%d calls, of which %d are unknown; %d effects of at least %d; %d accounts are wrong, %d negative\n",
			r.counts.calls, r.counts.unknown, effects, least, wrong, negative)
		if wrong > 0 || negative > 0 || effects < least || effects > least+int64(r.counts.unknown) {
			return fmt.Errorf("the effects, or the accounts, are not what the clients were told")
		}
		return nil
	})
}
