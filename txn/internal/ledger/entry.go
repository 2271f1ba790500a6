package ledger

import (
	"bytes"

	"github.com/jackc/pgx/v5"
)

const (
	// ReadEntry reads the row that has a key.
	ReadEntry = "select attempt, request, result, expires_at <= now() from rowkeeper_ledger where namespace = $1 and key = $2"
	// Forget deletes the row that has a key if it has expired.
	Forget = "delete from rowkeeper_ledger where namespace = $1 and key = $2 and expires_at <= now()"
)

// Entry is a row of the ledger.
type Entry struct {
	Attempt string  // the nonce of the attempt that took the key
	Result  *string // as JSON; nil if there is none
	Expired bool
	request []byte // nil if the key was taken without an effect
}

// Scan reads the row that ReadEntry returned.
func (e *Entry) Scan(row pgx.Row) error {
	return row.Scan(&e.Attempt, &e.request, &e.Result, &e.Expired)
}

// A Verdict is what an entry means for a claim that found the key taken.
type Verdict uint8

const (
	Replay   Verdict = iota // the same request was executed: its result is the answer
	TakeOver                // an attempt took the key without an effect
	Burned                  // the claim was to burn the key, and found it burned
	Reused                  // by another request
)

// Verdict returns what an entry means for the claim.
func (c *Claim) Verdict(e Entry) Verdict {
	switch {
	case e.request == nil && c.Burns:
		return Burned
	case e.request == nil:
		return TakeOver
	case !bytes.Equal(e.request, c.request.Hash):
		return Reused
	}
	return Replay
}
