package txn

import "time"

// request is what an attempt asks of admission, and what admission remembers of its
// call.
type request struct {
	name     string
	deadline time.Time     // of the call; zero if none
	key      fingerprint   // of the attempt's first statement
	opening  fingerprint   // of its text alone
	trail    []fingerprint // statements sent by the attempt that lost last
	took     time.Duration // duration of the attempt that lost last; 0 if unknown
	lost     int           // conflicts so far
	ordinal  uint64        // among the calls that have lost
	outer    []outer       // the enclosing calls
}

// outer is an enclosing call: one on the same pool whose function makes this call.
type outer struct {
	key  fingerprint // of its attempt's first statement
	turn *turn       // nil if it has none
}
