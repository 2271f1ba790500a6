package txn

import (
	"time"

	"github.com/rowkeeper/rowkeeper/txn/internal/admission"
)

func init() { drainTime = 3 * time.Second }

// Narrow makes a queue, as conflicts do, that admits one call at a time, has long known
// that limit, and has the given usual duration of a permit.
func Narrow(db DB, usual time.Duration, key ...any) {
	queuesOf(db, &defaults).Narrow(admission.OfParts(key), usual)
}

// NarrowFor is Narrow for transactions that begin with the given statement.
func NarrowFor(db DB, usual time.Duration, sql string, args ...any) {
	queuesOf(db, &defaults).Narrow(admission.OfStatement(sql, args, true), usual)
}

// Stats counts the queues of a pool.
type Stats = admission.Stats

// StatsOf returns the counts of the queues of a database, which are zero if it has none.
func StatsOf(db DB) (s Stats) {
	if r, ok := db.(*Runner); ok {
		db = r.db
	}
	if q := queuesOf(db, &defaults); q != nil {
		s = q.Stats()
	}
	return s
}
