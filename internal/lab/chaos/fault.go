package chaos

import (
	"fmt"
	"sync"
	"sync/atomic"
	"time"
)

// faultKind is a kind of damage done to the transactions.
type faultKind uint8

const (
	cutBefore faultKind = iota
	cutAfter
	halfSent
	cutAnywhere
	zombie
	held
	silenced
	killed
	terminated
	canceled
	faultKinds
)

var faultNames = [...]string{
	cutBefore:   "cut before a message",
	cutAfter:    "cut behind a message",
	halfSent:    "cut within a message",
	cutAnywhere: "cut at a random byte",
	zombie:      "delivered late, behind a reset of the client",
	held:        "held and delivered late",
	silenced:    "lost without a cut",
	killed:      "server killed and started again",
	terminated:  "session terminated",
	canceled:    "statement canceled",
}

func (k faultKind) String() string { return faultNames[k] }

// cuts reports whether the fault ends a connection.
func (k faultKind) cuts() bool { return k <= zombie }

// fault is a fault that happened.
type fault struct {
	at     time.Duration // since the start
	kind   faultKind
	crew   string
	conn   int
	detail string
	call   int64 // that was last seen on the connection; 0: none
}

func (f fault) String() string {
	s := fmt.Sprintf("%.3fs: %v", f.at.Seconds(), f.kind)
	if f.crew != "" {
		s += fmt.Sprintf(", connection %d of %s", f.conn, f.crew)
	}
	if f.detail != "" {
		s += ", " + f.detail
	}
	return s
}

// mostFaults bounds the faults that a long run remembers.
const mostFaults = 20_000

// faults are the faults that happened.
type faults struct {
	count [faultKinds]atomic.Int64
	begun time.Time

	mu  sync.Mutex
	all []fault
}

func (f *faults) add(x fault) {
	x.at = time.Since(f.begun)
	f.count[x.kind].Add(1)
	f.mu.Lock()
	defer f.mu.Unlock()
	if len(f.all) == mostFaults {
		f.all = append(f.all[:0], f.all[mostFaults/2:]...)
	}
	f.all = append(f.all, x)
}

func (f *faults) cuts() (n int64) {
	for k := range faultKinds {
		if k.cuts() {
			n += f.count[k].Load()
		}
	}
	return n
}

// of lists the faults of a call: those on a connection that the call was seen on,
// and those of the whole server while it ran.
func (f *faults) of(c *call) []fault {
	f.mu.Lock()
	defer f.mu.Unlock()
	var found []fault
	for _, x := range f.all {
		during := x.at >= c.begun && x.at <= c.begun+c.took
		if x.call == c.id || x.kind == killed && during {
			found = append(found, x)
		}
	}
	return found
}
