package txn

import (
	"container/list"
	"slices"
	"time"
)

// line is a queue of transactions that may fight for the same rows. It lets in as
// many at a time as get along, which it has to learn.
//
// One conflict makes no more than a suspicion: there is no limit, turns are only
// counted. When conflicts come again, and are more than a few among many, the limit
// falls to one. From there it is raised, always to twice as much, while somebody
// waits and no conflict speaks against it: after so many turns, or after so long,
// whichever is first, because turns may take a millisecond or a second. No step comes
// before a conflict of the last one can have been seen: a deadlock takes a second to
// show, in which nobody gets on, and everybody let in meanwhile makes it longer. Each
// time that the limit has to fall again, because those who were let in meanwhile lost,
// the next try comes later. So a row that everybody wants costs a try from time to
// time, and those who only begin alike are let in within a moment. The limit is never
// more than the connections of the pool.
//
// Invariants: held is the number of holders that were not bypassed, and at most limit but for
// those who were in when it fell; those that wait come in the order in which they
// joined, who has lost first; the timer runs while somebody waits, and only then.
type line struct {
	of    *admission
	keys  []fingerprint
	place *list.Element // among the lines of the pool

	limit   int
	held    int
	holders []*turn      // each knows its index
	waiting [2]list.List // of turns; those in the first come before all others
	alone   *turn        // an exclusive turn: nobody else is let in
	timer   *time.Timer

	good, bad int           // turns that ended since the limit was last changed
	changed   time.Time     // when that was
	fell      time.Time     // when it last fell: who was in by then says nothing of what it is now
	rising    bool          // it has been raised since
	failures  int           // times that it had to fall although it was raised with care
	patience  int           // good turns it takes to raise it, once it has fallen
	pause     time.Duration // or the time
	usual     time.Duration // a turn, averaged; zero: none has ended yet
	losing    time.Duration // the longest of late that an attempt took to lose: so long it takes to see that a limit is too high

	troubled time.Time // the last conflict
	waited   time.Time // when somebody last did
	awaited  bool      // an opening may lead here
}

const (
	unlimited = 1 << 30

	firstPatience = 8
	nextPatience  = 64
	mostPatience  = 8192

	firstPause = leastForbearance
	leastPause = 2 * time.Second // that a pause may always grow to
	mostPause  = 20 * time.Second

	remembered = 512 // turns that count, while the limit stays as it is

	mostLosing = 2 * time.Second // a deadlock takes one by default to show

	leastForbearance = 300 * time.Millisecond
	quietTime        = time.Second
)

func newLine(of *admission, key fingerprint, now time.Time) *line {
	return &line{
		of: of, keys: []fingerprint{key}, limit: unlimited, patience: firstPatience, pause: firstPause,
		changed: now, fell: now, troubled: now,
	}
}

// room reports whether another one may come in.
func (l *line) room(exclusive bool) bool {
	if l.alone != nil {
		return false
	}
	if exclusive {
		return l.held == 0
	}
	return l.held < l.limit
}

// count is how many wait.
func (l *line) count() int { return l.waiting[0].Len() + l.waiting[1].Len() }

// head is who waits for the next turn, or nil.
func (l *line) head() *turn {
	for i := range l.waiting {
		if e := l.waiting[i].Front(); e != nil {
			return e.Value.(*turn)
		}
	}
	return nil
}

// aheadOf is how many wait that come before t would.
func (l *line) aheadOf(t *turn) int {
	if t.front {
		return l.waiting[0].Len()
	}
	return l.count()
}

// refuse says early that a turn would not come before the deadline. How long it
// takes is known only when the limit is known to be needed.
func (l *line) refuse(r *request, ahead int, now time.Time) error {
	wait := l.wait(ahead)
	if l.failures == 0 || r.deadline.IsZero() || wait < r.deadline.Sub(now) {
		return nil
	}
	return &BusyError{Name: r.name, Ahead: ahead, Wait: wait, lost: r.lost}
}

// wait is how long it takes, as far as can be told, until that many have had their
// turn.
func (l *line) wait(ahead int) time.Duration {
	return l.usual * time.Duration(ahead) / time.Duration(l.limit)
}

// join has a turn wait.
func (l *line) join(t *turn, now time.Time) {
	t.ahead, t.wake = l.aheadOf(t), make(chan struct{})
	l.queue(t)
	l.of.waiting++
	l.waited = now
	l.watch(now)
}

// queue gives a turn its place among those that wait.
func (l *line) queue(t *turn) {
	t.line, t.place = l, l.ofSame(t).PushBack(t)
}

