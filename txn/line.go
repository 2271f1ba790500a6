package txn

import (
	"container/list"
	"slices"
	"time"
)

// line is the queue of transactions that may contend for the same rows. It admits as
// many at a time as do not conflict, a limit that it learns.
//
// The first conflict is only a suspicion: there is no limit, and permits are merely
// counted. If more conflicts come, and are more than a few among many permits, the
// limit falls to one. From there it doubles while calls wait and no conflict objects:
// after a number of permits or after a time, whichever is first, because permits may
// last a millisecond or a second. No step is taken before a conflict of the last step
// could have been seen: a deadlock takes a second to show, in which nobody makes
// progress and every call admitted makes it longer. Each time the limit falls again
// because admitted calls lost, the next try comes later. So a row that everybody wants
// costs an occasional try, and calls that only begin alike are admitted within a
// moment. The limit never exceeds the connections of the pool.
//
// Invariants: held is the number of holders that were not bypassed, and at most limit,
// except for those admitted before it fell; waiting calls are admitted in the order in
// which they joined, those that have lost first; the timer runs if and only if a call
// waits.
type line struct {
	of    *admission
	keys  []fingerprint
	place *list.Element // in admission.lines

	limit   int
	held    int
	holders []*turn      // each stores its index
	waiting [2]list.List // of *turn; the first list is admitted before the second
	alone   *turn        // an exclusive permit: no other call is admitted
	timer   *time.Timer

	good, bad int           // permits that ended since the limit last changed
	changed   time.Time     // when the limit last changed
	fell      time.Time     // when the limit last fell; earlier permits say nothing about its present value
	rising    bool          // raised since it fell
	failures  int           // falls although it was raised with care
	patience  int           // good permits needed to raise it after a fall
	pause     time.Duration // or the time needed
	usual     time.Duration // average duration of a permit; 0 if none has ended yet
	losing    time.Duration // longest recent time an attempt took to lose, so how long a too high limit goes unseen

	troubled time.Time // the last conflict
	waited   time.Time // when a call last waited
	awaited  bool      // opening.line may point here
}

const (
	unlimited = 1 << 30

	firstPatience = 8
	nextPatience  = 64
	mostPatience  = 8192

	firstPause = leastForbearance
	leastPause = 2 * time.Second // a pause may always grow to this
	mostPause  = 20 * time.Second

	remembered = 512 // permits that count while the limit is unchanged

	mostLosing = 2 * time.Second // a deadlock shows after one second by default

	leastForbearance = 300 * time.Millisecond
	quietTime        = time.Second
)

func newLine(of *admission, key fingerprint, now time.Time) *line {
	return &line{
		of: of, keys: []fingerprint{key}, limit: unlimited, patience: firstPatience, pause: firstPause,
		changed: now, fell: now, troubled: now,
	}
}

// room reports whether another call may be admitted.
func (l *line) room(exclusive bool) bool {
	if l.alone != nil {
		return false
	}
	if exclusive {
		return l.held == 0
	}
	return l.held < l.limit
}

// count returns how many calls wait.
func (l *line) count() int { return l.waiting[0].Len() + l.waiting[1].Len() }

// head returns the next waiting permit, or nil.
func (l *line) head() *turn {
	for i := range l.waiting {
		if e := l.waiting[i].Front(); e != nil {
			return e.Value.(*turn)
		}
	}
	return nil
}

// aheadOf returns how many waiting permits come before t.
func (l *line) aheadOf(t *turn) int {
	if t.front {
		return l.waiting[0].Len()
	}
	return l.count()
}

// refuse returns an error early if a permit would not come before the deadline. The
// wait can be estimated only once the limit is known to be needed.
func (l *line) refuse(r *request, ahead int, now time.Time) error {
	wait := l.wait(ahead)
	if l.failures == 0 || r.deadline.IsZero() || wait < r.deadline.Sub(now) {
		return nil
	}
	return &BusyError{Name: r.name, Ahead: ahead, Wait: wait, lost: r.lost}
}

// wait estimates the time until that many calls have been served.
func (l *line) wait(ahead int) time.Duration {
	return l.usual * time.Duration(ahead) / time.Duration(l.limit)
}

// join adds a permit to the waiting ones.
func (l *line) join(t *turn, now time.Time) {
	t.ahead, t.wake = l.aheadOf(t), make(chan struct{})
	l.queue(t)
	l.of.waiting++
	l.waited = now
	l.watch(now)
}

