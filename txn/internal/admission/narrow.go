package admission

import "time"

// Narrow makes a queue for the key that admits one at a time, has long known that
// limit, and has the given usual duration of a permit. It is for tests of what waits.
func (s *Queues) Narrow(key Fingerprint, usual time.Duration) {
	s.Lost(&Request{Key: key}, nil)
	s.mu.Lock()
	defer s.mu.Unlock()
	l := &s.byKey[key].limit
	l.now, l.failures, l.patience, l.pause, l.usual = 1, 1, maxPatience, time.Hour, usual
}
