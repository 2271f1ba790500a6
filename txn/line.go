package txn

import (
	"container/list"
	"slices"
	"time"
)

// line is a queue of transactions that fight for the same rows. It lets as many
// in at a time as get along: one, and from time to time it tries more.
type line struct {
	of    *admission
	keys  []fingerprint
	place *list.Element // among the lines of the pool

	limit   int
	holders []*turn
	waiting []*waiter
	alone   *turn // an exclusive turn: nobody else is let in

	good, bad int           // turns since the limit was last changed
	patience  int           // good turns it takes to try a higher limit
	usual     time.Duration // a turn, averaged

	troubled time.Time // the last conflict
	joined   time.Time // when somebody last had to wait
	awaited  bool      // an opening may lead here
}

// turn is one attempt's place in a line. Its time counts from the connection.
type turn struct {
	line      *line
	came      time.Time
	began     time.Time // zero: it has no connection yet
	let       bool      // the head was let in because of it
	exclusive bool
}

// waiter is a call that waits for its turn.
type waiter struct {
	turn *turn
	wake chan struct{} // of one
	in   bool
}

const (
	firstPatience = 8
	nextPatience  = 64
	mostPatience  = 8192
	usualAtFirst  = 5 * time.Millisecond

	leastForbearance = 300 * time.Millisecond
)

func newLine(of *admission, key fingerprint, now time.Time) *line {
	return &line{of: of, keys: []fingerprint{key}, limit: 1, patience: firstPatience, usual: usualAtFirst, troubled: now}
}

// room reports whether another one may come in.
func (l *line) room(exclusive bool) bool {
	if l.alone != nil {
		return false
	}
	held := 0
	for _, t := range l.holders {
		if !t.let {
			held++
		}
	}
	if exclusive {
		return held == 0
	}
	return held < l.limit
}

func (l *line) take(t *turn) {
	t.line, t.came = l, time.Now()
	l.holders = append(l.holders, t)
	if t.exclusive {
		l.alone = t
	}
}

// call lets in whoever there is room for. The new head is not told that it is
// the head: it looks from time to time.
func (l *line) call() {
	for len(l.waiting) > 0 && l.room(l.waiting[0].turn.exclusive) {
		w := l.waiting[0]
		l.waiting = slices.Delete(l.waiting, 0, 1)
		l.of.waiting--
		l.take(w.turn)
		w.in = true
		w.wake <- struct{}{}
	}
}

// overdue is when the head is let in although there is no room: a holder that
// takes so much longer than usual may be waiting for the head itself. Without
// such a holder it is zero.
func (l *line) overdue() (due time.Time) {
	for _, t := range l.holders {
		if t.let {
			continue
		}
		if at := l.lateAt(t); due.IsZero() || at.Before(due) {
			due = at
		}
	}
	return due
}

// lateAt is when a turn has lasted too long. Until it has a connection, for which
// it may have to wait, that is much later.
func (l *line) lateAt(t *turn) time.Time {
	forbearance := max(10*l.usual, leastForbearance)
	if t.exclusive {
		forbearance = max(40*l.usual, time.Second)
	}
	if t.began.IsZero() {
		return t.came.Add(10 * forbearance)
	}
	return t.began.Add(forbearance)
}

// letIn stops counting the holders that are overdue.
func (l *line) letIn(now time.Time) {
	for _, t := range l.holders {
		if !t.let && !now.Before(l.lateAt(t)) {
			t.let = true
			if l.alone == t {
				l.alone = nil
			}
		}
	}
	l.call()
}

// leave ends a turn, and learns from it.
func (l *line) leave(t *turn, conflict bool, now time.Time) {
	l.holders = slices.DeleteFunc(l.holders, func(h *turn) bool { return h == t })
	if l.alone == t {
		l.alone = nil
	}
	switch {
	case conflict:
		l.troubled = now
		l.bad++
		// A few among many are chance. At a limit of one it was somebody else's.
		if l.limit > 1 && l.bad > 1 && l.bad*8 > l.good {
			l.limit = max(l.limit/2, 1)
			l.patience = min(max(2*l.patience, nextPatience), mostPatience)
			l.good, l.bad = 0, 0
		}
	case !t.let && !t.began.IsZero():
		l.usual += (now.Sub(t.began) - l.usual) / 8
		if l.good++; l.good >= l.patience*max(l.limit/4, 1) && len(l.waiting) > 0 {
			l.limit *= 2
			l.good, l.bad = 0, 0
		}
	}
	l.call()
}

// forsaken reports whether nobody needs the line any more.
func (l *line) forsaken(now time.Time) bool {
	const quiet = time.Second
	return len(l.holders) == 0 && len(l.waiting) == 0 && now.Sub(l.troubled) > quiet && now.Sub(l.joined) > quiet
}
