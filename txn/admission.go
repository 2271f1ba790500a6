package txn

import (
	"container/list"
	"context"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"time"
	"weak"

	"github.com/jackc/pgx/v5/pgxpool"
)

// admission has the lines of one pool.
type admission struct {
	mu      sync.Mutex
	byKey   map[fingerprint]*line
	lines   list.List // in front the one in which somebody last conflicted or waited
	waiting int

	openings map[fingerprint]*opening // by the text of the first statement
	suspects suspects
	calls    uint64 // that have lost
}

func newAdmission() *admission {
	return &admission{byKey: make(map[fingerprint]*line), openings: make(map[fingerprint]*opening)}
}

const (
	mostLines   = 1024   // of a pool, and fingerprints in them
	mostTrail   = 8      // statements that are remembered of an attempt
	mostWaiting = 10_000 // calls of a pool
	beforeAlone = 3      // losses after which a call has a turn alone
)

// linesAnywhere counts the lines of all pools. While it is zero, which is nearly
// always, nothing else is looked at.
var linesAnywhere atomic.Int64

// admissions finds the admission of a pool, without keeping the pool alive. It
// is replaced when it changes, so that it is read without a lock.
var (
	admissions      atomic.Pointer[map[weak.Pointer[pgxpool.Pool]]*admission]
	admissionsMaker sync.Mutex
)

func admissionOf(pool *pgxpool.Pool) *admission {
	key := weak.Make(pool)
	if m := admissions.Load(); m != nil && (*m)[key] != nil {
		return (*m)[key]
	}
	a := newAdmission()
	return changeAdmissions(func(m map[weak.Pointer[pgxpool.Pool]]*admission) *admission {
		if m[key] != nil {
			return m[key]
		}
		m[key] = a
		runtime.AddCleanup(pool, dropAdmission, key)
		return a
	})
}

func changeAdmissions(change func(map[weak.Pointer[pgxpool.Pool]]*admission) *admission) *admission {
	admissionsMaker.Lock()
	defer admissionsMaker.Unlock()
	next := make(map[weak.Pointer[pgxpool.Pool]]*admission)
	if m := admissions.Load(); m != nil {
		for k, v := range *m {
			next[k] = v
		}
	}
	a := change(next)
	admissions.Store(&next)
	return a
}

func dropAdmission(key weak.Pointer[pgxpool.Pool]) {
	changeAdmissions(func(m map[weak.Pointer[pgxpool.Pool]]*admission) *admission {
		if a := m[key]; a != nil {
			a.mu.Lock()
			for a.lines.Len() > 0 {
				a.drop(a.lines.Front().Value.(*line))
			}
			a.mu.Unlock()
			delete(m, key)
		}
		return nil
	})
}

// drop forgets a line. Whoever waits in it comes in.
func (a *admission) drop(l *line) {
	for _, k := range l.keys {
		delete(a.byKey, k)
	}
	a.remove(l)
	l.limit = 1 << 30
	l.call()
}

func (a *admission) remove(l *line) {
	a.lines.Remove(l.place)
	a.forget(l)
	linesAnywhere.Add(-1)
}

// sweep forgets lines that nobody needs, and the least recently troubled ones
// where there are too many.
func (a *admission) sweep(now time.Time) {
	for e := a.lines.Back(); e != nil; e = a.lines.Back() {
		l := e.Value.(*line)
		if len(a.byKey) <= mostLines && !l.forsaken(now) {
			return
		}
		a.drop(l)
	}
}

// enter waits for a turn where there is a line for the fingerprint. Without one
// the turn is nil, and the caller goes ahead.
func (a *admission) enter(ctx context.Context, c *call, key fingerprint) (*turn, error) {
	a.mu.Lock()
	l := a.lineFor(c, key)
	if l == nil {
		a.mu.Unlock()
		return nil, nil
	}
	now := time.Now()
	t := &turn{exclusive: c.lost == beforeAlone}
	front := c.lost > 0 && c.lost <= beforeAlone
	if (len(l.waiting) == 0 || front) && l.room(t.exclusive) {
		l.take(t)
		a.mu.Unlock()
		return t, nil
	}
	if err := a.refuse(ctx, c, l, now); err != nil {
		a.mu.Unlock()
		return nil, err
	}
	l.joined = now
	a.lines.MoveToFront(l.place)
	w := &waiter{turn: t, wake: make(chan struct{}, 1)}
	ahead := len(l.waiting)
	if front {
		ahead = 0
		l.waiting = slices.Insert(l.waiting, 0, w)
	} else {
		l.waiting = append(l.waiting, w)
	}
	w.turn.line = l
	a.waiting++
	a.mu.Unlock()
	err := a.wait(ctx, c, w, ahead)
	return t, err
}

// refuse says early that there will be no turn before the deadline.
func (a *admission) refuse(ctx context.Context, c *call, l *line, now time.Time) error {
	wait := l.usual * time.Duration(len(l.waiting)) / time.Duration(l.limit)
	deadline, ok := ctx.Deadline()
	if a.waiting < mostWaiting && (!ok || wait < 2*deadline.Sub(now)) {
		return nil
	}
	return &BusyError{Name: c.name, Ahead: len(l.waiting), Wait: wait}
}

