package txn

import "time"

// Narrow makes a line, as conflicts do, that lets in one at a time, has known for long
// that it has to, and that a turn takes as long as it says.
func Narrow(db DB, turn time.Duration, key ...any) { narrow(db, keyOf(key), turn) }

// NarrowFor is Narrow for what begins with a statement.
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
