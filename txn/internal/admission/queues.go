package admission

import (
	"container/list"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// Queues are the queues of one pool.
//
// Each queue is in queues once, and in byKey under each of its keys. mu guards all
// fields; no code of the user runs under it.
type Queues struct {
	mu          sync.Mutex
	byKey       map[Fingerprint]*queue
	queues      list.List // most recently troubled or waited in first
	waiting     int       // permits in all queues
	connections int       // of the pool; beyond it, permits would wait for a connection

	prefixes map[Fingerprint]*prefix
	losses   recentLosses
	calls    uint64 // that have lost a conflict
}

// New returns the queues of a pool with so many connections at most.
func New(connections int) *Queues {
	return &Queues{connections: connections, byKey: make(map[Fingerprint]*queue), prefixes: make(map[Fingerprint]*prefix)}
}

const (
	maxQueues = 1024 // of a pool, and keys of them

	lossesBeforeAlone = 3
)

// anywhere counts the queues of all pools.
var anywhere atomic.Int64

// Any reports whether any pool has a queue. While there is none, which is nearly
// always, nothing else has to be looked at.
func Any() bool { return anywhere.Load() > 0 }

// TooLate is the error for a request whose permit would not come before its deadline.
type TooLate struct {
	Ahead int           // permits that wait ahead of it
	Wait  time.Duration // estimated
}

func (e *TooLate) Error() string { return fmt.Sprintf("%d wait ahead, for about %v", e.Ahead, e.Wait) }

// Stats counts the queues of a pool and their permits.
type Stats struct {
	Queues  int
	Waiting int
	Active  int
}

// Enter returns a permit if there is a queue for the request, and nil if there is none
// and the caller may proceed. The error is a *TooLate; it comes only once the limit of
// the queue has shown to be needed.
func (s *Queues) Enter(r *Request) (*Permit, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := time.Now()
	s.sweepLocked(now)
	q := s.queueForLocked(r)
	if q == nil || s.heldLocked(q, r.Outer) {
		return nil, nil
	}
	p := &Permit{of: s, queue: q, exclusive: r.Losses == lossesBeforeAlone, front: r.Losses > 0 && r.Losses <= lossesBeforeAlone}
	ahead := q.aheadOf(p)
	if ahead == 0 && q.hasRoom(p.exclusive) {
		q.admit(p, now)
		return p, nil
	}
	if wait := q.limit.wait(ahead); q.limit.needed() && !r.Deadline.IsZero() && wait >= r.Deadline.Sub(now) {
		return nil, &TooLate{Ahead: ahead, Wait: wait}
	}
	q.join(p, now)
	s.queues.MoveToFront(q.place)
	return p, nil
}

// Connected notes that the attempt of a permit has its connection.
func (s *Queues) Connected(p *Permit) {
	s.mu.Lock()
	p.began = time.Now()
	s.mu.Unlock()
}

// Release ends a permit, granted or not, and reports whether others wait in its queue.
func (s *Queues) Release(p *Permit, how Verdict) (next bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := time.Now()
	next = p.queue.length() > 0
	p.queue.end(p, how, now)
	s.sweepLocked(now)
	return next
}

// Wait estimates how long a permit that joins the queue of p now would wait.
func (s *Queues) Wait(p *Permit) time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	return p.queue.limit.wait(p.queue.length())
}

// Stats returns the present counts.
func (s *Queues) Stats() (n Stats) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.sweepLocked(time.Now())
	n.Queues, n.Waiting = s.queues.Len(), s.waiting
	for e := s.queues.Front(); e != nil; e = e.Next() {
		n.Active += len(e.Value.(*queue).active)
	}
	return n
}

// Lost makes a queue for the key of an attempt that lost, and merges it with the queues
// of the statements that the attempt had sent, as they contend for the same rows. p is
// the permit of the attempt, which has been released, or nil. Lost reports whether
// others are in that queue and it limits them, so that its retry needs no other wait.
func (s *Queues) Lost(r *Request, p *Permit) (queued bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := time.Now()
	if r.ordinal == 0 {
		s.calls++
		r.ordinal = s.calls
	}
	shared := s.losses.sharedBy(r.Key, r.ordinal)
	stats := s.prefixLocked(r.Prefix)
	mute := stats != nil && stats.lost(shared)
	q := s.byKey[r.Key]
	if q == nil && mute && !shared {
		q = s.queueOfLocked(r.Touched)
	}
	if q == nil {
		q = newQueue(s, r.Key, now)
		s.byKey[r.Key] = q
		q.place = s.queues.PushFront(q)
		anywhere.Add(1)
	}
	if p == nil || p.queue != q {
		took := r.Took
		if p != nil {
			took = p.lasted(now)
		}
		q.lost(nil, took, now)
	}
	for _, k := range r.Touched {
		if other := s.byKey[k]; other != nil && other != q && len(q.keys)+len(other.keys) <= maxQueues {
			q = s.mergeLocked(q, other, now)
		}
	}
	if mute {
		s.widenLocked(q, r)
	}
	s.losses.add(r.Key, r.ordinal)
	for _, k := range r.Touched {
		s.losses.add(k, r.ordinal)
	}
	q.troubled = now
	s.queues.MoveToFront(q.place)
	s.sweepLocked(now)
	return q.limit.now < unlimited && (len(q.active)+q.length() > 0 || now.Sub(q.waited) < quietTime)
}

