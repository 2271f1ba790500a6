package txn

// opening holds prefix statistics: what is known of transactions whose first statement
// has the same text. Usually its arguments tell which of them contend. If they never
// do, as in a look-up by request id, the other statements that the losers sent tell.
type opening struct {
	telling, mute int // losses whose first statement another call had also lost with, or not

	line        *line // where transactions that begin so end up
	hits, total int   // of those that ended recently
}

const (
	mostOpenings = 64
	mostSuspects = 256
	leastSeen    = 8
	leastMute    = 32 // so that as many contended rows are still told apart
)

// suspect is a recent loss: a statement that was part of an attempt that lost.
type suspect struct {
	of   fingerprint
	call uint64
}

// suspects holds the most recent losses.
type suspects [mostSuspects]suspect

// sharedBy reports whether another call also lost with the statement.
func (s *suspects) sharedBy(of fingerprint, call uint64) bool {
	known := s[of%mostSuspects]
	return known.of == of && known.call != call
}

func (s *suspects) add(of fingerprint, call uint64) { s[of%mostSuspects] = suspect{of, call} }

// lost counts a loss, and reports whether first statements like this one fail to tell
// which transactions contend.
func (o *opening) lost(shared bool) (mute bool) {
	if shared {
		o.telling++
	} else {
		o.mute++
	}
	if o.telling+o.mute >= 4*leastMute {
		o.telling, o.mute = o.telling/2, o.mute/2
	}
	return o.mute >= leastMute && o.mute >= 8*o.telling
}

// ended counts an attempt that touched statements of queue l, or of none if l is nil.
func (o *opening) ended(l *line) {
	if o.total++; l != nil {
		if o.line != l {
			o.line, o.hits = l, 0
			l.awaited = true
		}
		o.hits++
	}
	if o.total >= 4*leastSeen {
		o.total, o.hits = o.total/2, o.hits/2
	}
}

// likely returns the queue in which nearly all transactions that begin so end up, or
// nil.
func (o *opening) likely() *line {
	if o == nil || o.total < leastSeen || 4*o.hits < 3*o.total {
		return nil
	}
	return o.line
}

// openingOf returns nil for a transaction without a usable first statement.
func (a *admission) openingOf(text fingerprint) *opening {
	if text == 0 {
		return nil
	}
	o := a.openings[text]
	if o == nil {
		if len(a.openings) >= mostOpenings {
			clear(a.openings)
		}
		o = &opening{}
		a.openings[text] = o
	}
	return o
}

// lineFor returns the queue in which a request has to wait, or nil.
func (a *admission) lineFor(r *request) *line {
	if l := a.byKey[r.key]; l != nil {
		return l
	}
	if l := a.lineOf(r.trail); l != nil {
		return l
	}
	return a.openings[r.opening].likely()
}

// lineOf returns the first queue for any of the statements, or nil.
func (a *admission) lineOf(trail []fingerprint) *line {
	for _, k := range trail {
		if l := a.byKey[k]; l != nil {
			return l
		}
	}
	return nil
}

// ended learns from an attempt whose first statement has no queue.
func (a *admission) ended(text, key fingerprint, trail []fingerprint) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if o := a.openings[text]; o != nil && a.byKey[key] == nil {
		o.ended(a.lineOf(trail))
	}
}

// forget removes the references of openings to a dropped queue.
func (a *admission) forget(l *line) {
	if !l.awaited {
		return
	}
	for _, o := range a.openings {
		if o.line == l {
			o.line, o.hits = nil, 0
		}
	}
}
