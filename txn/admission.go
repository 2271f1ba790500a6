package txn

import (
	"container/list"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"time"
	"weak"

	"github.com/jackc/pgx/v5/pgxpool"
)

// admission holds the admission queues of one pool.
//
// Each line (queue) is in lines once, and in byKey under each of its keys. A turn
// (permit) belongs to one line: it waits there, then is one of the holders, then is
// over. mu guards all fields; no user code runs under it. Nothing runs in the
// background except the timer of a line in which a call waits.
type admission struct {
	mu      sync.Mutex
	byKey   map[fingerprint]*line
	lines   list.List // most recently troubled or waited in first
	waiting int       // in all queues
	most    int       // connections of the pool; beyond it, permits would wait for a connection

	openings map[fingerprint]*opening // by the text of the first statement
	suspects suspects
	calls    uint64 // that have lost a conflict
}

func newAdmission(most int) *admission {
	return &admission{most: most, byKey: make(map[fingerprint]*line), openings: make(map[fingerprint]*opening)}
}

const (
	mostLines   = 1024 // queues of a pool, and fingerprints in them
	mostTrail   = 8    // statements remembered of an attempt
	beforeAlone = 3    // losses after which a call runs alone
)

// linesAnywhere counts the queues of all pools. While it is zero, nearly always,
// nothing else is checked.
var linesAnywhere atomic.Int64

// admissions maps a pool to its admission without keeping the pool alive. The map is
// replaced on change, so reading it takes no lock.
var (
	admissions      atomic.Pointer[map[weak.Pointer[pgxpool.Pool]]*admission]
	admissionsMaker sync.Mutex
)

func admissionOf(pool *pgxpool.Pool) *admission {
	key := weak.Make(pool)
	if m := admissions.Load(); m != nil && (*m)[key] != nil {
		return (*m)[key]
	}
	a := newAdmission(int(pool.Stat().MaxConns()))
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

// drop removes a queue and admits all calls that wait in it.
func (a *admission) drop(l *line) {
	for _, k := range l.keys {
		delete(a.byKey, k)
	}
	a.remove(l)
	l.limit = unlimited
	l.call(time.Now())
}

func (a *admission) remove(l *line) {
	a.lines.Remove(l.place)
	a.forget(l)
	linesAnywhere.Add(-1)
}

// sweep removes queues that are no longer needed and, if there are too many, those
// least recently troubled. It runs at each access to the queues.
func (a *admission) sweep(now time.Time) {
	for e := a.lines.Back(); e != nil; {
		l := e.Value.(*line)
		e = e.Prev()
		if len(a.byKey) > mostLines || l.forsaken(now) {
			a.drop(l)
		} else if !l.quiet(now) {
			return // and those before it are not either
		}
	}
}

// enter returns a permit if there is a queue for the request, and nil if there is none
// and the caller may proceed. A permit with a wake has to be waited for. The caller
// must leave every permit.
func (a *admission) enter(r *request) (*turn, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	now := time.Now()
	a.sweep(now)
	l := a.lineFor(r)
	if l == nil || a.held(l, r.outer) {
		return nil, nil
	}
	t := &turn{of: a, line: l, exclusive: r.lost == beforeAlone, front: r.lost > 0 && r.lost <= beforeAlone}
	if l.aheadOf(t) == 0 && l.room(t.exclusive) {
		l.take(t, now)
		return t, nil
	}
	if err := l.refuse(r, l.aheadOf(t), now); err != nil {
		return nil, err
	}
	l.join(t, now)
	a.lines.MoveToFront(l.place)
	return t, nil
}

// held reports whether an enclosing call has a permit in l, or began for the same key
// before the queue existed. Waiting for it would be waiting for itself.
func (a *admission) held(l *line, outer []outer) bool {
	for _, o := range outer {
		if o.turn != nil && o.turn.of == a && o.turn.line == l || a.byKey[o.key] == l {
			return true
		}
	}
	return false
}

func (a *admission) connected(t *turn) {
	a.mu.Lock()
	t.began = time.Now()
	a.mu.Unlock()
}

// leave ends a permit, granted or not, and reports whether calls wait in its queue.
func (a *admission) leave(t *turn, how verdict) (next bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	now := time.Now()
	next = t.line.count() > 0
	t.line.leave(t, how, now)
	a.sweep(now)
	return next
}

// waitFor estimates how long the calls in the queue of t wait.
func (a *admission) waitFor(t *turn) time.Duration {
	a.mu.Lock()
	defer a.mu.Unlock()
	return t.line.wait(t.line.count())
}

// Stats counts the calls that queue for each other.
type Stats struct {
	Lines   int // queues
	Waiting int // calls waiting for a permit
	Holding int // calls holding a permit
}

func (a *admission) stats() (s Stats) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.sweep(time.Now())
	s.Lines, s.Waiting = a.lines.Len(), a.waiting
	for e := a.lines.Front(); e != nil; e = e.Next() {
		s.Holding += len(e.Value.(*line).holders)
	}
	return s
}

// conflict creates a queue for the key of an attempt that lost, and merges it with the
// queues of the statements that the attempt had sent, as they contend for the same
// rows. t is the permit of the attempt, which has been left, or nil. conflict reports
// whether other calls are in that queue and it limits them.
func (a *admission) conflict(r *request, t *turn) (apart bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	now := time.Now()
	if r.ordinal == 0 {
		a.calls++
		r.ordinal = a.calls
	}
	shared := a.suspects.sharedBy(r.key, r.ordinal)
	o := a.openingOf(r.opening)
	mute := o != nil && o.lost(shared)
	l := a.byKey[r.key]
	if l == nil && mute && !shared {
		l = a.lineOf(r.trail)
	}
	if l == nil {
		l = newLine(a, r.key, now)
		a.byKey[r.key] = l
		l.place = a.lines.PushFront(l)
		linesAnywhere.Add(1)
	}
	if t == nil || t.line != l {
		took := r.took
		if t != nil {
			took = t.lasted(now)
		}
		l.lost(nil, took, now)
	}
	for _, k := range r.trail {
		if other := a.byKey[k]; other != nil && other != l && len(l.keys)+len(other.keys) <= mostLines {
			l = a.merge(l, other, now)
		}
	}
	if mute {
		a.widen(l, r)
	}
	a.suspects.add(r.key, r.ordinal)
	for _, k := range r.trail {
		a.suspects.add(k, r.ordinal)
	}
	l.troubled = now
	a.lines.MoveToFront(l.place)
	a.sweep(now)
	return l.limit < unlimited && (len(l.holders)+l.count() > 0 || now.Sub(l.waited) < quietTime)
}

// widen adds to l's keys a statement with which another call also lost.
func (a *admission) widen(l *line, r *request) {
	for _, k := range slices.Backward(r.trail) {
		if a.byKey[k] == nil && a.suspects.sharedBy(k, r.ordinal) {
			a.byKey[k] = l
			l.keys = append(l.keys, k)
			return
		}
	}
}

// merge makes one queue of two and returns it.
func (a *admission) merge(l, other *line, now time.Time) *line {
	if len(l.keys) < len(other.keys) {
		l, other = other, l
	}
	for _, k := range other.keys {
		a.byKey[k] = l
	}
	l.keys = append(l.keys, other.keys...)
	a.remove(other)
	l.absorb(other, now)
	return l
}
