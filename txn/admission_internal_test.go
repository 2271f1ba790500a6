package txn

import (
	"context"
	"errors"
	"runtime"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"
)

func TestFingerprint(t *testing.T) {
	t.Parallel()
	type id int64
	type point struct {
		x, y int
		name *string
	}
	text := func(s string) *string { return &s }
	now := time.Now()
	same := [][2][]any{
		{{1, "a"}, {1, "a"}},
		{{int32(1)}, {int64(1)}},
		{{id(1)}, {1}},
		{{text("a")}, {text("a")}},
		{{[]byte("a")}, {[]byte("a")}},
		{{now}, {now.UTC()}},
		{{point{1, 2, text("a")}}, {point{1, 2, text("a")}}},
		{{[]string{"a", "b"}}, {[]string{"a", "b"}}},
		{{[16]byte{1}}, {[16]byte{1}}},
		{{nil}, {(*string)(nil)}},
	}
	for _, pair := range same {
		require.Equal(t, fingerprintOf("s", pair[0]), fingerprintOf("s", pair[1]), "%v", pair)
		require.NotZero(t, fingerprintOf("s", pair[0]))
	}
	different := [][2][]any{
		{{"ab", "c"}, {"a", "bc"}},
		{{1}, {"1"}},
		{{1}, {2}},
		{{1.0}, {1}},
		{{true}, {1}},
		{{""}, {nil}},
		{{text("a")}, {text("b")}},
		{{[]string{"a", "b"}}, {[]string{"ab"}}},
		{{[]byte("a")}, {[]byte("b")}},
		{{now}, {now.Add(1)}},
		{{point{1, 2, nil}}, {point{2, 1, nil}}},
		{{1}, {1, 1}},
	}
	for _, pair := range different {
		require.NotEqual(t, fingerprintOf("s", pair[0]), fingerprintOf("s", pair[1]), "%v", pair)
	}
	require.NotEqual(t, fingerprintOf("a", nil), fingerprintOf("b", nil))
	require.NotEqual(t, fingerprintOf("a", []any{"b"}), keyOf([]any{"a", "b"}))
	type ring struct{ next *ring }
	r := &ring{}
	r.next = r
	for _, v := range []any{map[string]int{}, make(chan int), func() {}, r, []any{make(chan int)}, complex(1, 1)} {
		require.Zero(t, fingerprintOf("s", []any{v}), "%T has no value to go by", v)
	}
}

func newCall(a *admission) *call { return &call{config: &defaults, lines: a, looked: true} }

// in is a call that is let in at once.
func in(t *testing.T, a *admission, key fingerprint) *turn {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	turn, err := a.enter(ctx, newCall(a), key)
	require.NoError(t, err)
	require.NotNil(t, turn)
	return turn
}

// waits starts a call that has to wait, and returns once it does.
func waits(t *testing.T, a *admission, c *call, key fingerprint) <-chan *turn {
	t.Helper()
	before := a.stats().Waiting
	got := make(chan *turn, 1)
	go func() {
		turn, err := a.enter(context.WithoutCancel(t.Context()), c, key)
		if err != nil {
			t.Error(err)
		}
		got <- turn
	}()
	require.Eventually(t, func() bool { return a.stats().Waiting > before }, 30*time.Second, time.Millisecond)
	return got
}

func none(t *testing.T, got <-chan *turn) {
	t.Helper()
	select {
	case <-got:
		t.Fatal("let in too early")
	default:
	}
}

func TestLineIsFirstComeFirstServedWithRetriesInFront(t *testing.T) {
	t.Parallel()
	a := newAdmission()
	turn, err := a.enter(t.Context(), newCall(a), 1)
	require.NoError(t, err)
	require.Nil(t, turn, "without a conflict there is no line")
	a.conflict(newCall(a), 1, nil)
	holder := in(t, a, 1)
	first, second := waits(t, a, newCall(a), 1), waits(t, a, newCall(a), 1)
	loser := newCall(a)
	loser.lost = 1
	retry := waits(t, a, loser, 1)
	require.Equal(t, Stats{Lines: 1, Waiting: 3, Holding: 1}, a.stats())
	a.leave(holder, false)
	turn = <-retry
	none(t, first)
	a.leave(turn, false)
	turn = <-first
	none(t, second)
	a.leave(turn, false)
	a.leave(<-second, false)
	require.Equal(t, Stats{Lines: 1}, a.stats())
}

func TestCallThatLostThriceHasATurnAlone(t *testing.T) {
	t.Parallel()
	a := newAdmission()
	a.conflict(newCall(a), 1, nil)
	l := a.byKey[1]
	l.limit = 4
	one, two := in(t, a, 1), in(t, a, 1)
	loser := newCall(a)
	loser.lost = beforeAlone
	alone := waits(t, a, loser, 1)
	a.leave(one, false)
	none(t, alone)
	a.leave(two, false)
	turn := <-alone
	require.True(t, turn.exclusive)
	other := waits(t, a, newCall(a), 1)
	none(t, other)
	a.leave(turn, false)
	a.leave(<-other, false)
}