func (a *admission) wait(ctx context.Context, c *call, w *waiter, ahead int) error {
	start := time.Now()
	traced := c.traceLineStart(ctx, ahead)
	look := time.NewTimer(leastForbearance)
	defer look.Stop()
	var err error
	for in := false; !in && err == nil; {
		select {
		case <-w.wake:
			in = true
		case <-look.C:
			look.Reset(a.lookAt(w))
		case <-ctx.Done():
			err = a.giveUp(ctx, w)
		}
	}
	c.traceLineEnd(traced, start, err)
	return err
}

// lookAt lets the head of a line in whose holder is overdue, and says when to look
// again.
func (a *admission) lookAt(w *waiter) time.Duration {
	a.mu.Lock()
	defer a.mu.Unlock()
	l := w.turn.line
	due := l.overdue()
	if w.in || l.waiting[0] != w || due.IsZero() {
		return leastForbearance
	}
	now := time.Now()
	if left := due.Sub(now); left > 0 {
		return left
	}
	l.letIn(now)
	return leastForbearance
}

// giveUp leaves the line without a turn, unless the turn has just come.
func (a *admission) giveUp(ctx context.Context, w *waiter) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	l := w.turn.line
	if w.in {
		l.holders = slices.DeleteFunc(l.holders, func(h *turn) bool { return h == w.turn })
		if l.alone == w.turn {
			l.alone = nil
		}
	} else {
		a.waiting--
		l.waiting = slices.DeleteFunc(l.waiting, func(other *waiter) bool { return other == w })
	}
	l.call()
	return contextError(ctx)
}

func (a *admission) connected(t *turn) {
	a.mu.Lock()
	t.began = time.Now()
	a.mu.Unlock()
}

// leave ends a turn, and reports whether somebody else was let in.
func (a *admission) leave(t *turn, conflict bool) (next bool) {
	a.mu.Lock()
	now := time.Now()
	next = len(t.line.waiting) > 0
	t.line.leave(t, conflict, now)
	a.sweep(now)
	a.mu.Unlock()
	return next
}

// Stats says how many calls wait for each other.
type Stats struct {
	Lines   int // that there are
	Waiting int // calls that wait for their turn
	Holding int // calls whose turn it is
}

func (a *admission) stats() (s Stats) {
	a.mu.Lock()
	defer a.mu.Unlock()
	s.Lines, s.Waiting = a.lines.Len(), a.waiting
	for e := a.lines.Front(); e != nil; e = e.Next() {
		s.Holding += len(e.Value.(*line).holders)
	}
	return s
}

// conflict makes a line for the key of an attempt that lost, and one line of
// those for the statements that it had sent: they fight over the same rows. It
// reports whether somebody else is in that line.
func (a *admission) conflict(c *call, key fingerprint, trail []fingerprint) (others bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	now := time.Now()
	if c.ordinal == 0 {
		a.calls++
		c.ordinal = a.calls
	}
	shared := a.suspects.sharedBy(key, c.ordinal)
	o := a.openingOf(c.opening)
	mute := o != nil && o.lost(shared)
	l := a.byKey[key]
	if l == nil && mute && !shared {
		l = a.lineOf(trail)
	}
	if l == nil {
		l = newLine(a, key, now)
		a.byKey[key] = l
		l.place = a.lines.PushFront(l)
		linesAnywhere.Add(1)
	}
	for _, k := range trail {
		if other := a.byKey[k]; other != nil && other != l && len(l.keys)+len(other.keys) <= mostLines {
			l = a.merge(l, other)
		}
	}
	if mute {
		a.widen(l, c, trail)
	}
	a.suspects.add(key, c.ordinal)
	for _, k := range trail {
		a.suspects.add(k, c.ordinal)
	}
	l.troubled = now
	a.lines.MoveToFront(l.place)
	a.sweep(now)
	return len(l.holders)+len(l.waiting) > 0 || now.Sub(l.joined) < time.Second
}

// widen makes l also the line for a statement with which another call lost.
func (a *admission) widen(l *line, c *call, trail []fingerprint) {
	for _, k := range slices.Backward(trail) {
		if a.byKey[k] == nil && a.suspects.sharedBy(k, c.ordinal) {
			a.byKey[k] = l
			l.keys = append(l.keys, k)
			return
		}
	}
}

// merge makes one line of two, and gives that.
func (a *admission) merge(l, other *line) *line {
	if len(l.keys) < len(other.keys) {
		l, other = other, l
	}
	for _, k := range other.keys {
		a.byKey[k] = l
	}
	l.keys = append(l.keys, other.keys...)
	for _, t := range other.holders {
		t.line = l
	}
	for _, w := range other.waiting {
		w.turn.line = l
	}
	l.holders = append(l.holders, other.holders...)
	l.waiting = append(l.waiting, other.waiting...)
	if l.alone == nil {
		l.alone = other.alone
	}
	l.limit, l.good, l.bad = 1, 0, 0
	l.usual = max(l.usual, other.usual)
	l.patience = max(l.patience, other.patience)
	a.remove(other)
	l.call()
	return l
}
