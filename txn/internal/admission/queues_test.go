package admission

import (
	"runtime"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

// conflictOn makes a queue, as one conflict does.
func conflictOn(s *Queues, key Fingerprint) *queue {
	s.Lost(&Request{Key: key}, nil)
	return s.byKey[key]
}

// limitTo makes a queue with the given limit, which it will not raise soon.
func limitTo(s *Queues, key Fingerprint, n int) *queue {
	q := conflictOn(s, key)
	q.limit.now, q.limit.failures, q.limit.patience, q.limit.pause = n, 1, maxPatience, time.Hour
	return q
}

// mustEnter enters a request that is admitted at once.
func mustEnter(t *testing.T, s *Queues, r *Request) *Permit {
	t.Helper()
	p, err := s.Enter(r)
	require.NoError(t, err)
	require.NotNil(t, p)
	require.Nil(t, p.Granted(), "it has to wait")
	return p
}

// mustWait enters a request that has to wait.
func mustWait(t *testing.T, s *Queues, r *Request) *Permit {
	t.Helper()
	p, err := s.Enter(r)
	require.NoError(t, err)
	require.NotNil(t, p)
	require.False(t, granted(p), "admitted too early")
	return p
}

func granted(p *Permit) bool {
	if p.Granted() == nil {
		return true
	}
	select {
	case <-p.Granted():
		return true
	default:
		return false
	}
}

// lostEvery returns Lost for one permit in so many.
func lostEvery(i, n int) Verdict {
	if i%n == 0 {
		return Lost
	}
	return Agreed
}

func TestOneConflictIsNoMoreThanASuspicion(t *testing.T) {
	t.Parallel()
	s := New(unlimited)
	permit, err := s.Enter(&Request{Key: 1})
	require.NoError(t, err)
	require.Nil(t, permit, "without a conflict there is no queue")
	conflictOn(s, 1)
	for range 100 {
		mustEnter(t, s, &Request{Key: 1})
	}
	require.True(t, s.Lost(&Request{Key: 1, Losses: 1}, nil), "the second one makes a limit")
	require.Equal(t, 1, s.byKey[1].limit.now)
	mustWait(t, s, &Request{Key: 1})
}

// Some conflicts among many transactions make no limit, whether they come first or not.
func TestFewConflictsAmongManyMakeNoLimit(t *testing.T) {
	t.Parallel()
	s := New(unlimited)
	conflictOn(s, 1)
	for range 100 {
		for range 20 {
			permit := mustEnter(t, s, &Request{Key: 1})
			s.Connected(permit)
			s.Release(permit, Agreed)
		}
		permit := mustEnter(t, s, &Request{Key: 1})
		s.Release(permit, Lost)
		require.False(t, s.Lost(&Request{Key: 1}, permit))
	}
	require.Equal(t, unlimited, s.byKey[1].limit.now)
	require.Less(t, s.byKey[1].limit.good, remembered)
}

func TestFirstComeFirstServedWithRetriesInFront(t *testing.T) {
	t.Parallel()
	s := New(unlimited)
	limitTo(s, 1, 1)
	active := mustEnter(t, s, &Request{Key: 1})
	first, second := mustWait(t, s, &Request{Key: 1}), mustWait(t, s, &Request{Key: 1})
	retry, next := mustWait(t, s, &Request{Key: 1, Losses: 1}), mustWait(t, s, &Request{Key: 1, Losses: 2})
	require.Equal(t, []int{0, 1, 0, 1}, []int{first.ahead, second.ahead, retry.ahead, next.ahead})
	require.Equal(t, Stats{Queues: 1, Waiting: 4, Active: 1}, s.Stats())
	order := []*Permit{active, retry, next, first, second}
	for i, permit := range order {
		require.True(t, granted(permit), i)
		for _, later := range order[i+1:] {
			require.False(t, granted(later), i)
		}
		require.Equal(t, i < len(order)-1, s.Release(permit, Agreed))
	}
	require.Equal(t, Stats{Queues: 1}, s.Stats())
	require.Nil(t, s.byKey[1].timer, "it runs while somebody waits only")
}

func TestCallThatLostThriceRunsAlone(t *testing.T) {
	t.Parallel()
	s := New(unlimited)
	limitTo(s, 1, 4)
	one, two := mustEnter(t, s, &Request{Key: 1}), mustEnter(t, s, &Request{Key: 1})
	alone := mustWait(t, s, &Request{Key: 1, Losses: lossesBeforeAlone})
	s.Release(one, Agreed)
	require.False(t, granted(alone))
	s.Release(two, Agreed)
	require.True(t, granted(alone))
	require.True(t, alone.exclusive)
	other := mustWait(t, s, &Request{Key: 1})
	s.Release(alone, Agreed)
	require.True(t, granted(other))
	s.Release(other, Agreed)
}

func TestLimitProbesUpwardAndFallsBack(t *testing.T) {
	t.Parallel()
	q := limitTo(New(unlimited), 1, 1)
	q.of.mu.Lock()
	defer q.of.mu.Unlock()
	now := time.Now()
	q.limit.patience, q.limit.failures = firstPatience, 0
	pass := func(how Verdict) {
		permit := &Permit{queue: q, began: now}
		q.admit(permit, now)
		q.end(permit, how, now)
	}
	blocker := &Permit{queue: q, began: now}
	q.admit(blocker, now)
	q.join(&Permit{}, now) // somebody waits
	q.counted = unlimited  // and there is never room
	for range firstPatience {
		pass(Agreed)
	}
	require.Equal(t, 2, q.limit.now)
	pass(Lost)
	require.Equal(t, 2, q.limit.now, "one is chance")
	pass(Lost)
	require.Equal(t, 1, q.limit.now)
	require.Equal(t, 1, q.limit.failures)
	for range nextPatience - 1 {
		pass(Agreed)
	}
	require.Equal(t, 1, q.limit.now, "the next try comes later")
	pass(Agreed)
	require.Equal(t, 2, q.limit.now)
	for range 100_000 {
		pass(Agreed)
	}
	require.Greater(t, q.limit.now, 100, "where nobody fights it opens wide")
	before := q.limit.now
	for i := range 1000 {
		pass(lostEvery(i, 50))
	}
	require.GreaterOrEqual(t, q.limit.now, before, "a few conflicts among many do not close it")
	for range 10_000 {
		pass(Cut)
	}
	require.Equal(t, before, q.limit.now, "what was cut short says nothing")
}

// A transaction that began before the limit fell lost to those let in before.
func TestPermitsFromBeforeItFellSayNothingOfTheLimit(t *testing.T) {
	t.Parallel()
	s := New(unlimited)
	q := limitTo(s, 1, 64)
	var old []*Permit
	for range 32 {
		old = append(old, mustEnter(t, s, &Request{Key: 1}))
	}
	lose := func(permit *Permit) {
		s.Release(permit, Lost)
		s.Lost(&Request{Key: 1}, permit)
	}
	lose(old[0])
	lose(old[1])
	require.Equal(t, 1, q.limit.now, "most lose")
	q.limit.now = 4
	for _, permit := range old[2:30] {
		lose(permit)
	}
	s.Lost(&Request{Key: 1}, nil)
	require.Equal(t, 4, q.limit.now)
	one, two := mustEnter(t, s, &Request{Key: 1}), mustEnter(t, s, &Request{Key: 1})
	lose(one)
	lose(two)
	require.Equal(t, 1, q.limit.now)
}

// At a limit of one, a permit lost to a transaction outside the queue, in another
// process for example. A higher limit does not help while that continues, and helps
// soon afterwards.
func TestConflictsWithOthersHoldTheLimit(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := New(unlimited)
		q := conflictOn(s, 1)
		s.Lost(&Request{Key: 1}, nil)
		require.Equal(t, 1, q.limit.now)
		permit := mustEnter(t, s, &Request{Key: 1})
		pass := func(how Verdict) {
			next := mustWait(t, s, &Request{Key: 1})
			s.Connected(permit)
			time.Sleep(firstPause / 2)
			s.Release(permit, how)
			require.True(t, granted(next))
			permit = next
		}
		for i := range 200 {
			pass(lostEvery(i, 8))
			require.Equal(t, 1, q.limit.now, i)
		}
		for range 16 - 7 {
			pass(Agreed)
		}
		require.Equal(t, 2, q.limit.now)
	})
}