// ofSame is the list in which t waits.
func (l *line) ofSame(t *turn) *list.List { return &l.waiting[btoi(!t.front)] }

func (l *line) take(t *turn, now time.Time) {
	t.came, t.index = now, len(l.holders)
	l.holders = append(l.holders, t)
	l.held++
	if t.exclusive {
		l.alone = t
	}
}

// call lets in whoever there is room for.
func (l *line) call(now time.Time) {
	for t := l.head(); t != nil && l.room(t.exclusive); t = l.head() {
		l.unjoin(t)
		l.take(t, now)
		l.waited = now
		l.of.lines.MoveToFront(l.place)
		close(t.wake)
	}
	l.watch(now)
}

// unjoin has a turn wait no longer.
func (l *line) unjoin(t *turn) {
	l.ofSame(t).Remove(t.place)
	t.place = nil
	l.of.waiting--
}

// watch sets the timer for what is to happen next, if somebody waits.
func (l *line) watch(now time.Time) {
	switch {
	case l.count() == 0:
		if l.timer != nil {
			l.timer.Stop()
			l.timer = nil
		}
	case l.timer == nil:
		l.timer = time.AfterFunc(l.next(now), l.tick)
	}
}

// next is how long nothing can happen unless a turn ends.
func (l *line) next(now time.Time) time.Duration {
	at := now.Add(leastForbearance)
	if due := l.overdue(); !due.IsZero() && due.Before(at) {
		at = due
	}
	if due := l.changed.Add(l.enoughTime()); l.peaceful() && due.Before(at) {
		at = due
	}
	return max(at.Sub(now), time.Millisecond)
}

// tick is called by the timer.
func (l *line) tick() {
	l.of.mu.Lock()
	defer l.of.mu.Unlock()
	if l.timer == nil {
		return // it was stopped too late
	}
	l.timer = nil
	now := time.Now()
	if l.ripe(now) {
		l.raise(now)
	}
	l.letIn(now)
	l.call(now)
}

