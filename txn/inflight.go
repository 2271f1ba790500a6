package txn

import (
	"context"
	"fmt"
	"sync"

	"github.com/rowkeeper/rowkeeper/txn/internal/ledger"
	"github.com/rowkeeper/rowkeeper/txn/internal/outcome"
)

// mostInFlight is how many calls on a database may wait for another call with their
// key.
const mostInFlight = 1000

// inFlight holds the keys that calls of this process are using, so that a second call
// with a key waits here, where it holds no connection.
var inFlight = struct {
	sync.Mutex
	keys    map[inFlightKey]*holder
	waiting map[any]int // by database
}{keys: make(map[inFlightKey]*holder), waiting: make(map[any]int)}

type inFlightKey struct {
	db             any
	namespace, key string
}

type holder struct {
	done      chan struct{}
	committed bool // read when done is closed
}

// hold waits until no other call of this process uses the key, or until one has
// committed: later calls only read. release is called with the outcome.
func (c *call) hold(r *running) (release func(committed bool), err error) {
	if c.once == nil {
		return func(bool) {}, nil
	}
	db := identity(c.db)
	k := inFlightKey{db, c.once.Namespace, c.once.Key}
	for outer := runningIn(r.Context); outer != nil; outer = runningIn(outer.Context) {
		if outer.key != nil && *outer.key == k && !outer.over.Load() {
			return nil, fmt.Errorf("%s: Once inside the function of a call with the same key, which would wait for itself", prefix(c.name))
		}
	}
	r.key = &k
	for {
		inFlight.Lock()
		h := inFlight.keys[k]
		if h == nil {
			h = &holder{done: make(chan struct{})}
			inFlight.keys[k] = h
			inFlight.Unlock()
			return func(committed bool) {
				inFlight.Lock()
				defer inFlight.Unlock()
				delete(inFlight.keys, k)
				h.committed = committed
				close(h.done)
			}, nil
		}
		if c.once.NoWait || inFlight.waiting[db] >= mostInFlight {
			inFlight.Unlock()
			return nil, fmt.Errorf("%s: %w", prefix(c.name), ledger.ErrInFlight)
		}
		inFlight.waiting[db]++
		inFlight.Unlock()
		err := waitFor(r, h.done)
		inFlight.Lock()
		if inFlight.waiting[db]--; inFlight.waiting[db] == 0 {
			delete(inFlight.waiting, db)
		}
		inFlight.Unlock()
		switch {
		case err != nil:
			return nil, fmt.Errorf("%s: waiting for a call with the same key: %w", prefix(c.name), err)
		case h.committed:
			return func(bool) {}, nil
		}
	}
}

func waitFor(ctx context.Context, done <-chan struct{}) error {
	select {
	case <-done:
		return nil
	case <-ctx.Done():
		return outcome.ContextError(ctx)
	}
}
