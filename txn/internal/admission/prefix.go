package admission

// prefix holds the statistics of transactions whose first statement has the same text.
// Usually its arguments tell which of them contend. If they never do, as in a look-up
// by request id, the other statements that the losers sent tell.
type prefix struct {
	telling, mute int // losses whose first statement another call had also lost with, or not

	queue       *queue // where transactions that begin so end up
	hits, total int    // of those that ended recently
}

const (
	maxPrefixes = 64
	leastSeen   = 8
	leastMute   = 32 // so that as many contended rows are still told apart
)

// lost counts a loss, and reports whether first statements like this one fail to tell
// which transactions contend.
func (p *prefix) lost(shared bool) (mute bool) {
	if shared {
		p.telling++
	} else {
		p.mute++
	}
	if p.telling+p.mute >= 4*leastMute {
		p.telling, p.mute = p.telling/2, p.mute/2
	}
	return p.mute >= leastMute && p.mute >= 8*p.telling
}

// ended counts an attempt that touched statements of q, or of no queue if q is nil.
func (p *prefix) ended(q *queue) {
	if p.total++; q != nil {
		if p.queue != q {
			p.queue, p.hits = q, 0
			q.predicted = true
		}
		p.hits++
	}
	if p.total >= 4*leastSeen {
		p.total, p.hits = p.total/2, p.hits/2
	}
}

// likely returns the queue in which nearly all transactions that begin so end up, or
// nil.
func (p *prefix) likely() *queue {
	if p == nil || p.total < leastSeen || 4*p.hits < 3*p.total {
		return nil
	}
	return p.queue
}

// loss is a statement that was part of an attempt that lost.
type loss struct {
	of   Fingerprint
	call uint64
}

const maxLosses = 256

// recentLosses holds the most recent losses, each at its own place.
type recentLosses [maxLosses]loss

// sharedBy reports whether another call also lost with the statement.
func (r *recentLosses) sharedBy(of Fingerprint, call uint64) bool {
	known := r[of%maxLosses]
	return known.of == of && known.call != call
}

func (r *recentLosses) add(of Fingerprint, call uint64) { r[of%maxLosses] = loss{of, call} }
