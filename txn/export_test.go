package txn

import "time"

func init() { drainTime = 3 * time.Second }

// Narrow creates a queue, as conflicts do, that admits one call at a time, has long
// known that limit, and has the given usual duration of a permit.
func Narrow(db DB, turn time.Duration, key ...any) { narrow(db, keyOf(key), turn) }

// NarrowFor is Narrow for transactions that begin with the given statement.
func NarrowFor(db DB, turn time.Duration, sql string, args ...any) {
	narrow(db, fingerprintOf(sql, args, true), turn)
}

func narrow(db DB, key fingerprint, usual time.Duration) {
	a := linesOf(db, &defaults)
	a.conflict(&request{key: key}, nil)
	a.mu.Lock()
	defer a.mu.Unlock()
	l := a.byKey[key]
	l.limit, l.failures, l.patience, l.pause, l.usual = 1, 1, mostPatience, time.Hour, usual
}
