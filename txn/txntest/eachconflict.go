package txntest

import (
	"fmt"
	"testing"
)

// EachConflict runs test once for each place where a conflict can occur: as the subtest
// "COMMIT" with [ConflictAtCommit], then as "statement 1", "statement 2" and so on with
// [ConflictAt], up to the number of statements that the first transaction had in the
// subtest "COMMIT".
//
// Each time test prepares the data, calls the code under test once with db, and checks
// the outcome, which must be the same for every place. The first transaction begun
// through db meets the conflict. If the code under test returns an error, there may be
// no COMMIT, which is allowed. A subtest fails if nothing is begun through db, or if a
// later one has fewer statements. test must not call t.Parallel.
func EachConflict(t *testing.T, db Beginner, test func(t *testing.T, db *DB)) {
	t.Helper()
	wrong := checkBeginner(db)
	if test == nil {
		wrong = append(wrong, "the test is nil")
	}
	refuse(t, "EachConflict", wrong)

	first := scripted(db, ConflictAtCommit())
	started, ended := false, false
	passed := t.Run("COMMIT", func(t *testing.T) {
		started = true
		defer func() { ended = true }()
		atEnd(t, func() []string {
			if begun, _ := first.seen(); begun == 0 {
				return first.unmet()
			}
			return nil
		})
		test(t, first)
	})
	_, last := first.seen()
	switch {
	case !started: // left out by -run, which may have named a statement
		last = maxStatements
	case !ended:
		t.Fatal("txntest.EachConflict: the test calls t.Parallel, so there is no telling yet how many statements there are")
	case !passed:
		return
	}
	for n := 1; n <= last; n++ {
		passed := t.Run(fmt.Sprintf("statement %d", n), func(t *testing.T) {
			test(t, New(t, db, ConflictAt(n)))
		})
		if !passed && !started {
			return
		}
	}
}

// maxStatements is how many statements are tried for a subtest selected by name.
const maxStatements = 1000

// seen returns how many transactions were begun, and the statements of the first.
func (d *DB) seen() (begun, statements int) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.begun, d.script[0].statements
}
