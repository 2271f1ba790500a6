// Package history checks what transactions read and appended for
// serializability, as Elle does: from lists to which unique values are appended,
// the order of the versions of a key can be read off, and with it who depended on
// whom. What no serial order explains is a cycle of such dependencies.
//
// The names of the anomalies are those of Adya, "Weak Consistency: A Generalized
// Theory and Optimistic Implementations for Distributed Transactions"; the method
// is that of Kingsbury and Alvaro, "Elle: Inferring Isolation Anomalies from
// Experimental Observations".
package history

import (
	"fmt"
	"strings"
)

// Value is what is appended: no two appends have the same.
type Value int64

// Op is one operation of a transaction.
type Op struct {
	Key    int64
	Append Value   // unless Read
	Read   bool    // and then what it saw:
	Saw    []Value // in the order of the list
}

func (o Op) String() string {
	if o.Read {
		return fmt.Sprintf("read %d: %v", o.Key, o.Saw)
	}
	return fmt.Sprintf("append %d to %d", o.Append, o.Key)
}

// Status is what is known of the end of a transaction.
type Status uint8

// The ways in which a transaction ends.
const (
	Committed Status = iota
	Aborted
	Unknown // it counts as committed if anything that it appended is seen in the end
)

func (s Status) String() string { return [...]string{"committed", "aborted", "unknown"}[s] }

// Txn is a transaction. Those that are run again are several.
type Txn struct {
	ID     string
	Status Status
	Ops    []Op
}

func (t Txn) String() string {
	ops := make([]string, len(t.Ops))
	for i, o := range t.Ops {
		ops[i] = o.String()
	}
	return fmt.Sprintf("%s (%v): %s", t.ID, t.Status, strings.Join(ops, "; "))
}

// Anomaly is the name of what cannot be.
type Anomaly string

// The anomalies.
const (
	G0           Anomaly = "G0: a cycle of writes"
	G1a          Anomaly = "G1a: a read of what was rolled back"
	G1b          Anomaly = "G1b: a read of what was not the last word of its transaction"
	G1c          Anomaly = "G1c: a cycle of writes and reads"
	GSingle      Anomaly = "G-single: a cycle with one read that missed a write"
	G2           Anomaly = "G2: a cycle with several reads that missed a write"
	Internal     Anomaly = "a read that does not fit what its own transaction did before"
	Lost         Anomaly = "an append that was committed and is not there"
	Dirty        Anomaly = "an append that was rolled back and is there"
	Twice        Anomaly = "an append that is there twice"
	Unwritten    Anomaly = "a value that nobody appended"
	Incompatible Anomaly = "reads that no order of appends explains"
)

// Finding is an anomaly, with the transactions that show it, and no others.
type Finding struct {
	Anomaly Anomaly
	Detail  string
	Txns    []Txn
}

func (f Finding) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s: %s", f.Anomaly, f.Detail)
	for _, t := range f.Txns {
		fmt.Fprintf(&b, "\n  %v", t)
	}
	return b.String()
}

// Check looks for anomalies in what the transactions did. final is what the lists
// are in the end, when no transaction is under way; a key that is missing is empty.
func Check(txns []Txn, final map[int64][]Value) []Finding {
	c := newChecker(txns, final)
	c.settleUnknown()
	c.checkFinal()
	c.checkReads()
	if len(c.findings) == 0 { // or there is no order to build on
		c.connect()
		c.findCycles()
	}
	return c.findings
}