// An active permit that takes too long may be waiting for the head of the queue.
func TestPermitThatIsStuckIsBypassed(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := New(unlimited)
		q := limitTo(s, 1, 1)
		q.limit.usual = 50 * time.Millisecond
		active := mustEnter(t, s, &Request{Key: 1})
		s.Connected(active)
		start := time.Now()
		head, second := mustWait(t, s, &Request{Key: 1}), mustWait(t, s, &Request{Key: 1})
		<-head.granted
		require.Equal(t, 10*q.limit.usual, time.Since(start))
		require.False(t, granted(second))
		s.Connected(head)
		time.Sleep(time.Millisecond)
		s.Release(head, Agreed)
		require.True(t, granted(second))
		s.Release(second, Cut)
		time.Sleep(time.Second)
		usual := q.limit.usual
		s.Release(active, Agreed)
		require.Greater(t, q.limit.usual, 3*usual, "that it took so long is learned")
	})
}

func TestQueuesOfTheSameStatementsMerge(t *testing.T) {
	t.Parallel()
	s := New(unlimited)
	for key := range Fingerprint(3) {
		limitTo(s, key+1, 1)
	}
	one, two := mustEnter(t, s, &Request{Key: 1}), mustEnter(t, s, &Request{Key: 2})
	afterOne, afterTwo := mustWait(t, s, &Request{Key: 1}), mustWait(t, s, &Request{Key: 2})
	require.True(t, s.Lost(&Request{Key: 1, Touched: []Fingerprint{1, 2, 99}}, one))
	require.Equal(t, Stats{Queues: 2, Waiting: 2, Active: 2}, s.Stats())
	inFront := mustWait(t, s, &Request{Key: 2, Losses: 1})
	s.Release(one, Lost)
	require.False(t, granted(inFront))
	s.Release(two, Agreed)
	for _, permit := range []*Permit{inFront, afterOne, afterTwo} {
		require.True(t, granted(permit))
		s.Release(permit, Agreed)
	}
	s.Release(mustEnter(t, s, &Request{Key: 3}), Agreed)
	require.Equal(t, Stats{Queues: 2}, s.Stats())
}