func TestLimitProbesUpwardAndFallsBack(t *testing.T) {
	t.Parallel()
	now := time.Now()
	l := newLine(newAdmission(), 1, now)
	pass := func(conflict bool) {
		turn := &turn{began: now}
		l.take(turn)
		l.leave(turn, conflict, now)
	}
	l.waiting = []*waiter{{turn: &turn{exclusive: true}, wake: make(chan struct{}, 1)}} // somebody who never comes in
	blocker := &turn{began: now}
	l.take(blocker)
	for range firstPatience {
		pass(false)
	}
	require.Equal(t, 2, l.limit)
	pass(true)
	require.Equal(t, 2, l.limit, "one is chance")
	pass(true)
	require.Equal(t, 1, l.limit)
	for range nextPatience - 1 {
		pass(false)
	}
	require.Equal(t, 1, l.limit, "the next try comes later")
	pass(false)
	require.Equal(t, 2, l.limit)
	for range 100_000 {
		pass(false)
	}
	require.Greater(t, l.limit, 100, "where nobody fights it opens wide")
	before := l.limit
	for i := range 1000 {
		pass(i%50 == 49)
	}
	require.GreaterOrEqual(t, l.limit, before, "a few conflicts among many do not close it")
}

func TestWaitingEndsWithTheContext(t *testing.T) {
	t.Parallel()
	a := newAdmission()
	a.conflict(newCall(a), 1, nil)
	holder := in(t, a, 1)
	ctx, cancel := context.WithCancelCause(t.Context())
	done := make(chan error, 1)
	go func() {
		_, err := a.enter(ctx, newCall(a), 1)
		done <- err
	}()
	require.Eventually(t, func() bool { return a.stats().Waiting == 1 }, 30*time.Second, time.Millisecond)
	hungUp := errors.New("hung up")
	cancel(hungUp)
	require.ErrorIs(t, <-done, hungUp)
	require.Zero(t, a.stats().Waiting)
	next := waits(t, a, newCall(a), 1)
	a.leave(holder, false)
	a.leave(<-next, false)
}

func TestWhoCannotGetATurnInTimeIsToldEarly(t *testing.T) {
	t.Parallel()
	a := newAdmission()
	a.conflict(newCall(a), 1, nil)
	a.byKey[1].usual = time.Hour
	holder := in(t, a, 1)
	first := waits(t, a, newCall(a), 1)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	_, err := a.enter(ctx, newCall(a), 1)
	var busy *BusyError
	require.ErrorAs(t, err, &busy)
	require.Equal(t, 1, busy.Ahead)
	require.Equal(t, time.Hour, busy.RetryAfter())
	require.EqualError(t, err, "txn: busy: 1 wait for the same rows, for about 1h0m0s")
	a.byKey[1].usual = time.Millisecond
	a.waiting = mostWaiting
	_, err = a.enter(ctx, newCall(a), 1)
	require.ErrorAs(t, err, &busy, "too many")
	require.Equal(t, time.Second, busy.RetryAfter())
	a.waiting = 1
	a.leave(holder, false)
	a.leave(<-first, false)
}

// A holder that takes too long may be waiting for the head of the line itself.
func TestHeadIsLetInPastAHolderThatIsStuck(t *testing.T) {
	t.Parallel()
	a := newAdmission()
	a.conflict(newCall(a), 1, nil)
	holder := in(t, a, 1)
	a.connected(holder)
	head, second := waits(t, a, newCall(a), 1), waits(t, a, newCall(a), 1)
	turn := <-head
	none(t, second)
	a.leave(turn, false)
	a.leave(<-second, false)
	a.leave(holder, false)
}

func TestLinesOfTheSameStatementsMerge(t *testing.T) {
	t.Parallel()
	a := newAdmission()
	a.conflict(newCall(a), 1, nil)
	a.conflict(newCall(a), 2, nil)
	a.conflict(newCall(a), 3, nil)
	one, two := in(t, a, 1), in(t, a, 2)
	afterOne, afterTwo := waits(t, a, newCall(a), 1), waits(t, a, newCall(a), 2)
	a.conflict(newCall(a), 1, []fingerprint{1, 2, 99})
	require.Equal(t, Stats{Lines: 2, Waiting: 2, Holding: 2}, a.stats())
	a.leave(one, true)
	none(t, afterOne)
	a.leave(two, false)
	turn := <-afterOne
	none(t, afterTwo)
	a.leave(turn, false)
	a.leave(<-afterTwo, false)
	a.leave(in(t, a, 3), false)
}

// A million fingerprints, each of which conflicted once, leave a thousand lines.
func TestLinesAreBounded(t *testing.T) { // by itself, as it looks at the memory
	a := newAdmission()
	a.conflict(newCall(a), 1, nil)
	holder := in(t, a, 1)
	head := waits(t, a, newCall(a), 1)
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	for i := range fingerprint(1_000_000) {
		a.conflict(calling(a, i+1), i+2, []fingerprint{i + 1, i + 3})
		if len(a.openings) > mostOpenings || len(a.byKey) > mostLines || a.lines.Len() > mostLines {
			t.Fatal(i, len(a.openings), len(a.byKey), a.lines.Len())
		}
	}
	runtime.GC()
	runtime.ReadMemStats(&after)
	require.Less(t, int64(after.HeapAlloc)-int64(before.HeapAlloc), int64(4<<20), "under 4 MiB")
	a.leave(<-head, false) // its line was forgotten, so it came in
	a.leave(holder, false)
}

func TestLineThatNobodyNeedsIsForgotten(t *testing.T) {
	t.Parallel()
	a := newAdmission()
	a.conflict(newCall(a), 1, nil)
	a.mu.Lock()
	a.sweep(time.Now().Add(2 * time.Second))
	a.mu.Unlock()
	require.Equal(t, Stats{}, a.stats())
}

// The lines of a pool go with it.
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
	a.conflict(newCall(a), 1, nil)
	require.True(t, has(a))
	require.Eventually(t, func() bool { runtime.GC(); return !has(a) }, 30*time.Second, 10*time.Millisecond)
	require.Equal(t, Stats{}, a.stats())
}
