package admission

import (
	"container/list"
	"slices"
	"time"
)

// queue is the permits of transactions that may contend for the same rows. It admits as
// many at a time as its limit says.
//
// Invariants, while the lock of its Queues is held: counted is the number of active
// permits that were not bypassed, and at most the limit, except for those admitted
// before it fell; waiting permits are granted in the order in which they joined, those
// of calls that have lost first; the timer runs if and only if a permit waits. All
// methods but tick need that lock.
type queue struct {
	of    *Queues
	keys  []Fingerprint
	place *list.Element // in Queues.queues

	limit   limit
	counted int
	active  []*Permit    // each has its index here
	waiting [2]list.List // of *Permit; the first list is admitted before the second
	alone   *Permit      // an exclusive permit: no other is admitted
	timer   *time.Timer

	troubled  time.Time // the last conflict
	waited    time.Time // when a permit last waited
	predicted bool      // prefix.queue may point here
}

const quietTime = time.Second

func newQueue(of *Queues, key Fingerprint, now time.Time) *queue {
	return &queue{of: of, keys: []Fingerprint{key}, limit: newLimit(of.connections, now), troubled: now}
}

// hasRoom reports whether another permit may be admitted.
func (q *queue) hasRoom(exclusive bool) bool {
	if q.alone != nil {
		return false
	}
	if exclusive {
		return q.counted == 0
	}
	return q.counted < q.limit.now
}

// length returns how many permits wait.
func (q *queue) length() int { return q.waiting[0].Len() + q.waiting[1].Len() }

// head returns the next waiting permit, or nil.
func (q *queue) head() *Permit {
	for i := range q.waiting {
		if e := q.waiting[i].Front(); e != nil {
			return e.Value.(*Permit)
		}
	}
	return nil
}

// aheadOf returns how many waiting permits come before p.
func (q *queue) aheadOf(p *Permit) int {
	if p.front {
		return q.waiting[0].Len()
	}
	return q.length()
}

// join adds a permit to the waiting ones.
func (q *queue) join(p *Permit, now time.Time) {
	p.ahead, p.granted = q.aheadOf(p), make(chan struct{})
	q.push(p)
	q.of.waiting++
	q.waited = now
	q.watch(now)
}

// push puts a permit at its place among the waiting ones.
func (q *queue) push(p *Permit) { p.queue, p.place = q, q.ofSame(p).PushBack(p) }

// ofSame returns the list in which p waits.
func (q *queue) ofSame(p *Permit) *list.List {
	if p.front {
		return &q.waiting[0]
	}
	return &q.waiting[1]
}

// withdraw removes a waiting permit.
func (q *queue) withdraw(p *Permit) {
	q.ofSame(p).Remove(p.place)
	p.place = nil
	q.of.waiting--
}

// admit makes a permit active.
func (q *queue) admit(p *Permit, now time.Time) {
	p.admitted, p.index = now, len(q.active)
	q.active = append(q.active, p)
	q.counted++
	if p.exclusive {
		q.alone = p
	}
}

// admitWaiters grants waiting permits while there is room.
func (q *queue) admitWaiters(now time.Time) {
	for p := q.head(); p != nil && q.hasRoom(p.exclusive); p = q.head() {
		q.withdraw(p)
		q.admit(p, now)
		q.waited = now
		q.of.queues.MoveToFront(q.place)
		close(p.granted)
	}
	q.watch(now)
}

// watch sets the timer for the next event, if a permit waits.
func (q *queue) watch(now time.Time) {
	switch {
	case q.length() == 0:
		if q.timer != nil {
			q.timer.Stop()
			q.timer = nil
		}
	case q.timer == nil:
		q.timer = time.AfterFunc(q.next(now), q.tick)
	}
}

// next returns how long nothing can happen unless a permit ends.
func (q *queue) next(now time.Time) time.Duration {
	at := now.Add(leastForbearance)
	for _, due := range []time.Time{q.overdue(), q.limit.ripens()} {
		if !due.IsZero() && due.Before(at) {
			at = due
		}
	}
	return max(at.Sub(now), time.Millisecond)
}

