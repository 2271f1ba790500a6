// Package ledger executes a request once: it decides which requests are the same and
// which results come back from JSON as they were, and makes the statements that take a
// key and keep a result. It sends nothing.
//
// A call asks it at four moments: before the first statement ([Claim.Begin]), at COMMIT
// ([Claim.Commit]), when a claim fails ([Claim.Error], then [Claim.Verdict]), and when
// the outcome is unknown, which a claim that [Claim.Burns] the key resolves.
package ledger
