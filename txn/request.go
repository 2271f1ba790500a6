package txn

import "time"

// request is what an attempt wants of the lines, and what they remember of its
// call.
type request struct {
	name     string
	deadline time.Time     // of the call; zero: it has none
	key      fingerprint   // what the attempt begins with
	opening  fingerprint   // the text alone of that
	trail    []fingerprint // what the attempt that lost last had sent
	took     time.Duration // the attempt that lost last; zero: not known
	lost     int           // conflicts so far
	ordinal  uint64        // among the calls that have lost
	outer    []outer       // the calls around this one
}

// outer is a call that runs on the same pool, and inside whose function another
// one is made.
type outer struct {
	key  fingerprint // what its attempt began with
	turn *turn       // nil: it has none
}