// overdue is when the head is let in although there is no room: a holder that
// takes so much longer than usual may be waiting for the head itself. Without
// such a holder it is zero.
func (l *line) overdue() (due time.Time) {
	for _, t := range l.holders {
		if !t.bypassed.IsZero() {
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
	forbearance := max(10*l.usual, leastForbearance, l.losing+l.losing/4) // a deadlock ends by itself
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
		if t.bypassed.IsZero() && !now.Before(l.lateAt(t)) {
			t.bypassed = now
			l.held--
			if l.alone == t {
				l.alone = nil
			}
		}
	}
}

// leave ends a turn, and learns from it.
func (l *line) leave(t *turn, how verdict, now time.Time) {
	if t.place != nil {
		l.unjoin(t)
	} else {
		l.release(t)
	}
	took := t.lasted(now)
	switch {
	case how == lost:
		l.lost(t, took, now)
	case how == agreed && !t.began.IsZero():
		l.learn(took)
		l.served(now)
	}
	l.call(now)
}

// release takes a turn from the holders.
func (l *line) release(t *turn) {
	last := l.holders[len(l.holders)-1]
	l.holders[t.index], last.index = last, t.index
	l.holders = slices.Delete(l.holders, len(l.holders)-1, len(l.holders))
	if t.bypassed.IsZero() {
		l.held--
	}
	if l.alone == t {
		l.alone = nil
	}
}

// learn has a turn count in how long a turn usually takes; zero is not known.
func (l *line) learn(took time.Duration) {
	switch {
	case took == 0:
	case l.usual == 0:
		l.usual = took
	default:
		l.usual += (took - l.usual) / 8
	}
}

// served learns from a turn that did not lose.
func (l *line) served(now time.Time) {
	l.good++
	l.fade()
	if l.ripe(now) {
		l.raise(now)
	}
}

// lost learns from a conflict, of an attempt that had the turn, or none, and that took
// so long; zero is not known.
func (l *line) lost(t *turn, took time.Duration, now time.Time) {
	l.troubled = now
	l.losing = min(max(took, l.losing-l.losing/64), mostLosing)
	if l.limit < unlimited && (t == nil || t.came.Before(l.fell)) {
		l.changed = now // it says nothing of the limit, but that peace has not come yet
		return
	}
	if l.limit == 1 { // it was not one of this line's, so more at a time do not help now
		l.good, l.bad = 0, min(l.bad+1, 2)
		return
	}
	l.bad++
	l.fade()
	if (l.bad > 1 || l.failures > 1 && l.limit == 2) && !l.peaceful() { // one is chance, unless it is known better
		l.fall(now)
	}
}

// fade has the latest turns count more.
func (l *line) fade() {
	if l.good+l.bad >= remembered {
		l.good, l.bad = l.good/2, l.bad/2
	}
}

// peaceful reports whether conflicts are few among many, which is chance.
func (l *line) peaceful() bool { return l.bad*8 <= l.good }

// fall lowers the limit: by half, but to one where most lose, or where nothing was
// known before.
func (l *line) fall(now time.Time) {
	if l.rising {
		l.failures++
		l.patience = min(max(2*l.patience, nextPatience), mostPatience)
		l.pause = min(max(8*l.pause, l.usual), min(max(128*l.usual, leastPause), mostPause))
	}
	if l.limit == unlimited || l.bad > l.good {
		l.limit = 1
	} else {
		l.limit /= 2
	}
	l.rising, l.fell = false, now
	l.restart(now)
}

// raise doubles the limit.
func (l *line) raise(now time.Time) {
	l.limit = min(2*l.limit, l.of.most)
	l.rising = true
	l.restart(now)
	if l.timer != nil { // the next step may come sooner
		l.timer.Reset(l.next(now))
	}
}

func (l *line) restart(now time.Time) { l.good, l.bad, l.changed = 0, 0, now }

// ripe reports whether it is time to raise the limit, and somebody waits because of
// it.
func (l *line) ripe(now time.Time) bool {
	head := l.head()
	if head == nil || l.alone != nil || head.exclusive || !l.peaceful() || l.limit >= l.of.most {
		return false
	}
	since := now.Sub(l.changed)
	if l.good >= l.enoughTurns() {
		return !l.rising || since >= l.losing
	}
	// Those who were in when it fell may hold up each other.
	return l.held <= l.limit && since >= l.enoughTime()
}

// enoughTurns is after how many good turns the limit is raised. Once it was, and
// nobody lost, the next step takes no more than it takes to see that.
func (l *line) enoughTurns() int {
	turns := l.patience
	if l.rising {
		turns = firstPatience
	}
	return turns * max(l.limit/4, 1)
}

// enoughTime is after how long without a conflict the limit is raised: never before a
// conflict can have been seen, for which a deadlock takes a second.
func (l *line) enoughTime() time.Duration {
	if l.rising && l.usual > 0 {
		return min(l.pause, max(2*l.usual, l.losing))
	}
	return max(l.pause, l.losing)
}

// absorb makes another line a part of this one. That they are one is a reason to
// begin again with a limit of one, unless both are no more than suspicions.
func (l *line) absorb(other *line, now time.Time) {
	for _, t := range other.holders {
		t.line, t.index = l, len(l.holders)
		l.holders = append(l.holders, t)
	}
	l.held += other.held
	for i := range other.waiting {
		for e := other.waiting[i].Front(); e != nil; e = e.Next() {
			l.queue(e.Value.(*turn))
		}
		other.waiting[i].Init()
	}
	other.watch(now)
	if l.alone == nil {
		l.alone = other.alone
	}
	l.failures = max(l.failures, other.failures)
	l.usual, l.losing = max(l.usual, other.usual), max(l.losing, other.losing)
	l.patience, l.pause = max(l.patience, other.patience), max(l.pause, other.pause)
	if l.waited.Before(other.waited) {
		l.waited = other.waited
	}
	l.good, l.bad = l.good+other.good, l.bad+other.bad
	if l.limit < unlimited || other.limit < unlimited {
		l.limit, l.rising, l.fell = 1, false, now
		l.restart(now)
	} else if l.bad > 1 && !l.peaceful() {
		l.fall(now)
	}
	l.call(now)
}

// quiet reports whether nobody had to wait and nobody lost for a while.
func (l *line) quiet(now time.Time) bool {
	return now.Sub(l.troubled) > quietTime && now.Sub(l.waited) > quietTime
}

// forsaken reports whether nobody needs the line any more: it was quiet, and it is
// known how those ended who were in when it last was not. A turn may well take
// longer than that.
func (l *line) forsaken(now time.Time) bool {
	if l.count() > 0 || !l.quiet(now) {
		return false
	}
	last := l.troubled
	if last.Before(l.waited) {
		last = l.waited
	}
	return !slices.ContainsFunc(l.holders, func(t *turn) bool { return t.came.Before(last.Add(quietTime)) })
}