// tick is called by the timer.
func (q *queue) tick() {
	q.of.mu.Lock()
	defer q.of.mu.Unlock()
	if q.timer == nil {
		return // stopped too late
	}
	q.timer = nil
	now := time.Now()
	q.raise(now)
	q.bypassStalled(now)
	q.admitWaiters(now)
}

// overdue returns when the head is admitted although there is no room: an active permit
// that takes so much longer than usual may be waiting for the head itself. It returns
// zero if there is no such permit.
func (q *queue) overdue() (due time.Time) {
	for _, p := range q.active {
		if !p.bypassed.IsZero() {
			continue
		}
		if at := q.stallsAt(p); due.IsZero() || at.Before(due) {
			due = at
		}
	}
	return due
}

// stallsAt returns when a permit has lasted too long. That is much later while it has
// no connection, for which it may have to wait.
func (q *queue) stallsAt(p *Permit) time.Time {
	forbearance := q.limit.forbearance(p.exclusive)
	if p.began.IsZero() {
		return p.admitted.Add(10 * forbearance)
	}
	return p.began.Add(forbearance)
}

// bypassStalled stops counting the active permits that are overdue.
func (q *queue) bypassStalled(now time.Time) {
	for _, p := range q.active {
		if p.bypassed.IsZero() && !now.Before(q.stallsAt(p)) {
			p.bypassed = now
			q.counted--
			if q.alone == p {
				q.alone = nil
			}
		}
	}
}

// end ends a permit, and learns from it.
func (q *queue) end(p *Permit, how Verdict, now time.Time) {
	if p.place != nil {
		q.withdraw(p)
	} else {
		q.remove(p)
	}
	took := p.lasted(now)
	switch {
	case how == Lost:
		q.lost(p, took, now)
	case how == Agreed && !p.began.IsZero():
		q.limit.learn(took)
		q.limit.served()
		q.raise(now)
	}
	q.admitWaiters(now)
}

// remove removes an active permit.
func (q *queue) remove(p *Permit) {
	last := q.active[len(q.active)-1]
	q.active[p.index], last.index = last, p.index
	q.active = slices.Delete(q.active, len(q.active)-1, len(q.active))
	if p.bypassed.IsZero() {
		q.counted--
	}
	if q.alone == p {
		q.alone = nil
	}
}

// lost learns from a conflict of an attempt with the permit p, or none if p is nil.
func (q *queue) lost(p *Permit, took time.Duration, now time.Time) {
	q.troubled = now
	var admitted time.Time
	if p != nil {
		admitted = p.admitted
	}
	q.limit.lost(admitted, took, now)
}

// raise raises the limit if it is time to, and a permit waits because of it.
func (q *queue) raise(now time.Time) {
	head := q.head()
	if head == nil || head.exclusive || q.alone != nil || !q.limit.ripe(q.counted, now) {
		return
	}
	q.limit.raise(now)
	if q.timer != nil { // the next step may come sooner
		q.timer.Reset(q.next(now))
	}
}

// absorb makes another queue part of this one.
func (q *queue) absorb(other *queue, now time.Time) {
	for _, p := range other.active {
		p.queue, p.index = q, len(q.active)
		q.active = append(q.active, p)
	}
	q.counted += other.counted
	for i := range other.waiting {
		for e := other.waiting[i].Front(); e != nil; e = e.Next() {
			q.push(e.Value.(*Permit))
		}
		other.waiting[i].Init()
	}
	other.watch(now)
	if q.alone == nil {
		q.alone = other.alone
	}
	if q.waited.Before(other.waited) {
		q.waited = other.waited
	}
	q.limit.absorb(&other.limit, now)
	q.admitWaiters(now)
}

// quiet reports whether nobody had to wait and nobody lost for a while.
func (q *queue) quiet(now time.Time) bool {
	return now.Sub(q.troubled) > quietTime && now.Sub(q.waited) > quietTime
}

// idle reports whether the queue is no longer needed: it was quiet, and all permits
// admitted before that have ended. A permit may well last longer than that.
func (q *queue) idle(now time.Time) bool {
	if q.length() > 0 || !q.quiet(now) {
		return false
	}
	last := q.troubled
	if last.Before(q.waited) {
		last = q.waited
	}
	return !slices.ContainsFunc(q.active, func(p *Permit) bool { return p.admitted.Before(last.Add(quietTime)) })
}
