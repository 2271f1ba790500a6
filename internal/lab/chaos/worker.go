package chaos

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/rowkeeper/rowkeeper/txn"
)

// worker is a client that makes one call after the other.
type worker struct {
	run  *run
	crew string
	pool *pgxpool.Pool
	db   *txn.Runner
	rng  *rand.Rand
}

// longest is the longest time that a call may take by its context, or by MaxElapsed
// if the context has no end.
const longest = 8 * time.Second

func (w *worker) work(stop context.Context) {
	for stop.Err() == nil {
		k := drawWork(w.rng, w.run.plan.Work)
		var last claim
		var err error
		if k.do == nil {
			last, err = w.exactlyOnce(stop)
		} else {
			c := w.run.newCall(k.name, w.crew)
			err = w.make(c, k.do)
			last = c.told
		}
		if last == committed {
			w.run.committed.Add(1)
		} else if unreachable(err) {
			pause(stop, time.Duration(w.rng.Int64N(int64(30*time.Millisecond)))) // otherwise it would be called as fast as it refuses
		}
	}
}

// make makes a call, and records what it was told.
func (w *worker) make(c *call, do func(w *worker, ctx context.Context, c *call) (receipt, error)) error {
	ctx, cancel := w.context()
	defer cancel()
	start := time.Now()
	c.begun = start.Sub(w.run.faults.begun)
	watchdog := time.AfterFunc(longest+30*time.Second, func() { w.run.hangs(c) })
	got, err := do(w, ctx, c)
	watchdog.Stop()
	c.took = time.Since(start)
	c.mu.Lock()
	c.after = c.hooks
	c.mu.Unlock()
	c.told, c.got, c.expired = told(err), got, ctx.Err() != nil
	if err != nil {
		c.err = err.Error()
	}
	w.run.tally(c, err)
	w.run.log.add(c)
	return err
}

// context returns the context of a call: mostly with enough time, sometimes without
// an end, sometimes too short, sometimes canceled.
func (w *worker) context() (context.Context, context.CancelFunc) {
	switch p := w.rng.IntN(100); {
	case p < 80:
		return context.WithTimeout(context.Background(), longest)
	case p < 92:
		return context.WithCancel(context.Background())
	case p < 97:
		return context.WithTimeout(context.Background(), time.Duration(w.rng.Int64N(int64(w.run.hurry))))
	}
	ctx, cancel := context.WithCancel(context.Background())
	timer := time.AfterFunc(time.Duration(w.rng.Int64N(int64(w.run.hurry))), cancel)
	return ctx, func() {
		timer.Stop()
		cancel()
	}
}

func unreachable(err error) bool {
	var c *pgconn.ConnectError
	return errors.As(err, &c)
}

func pause(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}

// mistake reports whether an error is this program's own fault, which no chaos
// causes.
func mistake(err error) bool {
	var pe *pgconn.PgError
	if !errors.As(err, &pe) || len(pe.Code) != 5 {
		return false
	}
	switch pe.Code[:2] {
	case "42", "22":
		return pe.Code != "22012" // as refused provokes
	}
	return false
}

func reasonFor(err error) string {
	var pe *pgconn.PgError
	switch {
	case err == nil:
		return ""
	case errors.As(err, &pe):
		return pe.Severity + " " + pe.Code
	case errors.Is(err, context.DeadlineExceeded):
		return "deadline"
	case errors.Is(err, context.Canceled):
		return "canceled"
	case errors.Is(err, errTooPoor), errors.Is(err, errRefused):
		return "by the function"
	case unreachable(err):
		return "no connection"
	}
	for e := err; e != nil; e = errors.Unwrap(e) {
		err = e
	}
	text, _, _ := strings.Cut(err.Error(), "\n")
	return fmt.Sprintf("%T %.60s", err, text)
}
