// Package history checks the reads and appends of transactions for serializability,
// as Elle does. Unique values are appended to lists, so a read shows the order of a
// key's versions, and with it the dependencies. A cycle of dependencies is a
// history that no serial order explains.
//
// The names of the anomalies are those of Adya, "Weak Consistency: A Generalized
// Theory and Optimistic Implementations for Distributed Transactions". The method
// is that of Kingsbury and Alvaro, "Elle: Inferring Isolation Anomalies from
// Experimental Observations".
package history

import (
	"fmt"
	"strings"
)

// Value is an appended value. No two appends have the same.
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

// Status is the known end of a transaction.
type Status uint8

// The ways in which a transaction ends.
const (
	Committed Status = iota
	Aborted
	Unknown // it counts as committed if anything that it appended is seen in the end
)

func (s Status) String() string { return [...]string{"committed", "aborted", "unknown"}[s] }

// Txn is a transaction. A function that runs again makes several.
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

// Anomaly is the name of something that must not happen.
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

// Check looks for anomalies in the transactions. final has the lists at the end,
// with no transaction under way; a missing key is an empty list.
func Check(txns []Txn, final map[int64][]Value) []Finding {
	c := newChecker(txns, final)
	c.settleUnknown()
	c.checkFinal()
	c.checkReads()
	if len(c.findings) == 0 { // otherwise there is no reliable order
		c.connect()
		c.findCycles()
	}
	return c.findings
}