// Two suspicions merge into one suspicion, unless they are enough together.
func TestSuspicionsMerge(t *testing.T) {
	t.Parallel()
	s := New(unlimited)
	conflictOn(s, 1)
	for range 100 {
		permit := mustEnter(t, s, &Request{Key: 1})
		s.Connected(permit)
		s.Release(permit, Agreed)
	}
	conflictOn(s, 2)
	s.Lost(&Request{Key: 1, Touched: []Fingerprint{2}}, nil)
	require.Same(t, s.byKey[1], s.byKey[2])
	require.Equal(t, unlimited, s.byKey[1].limit.now)
	conflictOn(s, 3)
	conflictOn(s, 4)
	s.Lost(&Request{Key: 3, Touched: []Fingerprint{4}}, nil)
	require.Equal(t, 1, s.byKey[4].limit.now)
}

// 200,000 fingerprints, each of which conflicted once, leave a thousand queues.
func TestQueuesAreBounded(t *testing.T) { // by itself, as it looks at the memory
	s := New(unlimited)
	limitTo(s, 1, 1)
	active := mustEnter(t, s, &Request{Key: 1})
	head := mustWait(t, s, &Request{Key: 1})
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	for i := range Fingerprint(200_000) {
		s.Lost(&Request{Prefix: i + 1, Key: i + 2, Touched: []Fingerprint{i + 1, i + 3}}, nil)
		if len(s.prefixes) > maxPrefixes || len(s.byKey) > maxQueues || s.queues.Len() > maxQueues {
			t.Fatal(i, len(s.prefixes), len(s.byKey), s.queues.Len())
		}
	}
	runtime.GC()
	runtime.ReadMemStats(&after)
	require.Less(t, int64(after.HeapAlloc)-int64(before.HeapAlloc), int64(4<<20), "under 4 MiB")
	require.True(t, granted(head), "its queue was dropped, so it was granted")
	s.Release(head, Agreed)
	s.Release(active, Agreed)
}

