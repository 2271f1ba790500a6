package chaos

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/rowkeeper/rowkeeper/internal/lab/chaos/history"
	"github.com/rowkeeper/rowkeeper/txn"
)

// claim is the outcome that a client was told.
type claim uint8

const (
	unknown claim = iota
	committed
	rolledBack
)

func (c claim) String() string { return [...]string{"unknown", "committed", "rolled back"}[c] }

// told returns the claim of an error of txn's.
func told(err error) claim {
	var ambiguous *txn.OutcomeUnknownError
	var late *txn.CommittedError
	switch {
	case err == nil, errors.As(err, &late):
		return committed
	case errors.As(err, &ambiguous):
		return unknown
	}
	return rolledBack
}

// receipt is the result of a function, and part of its effect.
type receipt struct {
	Attempt int
	Nonce   string
}

// attempt is one run of a function.
type attempt struct {
	receipt
	ops []history.Op
}

// call is one call, as its client saw it.
type call struct {
	id            int64
	kind          string
	crew          string
	begun, took   time.Duration // since the start
	debit, credit int64         // accounts
	amount        int64
	key           string // of Once

	mu       sync.Mutex // for OnCommit, which might run at a wrong time
	attempts []attempt
	hooks    int
	after    int // hooks by the time the function last returned

	told     claim
	got      receipt
	err      string
	expired  bool // its context ended
	readOnly bool
}

func (c *call) run(number int) *attempt {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.attempts = append(c.attempts, attempt{receipt: receipt{Attempt: number, Nonce: nonce(c.id, number)}})
	return &c.attempts[len(c.attempts)-1]
}

func (c *call) hook() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.hooks++
}

func (c *call) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "call %d: %s through %s, from %.3fs for %.3fs, was told: %v", c.id, c.kind, c.crew, c.begun.Seconds(), c.took.Seconds(), c.told)
	if c.told == committed {
		fmt.Fprintf(&b, ", attempt %d, nonce %s", c.got.Attempt, c.got.Nonce)
	}
	if c.key != "" {
		fmt.Fprintf(&b, ", key %s", c.key)
	}
	if c.err != "" {
		fmt.Fprintf(&b, "\n    error: %s", c.err)
	}
	if c.hooks > 0 {
		fmt.Fprintf(&b, "\n    OnCommit ran %d times", c.hooks)
	}
	for _, a := range c.attempts {
		fmt.Fprintf(&b, "\n    ran as attempt %d, nonce %s", a.Attempt, a.Nonce)
		for _, o := range a.ops {
			fmt.Fprintf(&b, "; %v", o)
		}
	}
	return b.String()
}

// logbook is the knowledge of all clients.
type logbook struct {
	mu    sync.Mutex
	calls []*call
	keep  bool
}

func (l *logbook) add(c *call) {
	if !l.keep {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.calls = append(l.calls, c)
}
