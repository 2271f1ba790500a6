package admission

import "time"

// A Request is what an attempt asks for, and what the queues remember of its call from
// one attempt to the next.
type Request struct {
	Key      Fingerprint // what the attempt begins with
	Prefix   Fingerprint // the text alone of its first statement
	Deadline time.Time   // of the call; zero if none
	Outer    []Outer     // the calls around this one
	Losses   int         // conflicts of the call so far

	Touched []Fingerprint // statements of the attempt that lost last
	Took    time.Duration // duration of the attempt that lost last; zero if unknown

	ordinal uint64 // among the calls that have lost
}

// An Outer is a call on the same pool whose function makes the call of a request. The
// request does not wait for a queue of such a call, which would be waiting for itself.
type Outer struct {
	Key    Fingerprint // of its attempt's first statement
	Permit *Permit     // nil if it has none
}