// Queues disappear by themselves, as far as callers can see.
func TestQueueThatNobodyNeedsIsDropped(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := New(unlimited)
		conflictOn(s, 1)
		time.Sleep(quietTime)
		require.Equal(t, Stats{Queues: 1}, s.Stats())
		time.Sleep(time.Nanosecond)
		require.Equal(t, Stats{}, s.Stats(), "also if no permit ends")

		conflictOn(s, 1)
		long := mustEnter(t, s, &Request{Key: 1})
		time.Sleep(10 * quietTime)
		require.Equal(t, Stats{Queues: 1, Active: 1}, s.Stats(), "it may still lose to another one of then")
		brief := mustEnter(t, s, &Request{Key: 1})
		s.Release(long, Agreed)
		require.Equal(t, Stats{}, s.Stats(), "that is over, whoever came since")
		s.Release(brief, Agreed)

		limitTo(s, 1, 1)
		active := mustEnter(t, s, &Request{Key: 1})
		next := mustWait(t, s, &Request{Key: 1})
		time.Sleep(2 * quietTime)
		s.Release(active, Agreed)
		require.True(t, granted(next))
		s.Release(next, Agreed)
		require.Equal(t, Stats{Queues: 1}, s.Stats(), "somebody waited just now")
		conflictOn(s, 2)
		time.Sleep(quietTime + 1)
		permit, err := s.Enter(&Request{Key: 1})
		require.NoError(t, err)
		require.Nil(t, permit)
		require.Empty(t, s.byKey)
	})
}

func TestPermitThatWouldComeTooLateIsRefused(t *testing.T) {
	t.Parallel()
	s := New(unlimited)
	q := limitTo(s, 1, 1)
	q.limit.usual = time.Hour
	soon := time.Now().Add(time.Minute)
	active := mustEnter(t, s, &Request{Key: 1})
	first := mustWait(t, s, &Request{Key: 1, Deadline: soon})
	_, err := s.Enter(&Request{Key: 1, Deadline: soon})
	require.Equal(t, &TooLate{Ahead: 1, Wait: time.Hour}, err)

	retry := mustWait(t, s, &Request{Key: 1, Deadline: soon, Losses: 1}) // it would be first
	_, err = s.Enter(&Request{Key: 1, Deadline: soon, Losses: 2})
	require.EqualError(t, err, "1 wait ahead, for about 1h0m0s")

	q.limit.now, q.limit.failures = 120, 0
	q.counted = q.limit.now
	mustWait(t, s, &Request{Key: 1, Deadline: soon}) // nobody knows yet whether that limit is needed
	q.limit.failures = 1
	mustWait(t, s, &Request{Key: 1, Deadline: soon.Add(time.Hour)}) // three of 120 at a time
	mustWait(t, s, &Request{Key: 1})
	q.limit.usual = time.Millisecond
	for range 12_000 {
		mustWait(t, s, &Request{Key: 1, Deadline: soon})
	}
	_ = []*Permit{active, first, retry}
}

// Otherwise transactions that wait for each other would wait longer each time.
func TestWaitForOneInTheQueueIsNotLearned(t *testing.T) {
	t.Parallel()
	for _, how := range []Verdict{Agreed, Lost} {
		synctest.Test(t, func(t *testing.T) {
			s := New(unlimited)
			q := limitTo(s, 1, 1)
			for range 10 {
				active := mustEnter(t, s, &Request{Key: 1})
				s.Connected(active)
				start := time.Now()
				head := mustWait(t, s, &Request{Key: 1})
				<-head.granted
				require.LessOrEqual(t, time.Since(start), leastForbearance)
				s.Connected(head)
				time.Sleep(time.Millisecond)
				s.Release(active, how)
				s.Release(head, Agreed)
				q.limit.now = 1
			}
		})
	}
}
