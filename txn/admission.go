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

// admission has the lines of one pool.
//
// Each line is in lines once and in byKey under each of its keys. A turn belongs
// to one line: it waits there, then it is one of the holders, then it is over.
// Everything is guarded by mu, under which no code of a user's is run, and the time
// is looked at: nothing runs by itself but the timer of a line in which somebody
// waits.
type admission struct {
	mu      sync.Mutex
	byKey   map[fingerprint]*line
	lines   list.List // in front the one in which somebody last lost or waited
	waiting int       // turns, in all lines
	most    int       // connections of the pool: a higher limit would have turns wait for them instead

	openings map[fingerprint]*opening // by the text of the first statement
	suspects suspects
	calls    uint64 // that have lost
}

func newAdmission(most int) *admission {
	return &admission{most: most, byKey: make(map[fingerprint]*line), openings: make(map[fingerprint]*opening)}
}

const (
	mostLines   = 1024 // of a pool, and fingerprints in them
	mostTrail   = 8    // statements that are remembered of an attempt
	beforeAlone = 3    // losses after which a call has a turn alone
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

// drop forgets a line. Whoever waits in it comes in.
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

// sweep forgets lines that nobody needs, and the least recently troubled ones
// where there are too many. It is called whenever somebody looks at the lines.
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

// enter gives a turn where there is a line for the request. It may have to be
// waited for: then it has a wake. Without a line it is nil, and the caller goes
// ahead. Every turn is to be left.
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

// held reports whether a call around the one that asks has a turn in l, or is there
// for the same and began before there was a line. To wait for that would be to
// wait for itself.
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

// leave ends a turn, also one that has not come yet, and reports whether somebody
// waits in its line.
func (a *admission) leave(t *turn, how verdict) (next bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	now := time.Now()
	next = t.line.count() > 0
	t.line.leave(t, how, now)
	a.sweep(now)
	return next
}

// waitFor is how long those who wait where t did have to, as far as can be told.
func (a *admission) waitFor(t *turn) time.Duration {
	a.mu.Lock()
	defer a.mu.Unlock()
	return t.line.wait(t.line.count())
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
	a.sweep(time.Now())
	s.Lines, s.Waiting = a.lines.Len(), a.waiting
	for e := a.lines.Front(); e != nil; e = e.Next() {
		s.Holding += len(e.Value.(*line).holders)
	}
	return s
}

// conflict makes a line for the key of an attempt that lost, and one line of
// those for the statements that it had sent: they fight over the same rows. t is
// the turn that the attempt had, which has been left, or nil. It reports whether
// others are in that line, and it keeps them apart.
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

// widen makes l also the line for a statement with which another call lost.
func (a *admission) widen(l *line, r *request) {
	for _, k := range slices.Backward(r.trail) {
		if a.byKey[k] == nil && a.suspects.sharedBy(k, r.ordinal) {
			a.byKey[k] = l
			l.keys = append(l.keys, k)
			return
		}
	}
}

// merge makes one line of two, and gives that.
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
