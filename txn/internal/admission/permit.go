package admission

import (
	"container/list"
	"time"
)

// A Permit belongs to one queue: it waits there, then is one of the active ones, then
// is over. Its duration counts from the connection. Each permit has to be released.
type Permit struct {
	of        *Queues
	queue     *queue
	front     bool          // goes before those of calls that have not lost
	exclusive bool          // no other is admitted meanwhile
	granted   chan struct{} // closed when granted; nil if granted at once
	ahead     int           // permits ahead of it when it began to wait
	place     *list.Element // while it waits
	index     int           // among the active ones, once granted
	admitted  time.Time
	began     time.Time // zero while it has no connection
	bypassed  time.Time // when it stopped counting as overdue; zero if it counts
}

// Granted returns a channel that is closed when the permit is granted, or nil if it was
// granted at once.
func (p *Permit) Granted() <-chan struct{} { return p.granted }

// Ahead returns how many permits were ahead of it when it began to wait.
func (p *Permit) Ahead() int { return p.ahead }

// lasted returns how long a permit had a connection, or zero if that does not tell how
// long such permits last. One that ended soon after it was bypassed probably waited for
// a call in the queue: it lasted as long as the queue held it up.
func (p *Permit) lasted(now time.Time) time.Duration {
	if p == nil || p.began.IsZero() || !p.bypassed.IsZero() && now.Sub(p.bypassed) < p.bypassed.Sub(p.began) {
		return 0
	}
	return now.Sub(p.began)
}

// A Verdict is what the end of a permit tells about its queue.
type Verdict uint8

const (
	Agreed Verdict = iota // no conflict
	Lost                  // a conflict
	Cut                   // nothing: its context ended, or it was never granted
)
