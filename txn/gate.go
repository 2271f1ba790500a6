package txn

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/rowkeeper/rowkeeper/txn/internal/outcome"
)

// gate admits one goroutine at a time to an attempt, and none once it is closed. The
// fields of an attempt are written by the goroutine inside, or after closing by the one
// that closed the gate.
//
// The zero value is open.
type gate struct {
	mu     sync.Mutex
	inside bool
	over   bool          // closed
	misuse error         // of a method that cannot return an error
	later  []func()      // run when the goroutine inside leaves
	freed  chan struct{} // closed when the goroutine inside leaves; nil if none waits for that
}

var (
	errBusy = errors.New("txn: the connection is busy: close the rows or the batch that are open on it, and use the transaction in one goroutine at a time")

	errStillUsed = errors.New("txn: a goroutine of the function still used the transaction when the function had returned: wait for it before returning")
)

// enter admits the caller, or returns why not: another goroutine is inside, or the
// function has returned. It does not wait.
func (g *gate) enter() error {
	g.mu.Lock()
	defer g.mu.Unlock()
	switch {
	case g.over:
		return pgx.ErrTxClosed
	case g.inside:
		return errBusy
	}
	g.inside = true
	return nil
}

// await is enter for the owner of open rows. It waits for others, which are refused at
// once while rows are open.
func (g *gate) await(ctx context.Context) error {
	for {
		err := g.enter()
		if err != errBusy {
			return err
		}
		select {
		case <-g.whenFree():
		case <-ctx.Done():
			return outcome.ContextError(ctx)
		}
	}
}

// take enters the gate even if it is closed. It waits for the goroutine inside until
// the context ends, and then for grace longer.
func (g *gate) take(ctx context.Context, grace time.Duration) bool {
	var over <-chan time.Time
	done := ctx.Done()
	for {
		g.mu.Lock()
		if !g.inside {
			g.inside = true
			g.mu.Unlock()
			return true
		}
		g.mu.Unlock()
		select {
		case <-g.whenFree():
		case <-done:
			timer := time.NewTimer(grace)
			defer timer.Stop()
			done, over = nil, timer.C
		case <-over:
			return false
		}
	}
}

func (g *gate) whenFree() <-chan struct{} {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.freed == nil {
		g.freed = make(chan struct{})
		if !g.inside {
			close(g.freed)
			free := g.freed
			g.freed = nil
			return free
		}
	}
	return g.freed
}

func (g *gate) leave() {
	g.mu.Lock()
	for len(g.later) > 0 {
		later := g.later
		g.later = nil
		g.mu.Unlock()
		for _, f := range later {
			f()
		}
		g.mu.Lock()
	}
	g.inside = false
	if g.freed != nil {
		close(g.freed)
		g.freed = nil
	}
	g.mu.Unlock()
}

// afterwards makes the goroutine inside run f when it leaves. It reports false if
// nobody is inside.
func (g *gate) afterwards(f func()) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.inside {
		g.later = append(g.later, f)
	}
	return g.inside
}

// close stops admission, and reports whether a goroutine is inside.
func (g *gate) close() (used bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.over = true
	return g.inside
}

func (g *gate) closed() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.over
}

// closing reports to the goroutine inside whether the gate has been closed since it
// entered.
func (g *gate) closing() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.over && g.inside
}

// blame keeps an error that the call must return.
func (g *gate) blame(err error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.misuse == nil {
		g.misuse = err
	}
}

func (g *gate) blamed() error {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.misuse
}
