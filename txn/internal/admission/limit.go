package admission

import "time"

// limit learns how many permits of a queue may be active at a time.
//
// The first conflict is only a suspicion: the limit is unlimited, and permits are
// merely counted. If more conflicts come, and are more than a few among many permits,
// it falls to one. From there it doubles while calls wait and no conflict objects:
// after a number of permits or after a time, whichever is first, because permits may
// last a millisecond or a second. No step is taken before a conflict of the last step
// could have been seen: a deadlock takes a second to show, in which nobody makes
// progress and every permit admitted makes it longer. Each time the limit falls again
// because admitted permits lost, the next try comes later. So a row that everybody
// wants costs an occasional try, and calls that only begin alike are admitted within a
// moment.
type limit struct {
	now int
	max int // the connections of the pool

	good, bad int           // permits that ended since the limit last changed
	changed   time.Time     // when the limit last changed
	fell      time.Time     // when the limit last fell; earlier permits say nothing about its present value
	rising    bool          // raised since it fell
	failures  int           // falls although it was raised with care
	patience  int           // good permits needed to raise it after a fall
	pause     time.Duration // or the time needed
	usual     time.Duration // average duration of a permit; 0 if none has ended yet
	losing    time.Duration // longest recent time an attempt took to lose, so how long a too high limit goes unseen
}

const (
	unlimited = 1 << 30

	firstPatience = 8
	nextPatience  = 64
	maxPatience   = 8192

	firstPause = leastForbearance
	leastPause = 2 * time.Second // a pause may always grow to this
	maxPause   = 20 * time.Second

	remembered = 512 // permits that count while the limit is unchanged

	maxLosing = 2 * time.Second // a deadlock shows after one second by default
)

func newLimit(connections int, now time.Time) limit {
	return limit{now: unlimited, max: connections, patience: firstPatience, pause: firstPause, changed: now, fell: now}
}

// needed reports whether the limit has shown to be needed.
func (l *limit) needed() bool { return l.failures > 0 }

// wait estimates the time until that many permits have been served.
func (l *limit) wait(ahead int) time.Duration {
	return l.usual * time.Duration(ahead) / time.Duration(l.now)
}

// learn adds took to the average duration of a permit; zero means unknown.
func (l *limit) learn(took time.Duration) {
	switch {
	case took == 0:
	case l.usual == 0:
		l.usual = took
	default:
		l.usual += (took - l.usual) / 8
	}
}

// served learns from a permit that did not lose.
func (l *limit) served() {
	l.good++
	l.fade()
}

// lost learns from a conflict of an attempt that took so long; zero means unknown.
// admitted is when its permit was granted, zero if it had none.
func (l *limit) lost(admitted time.Time, took time.Duration, now time.Time) {
	l.losing = min(max(took, l.losing-l.losing/64), maxLosing)
	if l.now < unlimited && admitted.Before(l.fell) {
		l.changed = now // says nothing about the limit, except that conflicts continue
		return
	}
	if l.now == 1 { // the conflict was not with an active permit, so a higher limit would not help
		l.good, l.bad = 0, min(l.bad+1, 2)
		return
	}
	l.bad++
	l.fade()
	if (l.bad > 1 || l.failures > 1 && l.now == 2) && !l.peaceful() { // one conflict is chance, unless earlier failures say otherwise
		l.fall(now)
	}
}

// fade gives the latest permits more weight.
func (l *limit) fade() {
	if l.good+l.bad >= remembered {
		l.good, l.bad = l.good/2, l.bad/2
	}
}

// peaceful reports whether conflicts are few among many, which is chance.
func (l *limit) peaceful() bool { return l.bad*8 <= l.good }

// fall halves the limit, or sets it to one if most lose or nothing was known before.
func (l *limit) fall(now time.Time) {
	if l.rising {
		l.failures++
		l.patience = min(max(2*l.patience, nextPatience), maxPatience)
		l.pause = min(max(8*l.pause, l.usual), min(max(128*l.usual, leastPause), maxPause))
	}
	if l.now == unlimited || l.bad > l.good {
		l.now = 1
	} else {
		l.now /= 2
	}
	l.rising, l.fell = false, now
	l.restart(now)
}

// raise doubles the limit.
func (l *limit) raise(now time.Time) {
	l.now = min(2*l.now, l.max)
	l.rising = true
	l.restart(now)
}

func (l *limit) restart(now time.Time) { l.good, l.bad, l.changed = 0, 0, now }

// ripe reports whether it is time to raise the limit, if a call waits because of it and
// so many permits are active.
func (l *limit) ripe(active int, now time.Time) bool {
	if !l.peaceful() || l.now >= l.max {
		return false
	}
	since := now.Sub(l.changed)
	if l.good >= l.enough() {
		return !l.rising || since >= l.losing
	}
	// Permits from before it fell may block each other.
	return active <= l.now && since >= l.enoughTime()
}

// enough returns after how many good permits the limit is raised. Once it was raised
// and nobody lost, the next step takes only as many as are needed to see that.
func (l *limit) enough() int {
	permits := l.patience
	if l.rising {
		permits = firstPatience
	}
	return permits * max(l.now/4, 1)
}

// enoughTime returns after how long without a conflict the limit is raised: never
// before a conflict could have been seen, for which a deadlock takes a second.
func (l *limit) enoughTime() time.Duration {
	if l.rising && l.usual > 0 {
		return min(l.pause, max(2*l.usual, l.losing))
	}
	return max(l.pause, l.losing)
}

// ripens returns when the limit may be raised at the earliest if no permit ends, or
// zero if it may not.
func (l *limit) ripens() (at time.Time) {
	if l.peaceful() {
		at = l.changed.Add(l.enoughTime())
	}
	return at
}

// forbearance returns how long a permit may last before it is bypassed.
func (l *limit) forbearance(exclusive bool) time.Duration {
	if exclusive {
		return max(40*l.usual, time.Second)
	}
	return max(10*l.usual, leastForbearance, l.losing+l.losing/4) // a deadlock ends by itself
}

const leastForbearance = 300 * time.Millisecond

// absorb makes another limit part of this one. The merged limit starts again at one,
// unless both are only suspicions.
func (l *limit) absorb(other *limit, now time.Time) {
	l.failures = max(l.failures, other.failures)
	l.usual, l.losing = max(l.usual, other.usual), max(l.losing, other.losing)
	l.patience, l.pause = max(l.patience, other.patience), max(l.pause, other.pause)
	l.good, l.bad = l.good+other.good, l.bad+other.bad
	if l.now < unlimited || other.now < unlimited {
		l.now, l.rising, l.fell = 1, false, now
		l.restart(now)
	} else if l.bad > 1 && !l.peaceful() {
		l.fall(now)
	}
}
