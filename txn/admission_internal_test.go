package txn

import (
	"errors"
	"runtime"
	"testing"
	"testing/synctest"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"
)

// suspected creates a queue, as one conflict does.
func suspected(a *admission, key fingerprint) *line {
	a.conflict(&request{key: key}, nil)
	return a.byKey[key]
}

// limited creates a queue with the given limit, which it will not raise soon.
func limited(a *admission, key fingerprint, limit int) *line {
	l := suspected(a, key)
	l.limit, l.failures, l.patience, l.pause = limit, 1, mostPatience, time.Hour
	return l
}

// in enters a request that is admitted at once.
func in(t *testing.T, a *admission, r *request) *turn {
	t.Helper()
	turn, err := a.enter(r)
	require.NoError(t, err)
	require.NotNil(t, turn)
	require.Nil(t, turn.wake, "it has to wait")
	return turn
}

// waits enters a request that has to wait.
func waits(t *testing.T, a *admission, r *request) *turn {
	t.Helper()
	turn, err := a.enter(r)
	require.NoError(t, err)
	require.NotNil(t, turn)
	require.False(t, came(turn), "let in too early")
	return turn
}

func came(t *turn) bool {
	if t.wake == nil {
		return true
	}
	select {
	case <-t.wake:
		return true
	default:
		return false
	}
}

func TestOneConflictIsNoMoreThanASuspicion(t *testing.T) {
	t.Parallel()
	a := newAdmission(unlimited)
	turn, err := a.enter(&request{key: 1})
	require.NoError(t, err)
	require.Nil(t, turn, "without a conflict there is no line")
	suspected(a, 1)
	for range 100 {
		in(t, a, &request{key: 1})
	}
	require.True(t, a.conflict(&request{key: 1, lost: 1}, nil), "the second one makes a limit")
	require.Equal(t, 1, a.byKey[1].limit)
	waits(t, a, &request{key: 1})
}

// Some conflicts among many transactions make no limit, whether they come first or not.
func TestFewConflictsAmongManyMakeNoLimit(t *testing.T) {
	t.Parallel()
	a := newAdmission(unlimited)
	suspected(a, 1)
	for range 100 {
		for range 20 {
			turn := in(t, a, &request{key: 1})
			a.connected(turn)
			a.leave(turn, agreed)
		}
		turn := in(t, a, &request{key: 1})
		a.leave(turn, lost)
		require.False(t, a.conflict(&request{key: 1}, turn))
	}
	require.Equal(t, unlimited, a.byKey[1].limit)
	require.Less(t, a.byKey[1].good, remembered)
}

func TestLineIsFirstComeFirstServedWithRetriesInFront(t *testing.T) {
	t.Parallel()
	a := newAdmission(unlimited)
	limited(a, 1, 1)
	holder := in(t, a, &request{key: 1})
	first, second := waits(t, a, &request{key: 1}), waits(t, a, &request{key: 1})
	retry, next := waits(t, a, &request{key: 1, lost: 1}), waits(t, a, &request{key: 1, lost: 2})
	require.Equal(t, []int{0, 1, 0, 1}, []int{first.ahead, second.ahead, retry.ahead, next.ahead})
	require.Equal(t, Stats{Lines: 1, Waiting: 4, Holding: 1}, a.stats())
	order := []*turn{holder, retry, next, first, second}
	for i, turn := range order {
		require.True(t, came(turn), i)
		for _, later := range order[i+1:] {
			require.False(t, came(later), i)
		}
		require.Equal(t, i < len(order)-1, a.leave(turn, agreed))
	}
	require.Equal(t, Stats{Lines: 1}, a.stats())
	require.Nil(t, a.byKey[1].timer, "it runs while somebody waits only")
}

func TestCallThatLostThriceHasATurnAlone(t *testing.T) {
	t.Parallel()
	a := newAdmission(unlimited)
	limited(a, 1, 4)
	one, two := in(t, a, &request{key: 1}), in(t, a, &request{key: 1})
	alone := waits(t, a, &request{key: 1, lost: beforeAlone})
	a.leave(one, agreed)
	require.False(t, came(alone))
	a.leave(two, agreed)
	require.True(t, came(alone))
	require.True(t, alone.exclusive)
	other := waits(t, a, &request{key: 1})
	a.leave(alone, agreed)
	require.True(t, came(other))
	a.leave(other, agreed)
}