// queue puts a permit at its place among the waiting ones.
func (l *line) queue(t *turn) {
	t.line, t.place = l, l.ofSame(t).PushBack(t)
}

// ofSame returns the list in which t waits.
func (l *line) ofSame(t *turn) *list.List { return &l.waiting[btoi(!t.front)] }

func (l *line) take(t *turn, now time.Time) {
	t.came, t.index = now, len(l.holders)
	l.holders = append(l.holders, t)
	l.held++
	if t.exclusive {
		l.alone = t
	}
}

// call admits waiting calls while there is room.
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

// unjoin removes a waiting permit.
func (l *line) unjoin(t *turn) {
	l.ofSame(t).Remove(t.place)
	t.place = nil
	l.of.waiting--
}

// watch sets the timer for the next event, if a call waits.
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

// next returns how long nothing can happen unless a permit ends.
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
		return // stopped too late
	}
	l.timer = nil
	now := time.Now()
	if l.ripe(now) {
		l.raise(now)
	}
	l.letIn(now)
	l.call(now)
}

// overdue returns when the head is admitted although there is no room: a holder that
// takes so much longer than usual may be waiting for the head itself. It returns zero
// if there is no such holder.
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

// lateAt returns when a permit has lasted too long. That is much later while it has no
// connection, for which it may have to wait.
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

// leave ends a permit, and learns from it.
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

// release removes a permit from the holders.
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

// learn adds took to the average duration of a permit; zero means unknown.
func (l *line) learn(took time.Duration) {
	switch {
	case took == 0:
	case l.usual == 0:
		l.usual = took
	default:
		l.usual += (took - l.usual) / 8
	}
}

// served learns from a permit that did not lose.
func (l *line) served(now time.Time) {
	l.good++
	l.fade()
	if l.ripe(now) {
		l.raise(now)
	}
}

// lost learns from a conflict of an attempt that had the permit t, or none if t is nil,
// and that took so long; zero means unknown.
func (l *line) lost(t *turn, took time.Duration, now time.Time) {
	l.troubled = now
	l.losing = min(max(took, l.losing-l.losing/64), mostLosing)
	if l.limit < unlimited && (t == nil || t.came.Before(l.fell)) {
		l.changed = now // says nothing about the limit, except that conflicts continue
		return
	}
	if l.limit == 1 { // the conflict was not with a holder, so a higher limit would not help
		l.good, l.bad = 0, min(l.bad+1, 2)
		return
	}
	l.bad++
	l.fade()
	if (l.bad > 1 || l.failures > 1 && l.limit == 2) && !l.peaceful() { // one conflict is chance, unless earlier failures say otherwise
		l.fall(now)
	}
}

// fade gives the latest permits more weight.
func (l *line) fade() {
	if l.good+l.bad >= remembered {
		l.good, l.bad = l.good/2, l.bad/2
	}
}

// peaceful reports whether conflicts are few among many, which is chance.
func (l *line) peaceful() bool { return l.bad*8 <= l.good }

// fall halves the limit, or sets it to one if most lose or nothing was known before.
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

// ripe reports whether it is time to raise the limit and a call waits because of it.
func (l *line) ripe(now time.Time) bool {
	head := l.head()
	if head == nil || l.alone != nil || head.exclusive || !l.peaceful() || l.limit >= l.of.most {
		return false
	}
	since := now.Sub(l.changed)
	if l.good >= l.enoughTurns() {
		return !l.rising || since >= l.losing
	}
	// Calls admitted before it fell may block each other.
	return l.held <= l.limit && since >= l.enoughTime()
}

// enoughTurns returns after how many good permits the limit is raised. Once it was
// raised and nobody lost, the next step takes only as many as are needed to see that.
func (l *line) enoughTurns() int {
	turns := l.patience
	if l.rising {
		turns = firstPatience
	}
	return turns * max(l.limit/4, 1)
}

// enoughTime returns after how long without a conflict the limit is raised: never
// before a conflict could have been seen, for which a deadlock takes a second.
func (l *line) enoughTime() time.Duration {
	if l.rising && l.usual > 0 {
		return min(l.pause, max(2*l.usual, l.losing))
	}
	return max(l.pause, l.losing)
}

// absorb makes another line part of this one. The merged line starts again with a limit
// of one, unless both are only suspicions.
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

// forsaken reports whether the line is no longer needed: it was quiet, and all calls
// admitted before that have ended. A permit may well last longer than that.
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