// Ended learns from an attempt that touched statements, where transactions that begin
// with the text of its prefix end up.
func (s *Queues) Ended(prefix, key Fingerprint, touched []Fingerprint) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if p := s.prefixes[prefix]; p != nil && s.byKey[key] == nil {
		p.ended(s.queueOfLocked(touched))
	}
}

// queueForLocked returns the queue in which a request has to wait, or nil.
func (s *Queues) queueForLocked(r *Request) *queue {
	if q := s.byKey[r.Key]; q != nil {
		return q
	}
	if q := s.queueOfLocked(r.Touched); q != nil {
		return q
	}
	return s.prefixes[r.Prefix].likely()
}

// queueOfLocked returns the first queue for any of the statements, or nil.
func (s *Queues) queueOfLocked(touched []Fingerprint) *queue {
	for _, k := range touched {
		if q := s.byKey[k]; q != nil {
			return q
		}
	}
	return nil
}

// heldLocked reports whether a call around the request has a permit in q, or began for
// the same key before the queue existed.
func (s *Queues) heldLocked(q *queue, outer []Outer) bool {
	return slices.ContainsFunc(outer, func(o Outer) bool {
		return o.Permit != nil && o.Permit.of == s && o.Permit.queue == q || s.byKey[o.Key] == q
	})
}

// prefixLocked returns nil for a transaction without a usable first statement.
func (s *Queues) prefixLocked(text Fingerprint) *prefix {
	if text == 0 {
		return nil
	}
	p := s.prefixes[text]
	if p == nil {
		if len(s.prefixes) >= maxPrefixes {
			clear(s.prefixes)
		}
		p = &prefix{}
		s.prefixes[text] = p
	}
	return p
}

// widenLocked adds to the keys of q a statement with which another call also lost.
func (s *Queues) widenLocked(q *queue, r *Request) {
	for _, k := range slices.Backward(r.Touched) {
		if s.byKey[k] == nil && s.losses.sharedBy(k, r.ordinal) {
			s.byKey[k] = q
			q.keys = append(q.keys, k)
			return
		}
	}
}

// mergeLocked makes one queue of two and returns it.
func (s *Queues) mergeLocked(q, other *queue, now time.Time) *queue {
	if len(q.keys) < len(other.keys) {
		q, other = other, q
	}
	for _, k := range other.keys {
		s.byKey[k] = q
	}
	q.keys = append(q.keys, other.keys...)
	s.removeLocked(other)
	q.absorb(other, now)
	return q
}

// sweepLocked drops queues that are no longer needed and, if there are too many, those
// least recently troubled. It runs at each access to the queues.
func (s *Queues) sweepLocked(now time.Time) {
	for e := s.queues.Back(); e != nil; {
		q := e.Value.(*queue)
		e = e.Prev()
		if len(s.byKey) > maxQueues || q.idle(now) {
			s.dropLocked(q)
		} else if !q.quiet(now) {
			return // and those before it are not either
		}
	}
}

// dropLocked removes a queue and grants all permits that wait in it.
func (s *Queues) dropLocked(q *queue) {
	for _, k := range q.keys {
		delete(s.byKey, k)
	}
	s.removeLocked(q)
	q.limit.now = unlimited
	q.admitWaiters(time.Now())
}

func (s *Queues) removeLocked(q *queue) {
	s.queues.Remove(q.place)
	if q.predicted {
		for _, p := range s.prefixes {
			if p.queue == q {
				p.queue, p.hits = nil, 0
			}
		}
	}
	anywhere.Add(-1)
}

// close drops all queues.
func (s *Queues) close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for s.queues.Len() > 0 {
		s.dropLocked(s.queues.Front().Value.(*queue))
	}
}