func TestLimitProbesUpwardAndFallsBack(t *testing.T) {
	t.Parallel()
	l := limited(newAdmission(unlimited), 1, 1)
	l.of.mu.Lock()
	defer l.of.mu.Unlock()
	now := time.Now()
	l.patience, l.failures = firstPatience, 0
	pass := func(how verdict) {
		turn := &turn{line: l, began: now}
		l.take(turn, now)
		l.leave(turn, how, now)
	}
	blocker := &turn{line: l, began: now}
	l.take(blocker, now)
	l.join(&turn{}, now) // somebody waits
	l.held = unlimited   // and there is never room
	for range firstPatience {
		pass(agreed)
	}
	require.Equal(t, 2, l.limit)
	pass(lost)
	require.Equal(t, 2, l.limit, "one is chance")
	pass(lost)
	require.Equal(t, 1, l.limit)
	require.Equal(t, 1, l.failures)
	for range nextPatience - 1 {
		pass(agreed)
	}
	require.Equal(t, 1, l.limit, "the next try comes later")
	pass(agreed)
	require.Equal(t, 2, l.limit)
	for range 100_000 {
		pass(agreed)
	}
	require.Greater(t, l.limit, 100, "where nobody fights it opens wide")
	before := l.limit
	for i := range 1000 {
		pass(verdict(btoi(i%50 == 49)))
	}
	require.GreaterOrEqual(t, l.limit, before, "a few conflicts among many do not close it")
	for range 10_000 {
		pass(cut)
	}
	require.Equal(t, before, l.limit, "what was cut short says nothing")
}

// A transaction that began before the limit fell lost to those let in before.
func TestStragglersSayNothingOfTheLimit(t *testing.T) {
	t.Parallel()
	a := newAdmission(unlimited)
	l := limited(a, 1, 64)
	var old []*turn
	for range 32 {
		old = append(old, in(t, a, &request{key: 1}))
	}
	lose := func(turn *turn) {
		a.leave(turn, lost)
		a.conflict(&request{key: 1}, turn)
	}
	lose(old[0])
	lose(old[1])
	require.Equal(t, 1, l.limit, "most lose")
	l.limit = 4
	for _, turn := range old[2:30] {
		lose(turn)
	}
	a.conflict(&request{key: 1}, nil)
	require.Equal(t, 4, l.limit)
	one, two := in(t, a, &request{key: 1}), in(t, a, &request{key: 1})
	lose(one)
	lose(two)
	require.Equal(t, 1, l.limit)
}

// At a limit of one, a permit lost to a transaction outside the queue, in another
// process for example. A higher limit does not help while that continues, and helps
// soon afterwards.
func TestConflictsWithOthersHoldTheLimit(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		a := newAdmission(unlimited)
		l := suspected(a, 1)
		a.conflict(&request{key: 1}, nil)
		require.Equal(t, 1, l.limit)
		turn := in(t, a, &request{key: 1})
		pass := func(how verdict) {
			next := waits(t, a, &request{key: 1})
			a.connected(turn)
			time.Sleep(firstPause / 2)
			a.leave(turn, how)
			require.True(t, came(next))
			turn = next
		}
		for i := range 200 {
			pass(verdict(btoi(i%8 == 0)))
			require.Equal(t, 1, l.limit, i)
		}
		for range 16 - 7 {
			pass(agreed)
		}
		require.Equal(t, 2, l.limit)
	})
}

// A holder that takes too long may be waiting for the head of the queue.
func TestHeadIsLetInPastAHolderThatIsStuck(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		a := newAdmission(unlimited)
		l := limited(a, 1, 1)
		l.usual = 50 * time.Millisecond
		holder := in(t, a, &request{key: 1})
		a.connected(holder)
		start := time.Now()
		head, second := waits(t, a, &request{key: 1}), waits(t, a, &request{key: 1})
		<-head.wake
		require.Equal(t, 10*l.usual, time.Since(start))
		require.False(t, came(second))
		a.connected(head)
		time.Sleep(time.Millisecond)
		a.leave(head, agreed)
		require.True(t, came(second))
		a.leave(second, cut)
		time.Sleep(time.Second)
		usual := l.usual
		a.leave(holder, agreed)
		require.Greater(t, l.usual, 3*usual, "that it took so long is learned")
	})
}

