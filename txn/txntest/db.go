package txntest

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"sync"
	"testing"

	"github.com/jackc/pgx/v5"
)

// Beginner is a database to test with: a *pgxpool.Pool, a *pgxpool.Conn, a *pgx.Conn,
// or a wrapper of these. A txn.Runner wraps a [DB], not the reverse:
// txn.New(txntest.New(t, pool, …), …).
type Beginner interface {
	BeginTx(ctx context.Context, o pgx.TxOptions) (pgx.Tx, error)
}

// DB begins transactions on another database and injects faults into them. It is a
// txn.DB. Create one with [New] or [Rerun]; the zero value cannot begin transactions.
//
// A struct that embeds both a pool and a DB needs its own Begin and BeginTx that call
// those of the DB. Concurrent transactions share the faults of a DB in the order in
// which they begin, so give each test a DB of its own.
type DB struct {
	real  Beginner
	rerun bool

	mu     sync.Mutex
	script []*encounter // for the first transactions, one each
	begun  int          // transactions
	owed   int          // reruns: conflicts with no transaction begun since
	reruns int          // conflicts
}

// New wraps db so that the first transaction begun through the result meets the first
// fault, the second one the second, and so on. A call of txn.RunInTx begins one
// transaction for each run of its function. Transactions after the last fault meet
// none.
//
// At its end the test fails for each fault that was not met, for example because the
// function has fewer statements: such a test has shown nothing. It fails at once if db
// is nil, if there is no fault, or if a fault is invalid.
func New(t testing.TB, db Beginner, faults ...Fault) *DB {
	t.Helper()
	wrong := checkBeginner(db)
	if len(faults) == 0 {
		wrong = append(wrong, "there is no fault: name one, or use Rerun")
	}
	for i, f := range faults {
		if err := f.check(); err != nil {
			wrong = append(wrong, fmt.Sprintf("fault %d: %v", i+1, err))
		}
	}
	refuse(t, "New", wrong)
	d := scripted(db, faults...)
	atEnd(t, d.unmet)
	return d
}

func scripted(db Beginner, faults ...Fault) *DB {
	d := &DB{real: db}
	for _, f := range faults {
		d.script = append(d.script, &encounter{db: d, fault: f})
	}
	return d
}

// Rerun wraps db so that every call of txn.RunInTx has to run its function again:
// COMMIT fails with a conflict as with [ConflictAtCommit], and the transaction that
// begins next, the second run of that call, meets no fault.
//
// A DB sees transactions, not the calls that they belong to. With concurrent calls
// there are as many conflicts, but one call may meet two and another none. The same
// holds for a call that does not run again, as with txn.MaxAttempts(1): it fails, and
// the call after it meets no fault.
//
// The test fails at its end if there was no such conflict, and at once if db is nil.
func Rerun(t testing.TB, db Beginner) *DB {
	t.Helper()
	refuse(t, "Rerun", checkBeginner(db))
	d := &DB{real: db, rerun: true}
	atEnd(t, d.unmet)
	return d
}

func checkBeginner(db Beginner) []string {
	if v := reflect.ValueOf(db); !v.IsValid() || v.Kind() == reflect.Pointer && v.IsNil() {
		return []string{"the database is nil"}
	}
	return nil
}

func refuse(t testing.TB, function string, wrong []string) {
	t.Helper()
	if len(wrong) > 0 {
		t.Fatalf("txntest.%s: %s", function, strings.Join(wrong, "; "))
	}
}

// atEnd fails the test for the findings of check, unless it has failed for another
// reason.
func atEnd(t testing.TB, check func() []string) {
	t.Cleanup(func() {
		if t.Failed() || t.Skipped() {
			return
		}
		for _, finding := range check() {
			t.Errorf("txntest: %s", finding)
		}
	})
}

// unmet returns which faults did not happen, and why.
func (d *DB) unmet() (findings []string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.rerun && d.reruns == 0 {
		findings = append(findings, fmt.Sprintf("nothing was run again: %d transactions were begun through the DB, and none came to COMMIT", d.begun))
	}
	for i, e := range d.script {
		if e.met {
			continue
		}
		why := "it did not come to COMMIT"
		switch {
		case i >= d.begun:
			why = "it was not begun through the DB"
		case e.refused != nil:
			why = fmt.Sprintf("COMMIT failed by itself: %v", e.refused)
		case e.fault.kind == conflictAt && e.statements >= e.fault.statement:
			why = "it had failed before"
		case e.fault.kind == conflictAt:
			why = fmt.Sprintf("it ended after %d statements", e.statements)
		}
		findings = append(findings, fmt.Sprintf("transaction %d did not meet %v: %s", i+1, e.fault, why))
	}
	return findings
}

// Begin is BeginTx with the server's defaults.
func (d *DB) Begin(ctx context.Context) (pgx.Tx, error) {
	return d.BeginTx(ctx, pgx.TxOptions{})
}

// BeginTx begins a transaction on the real database. A transaction that fails to begin
// does not count.
func (d *DB) BeginTx(ctx context.Context, o pgx.TxOptions) (pgx.Tx, error) {
	if d == nil || d.real == nil {
		return nil, errors.New("txntest: the DB is not one that New or Rerun made")
	}
	real, err := d.real.BeginTx(ctx, o)
	if err != nil {
		return nil, err
	}
	return &tx{Tx: real, e: d.next()}, nil
}

// next returns the encounter of the transaction that begins now.
func (d *DB) next() *encounter {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.begun++
	switch {
	case d.rerun && d.owed == 0:
		return &encounter{db: d, fault: ConflictAtCommit()}
	case d.rerun:
		d.owed--
	case d.begun <= len(d.script):
		return d.script[d.begun-1]
	}
	return &encounter{db: d}
}