func TestLinesOfTheSameStatementsMerge(t *testing.T) {
	t.Parallel()
	a := newAdmission(unlimited)
	for key := range fingerprint(3) {
		limited(a, key+1, 1)
	}
	one, two := in(t, a, &request{key: 1}), in(t, a, &request{key: 2})
	afterOne, afterTwo := waits(t, a, &request{key: 1}), waits(t, a, &request{key: 2})
	require.True(t, a.conflict(&request{key: 1, trail: []fingerprint{1, 2, 99}}, one))
	require.Equal(t, Stats{Lines: 2, Waiting: 2, Holding: 2}, a.stats())
	inFront := waits(t, a, &request{key: 2, lost: 1})
	a.leave(one, lost)
	require.False(t, came(inFront))
	a.leave(two, agreed)
	for _, turn := range []*turn{inFront, afterOne, afterTwo} {
		require.True(t, came(turn))
		a.leave(turn, agreed)
	}
	a.leave(in(t, a, &request{key: 3}), agreed)
	require.Equal(t, Stats{Lines: 2}, a.stats())
}

// Two suspicions merge into one suspicion, unless they are enough together.
func TestSuspicionsMerge(t *testing.T) {
	t.Parallel()
	a := newAdmission(unlimited)
	suspected(a, 1)
	for range 100 {
		turn := in(t, a, &request{key: 1})
		a.connected(turn)
		a.leave(turn, agreed)
	}
	suspected(a, 2)
	a.conflict(&request{key: 1, trail: []fingerprint{2}}, nil)
	require.Same(t, a.byKey[1], a.byKey[2])
	require.Equal(t, unlimited, a.byKey[1].limit)
	suspected(a, 3)
	suspected(a, 4)
	a.conflict(&request{key: 3, trail: []fingerprint{4}}, nil)
	require.Equal(t, 1, a.byKey[4].limit)
}

// 200,000 fingerprints, each of which conflicted once, leave a thousand queues.
func TestLinesAreBounded(t *testing.T) { // by itself, as it looks at the memory
	a := newAdmission(unlimited)
	limited(a, 1, 1)
	holder := in(t, a, &request{key: 1})
	head := waits(t, a, &request{key: 1})
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	for i := range fingerprint(200_000) {
		a.conflict(&request{opening: i + 1, key: i + 2, trail: []fingerprint{i + 1, i + 3}}, nil)
		if len(a.openings) > mostOpenings || len(a.byKey) > mostLines || a.lines.Len() > mostLines {
			t.Fatal(i, len(a.openings), len(a.byKey), a.lines.Len())
		}
	}
	runtime.GC()
	runtime.ReadMemStats(&after)
	require.Less(t, int64(after.HeapAlloc)-int64(before.HeapAlloc), int64(4<<20), "under 4 MiB")
	require.True(t, came(head), "its line was forgotten, so it came in")
	a.leave(head, agreed)
	a.leave(holder, agreed)
}

// Queues disappear by themselves, as far as callers can see.
func TestLineThatNobodyNeedsIsForgotten(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		a := newAdmission(unlimited)
		suspected(a, 1)
		time.Sleep(quietTime)
		require.Equal(t, Stats{Lines: 1}, a.stats())
		time.Sleep(time.Nanosecond)
		require.Equal(t, Stats{}, a.stats(), "also if no turn ends")

		suspected(a, 1)
		long := in(t, a, &request{key: 1})
		time.Sleep(10 * quietTime)
		require.Equal(t, Stats{Lines: 1, Holding: 1}, a.stats(), "it may still lose to another one of then")
		brief := in(t, a, &request{key: 1})
		a.leave(long, agreed)
		require.Equal(t, Stats{}, a.stats(), "that is over, whoever came since")
		a.leave(brief, agreed)

		limited(a, 1, 1)
		holder := in(t, a, &request{key: 1})
		next := waits(t, a, &request{key: 1})
		time.Sleep(2 * quietTime)
		a.leave(holder, agreed)
		require.True(t, came(next))
		a.leave(next, agreed)
		require.Equal(t, Stats{Lines: 1}, a.stats(), "somebody waited just now")
		suspected(a, 2)
		time.Sleep(quietTime + 1)
		turn, err := a.enter(&request{key: 1})
		require.NoError(t, err)
		require.Nil(t, turn)
		require.Empty(t, a.byKey)
	})
}

func TestWhoCannotGetATurnInTimeIsToldEarly(t *testing.T) {
	t.Parallel()
	a := newAdmission(unlimited)
	l := limited(a, 1, 1)
	l.usual = time.Hour
	soon := time.Now().Add(time.Minute)
	holder := in(t, a, &request{key: 1})
	first := waits(t, a, &request{key: 1, deadline: soon})
	_, err := a.enter(&request{key: 1, deadline: soon})
	var busy *BusyError
	require.ErrorAs(t, err, &busy)
	require.Equal(t, 1, busy.Ahead)
	require.Equal(t, time.Hour, busy.RetryAfter())
	require.EqualError(t, err, "txn: busy: 1 wait for the same rows, for about 1h0m0s")
	require.NoError(t, errors.Unwrap(err))

	retry := waits(t, a, &request{key: 1, deadline: soon, lost: 1}) // it would be first
	_, err = a.enter(&request{name: "x", key: 1, deadline: soon, lost: 2})
	require.EqualError(t, err, "txn x: rolled back 2 times, then busy: 1 wait for the same rows, for about 1h0m0s")

	l.limit, l.failures = 120, 0
	l.held = l.limit
	waits(t, a, &request{key: 1, deadline: soon}) // nobody knows yet whether that limit is needed
	l.failures = 1
	waits(t, a, &request{key: 1, deadline: soon.Add(time.Hour)}) // three of 120 at a time
	waits(t, a, &request{key: 1})
	l.usual = time.Millisecond
	for range 12_000 {
		waits(t, a, &request{key: 1, deadline: soon})
	}
	_ = []*turn{holder, first, retry}
}

// The queues of a pool are freed with it.
func TestAdmissionDoesNotKeepThePool(t *testing.T) {
	poolConfig, err := pgxpool.ParseConfig("host=127.0.0.1 port=1")
	require.NoError(t, err)
	has := func(a *admission) bool {
		for _, v := range *admissions.Load() {
			if v == a {
				return true
			}
		}
		return false
	}
	a := func() *admission {
		pool, err := pgxpool.NewWithConfig(t.Context(), poolConfig)
		require.NoError(t, err)
		defer pool.Close()
		require.Same(t, admissionOf(pool), admissionOf(pool))
		require.Same(t, admissionOf(pool), linesOf(struct{ *pgxpool.Pool }{pool}, &defaults), "also of a struct with the pool")
		require.Nil(t, linesOf(pool, &config{noAdmission: true}))
		return admissionOf(pool)
	}()
	suspected(a, 1)
	require.True(t, has(a))
	require.Eventually(t, func() bool { runtime.GC(); return !has(a) }, 2*time.Minute, 10*time.Millisecond)
	require.Equal(t, Stats{}, a.stats())
}

// Otherwise transactions that wait for each other would wait longer each time.
func TestWaitForOneInTheQueueIsNotLearned(t *testing.T) {
	t.Parallel()
	for _, how := range []verdict{agreed, lost} {
		synctest.Test(t, func(t *testing.T) {
			a := newAdmission(unlimited)
			l := limited(a, 1, 1)
			for range 10 {
				holder := in(t, a, &request{key: 1})
				a.connected(holder)
				start := time.Now()
				head := waits(t, a, &request{key: 1})
				<-head.wake
				require.LessOrEqual(t, time.Since(start), leastForbearance)
				a.connected(head)
				time.Sleep(time.Millisecond)
				a.leave(holder, how)
				a.leave(head, agreed)
				l.limit = 1
			}
		})
	}
}
