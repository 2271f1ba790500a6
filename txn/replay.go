package txn

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/rowkeeper/rowkeeper/txn/internal/ledger"
	"github.com/rowkeeper/rowkeeper/txn/internal/outcome"
)

// claims is what a call with Once knows of the key.
type claims struct {
	ambiguous  []ambiguousAttempt
	blocked    string // nonce of a claim without an effect that has the key, as last read, or ""
	probed     int    // claims that found a lock
	finalError error  // the call's error, if nothing were ambiguous
}

// ambiguousAttempt is an attempt with Once that may have been committed.
type ambiguousAttempt struct {
	nonce string
	hooks []func(context.Context)
}

// replay ends an attempt whose key was taken: by the same request earlier, whose result
// is returned, or by another request.
func (c *call) replay(ctx context.Context, at *attempt, taken error) result {
	e, err := at.readEntry(ctx)
	if err == nil && e.Expired {
		if err = at.forget(ctx); err == nil {
			err = pgx.ErrNoRows
		}
	}
	switch {
	case errors.Is(err, pgx.ErrNoRows):
		return c.claimAgain("", taken) // free by now
	case err != nil:
		lost := at.lost()
		at.rollback(ctx)
		if ctx.Err() == nil && c.allows(outcome.WhenLost, err, at, lost) {
			return result{restart: true, err: err}
		}
		return c.discarded(at, fmt.Errorf("%s: Once: the key was used before, and its result cannot be read: %w", prefix(c.name), err))
	}
	switch at.claim.Verdict(e) {
	case ledger.Burned: // no attempt of this call can arrive any more
		return result{err: errBurned}
	case ledger.TakeOver:
		return c.claimAgain(e.Attempt, taken)
	case ledger.Reused:
		return result{err: fmt.Errorf("%s: Once: %w", prefix(c.name), ledger.ErrKeyReused)}
	}
	c.known = true
	for _, d := range c.claims.ambiguous {
		if d.nonce == e.Attempt { // this call's attempt did commit
			c.hooks = d.hooks
		}
	}
	if err := c.restore(e.Result); err != nil {
		return result{committed: true, err: &CommittedError{Name: c.name, Err: err}}
	}
	return result{committed: true}
}

// claimAgain makes the next attempt claim the key if it is free, or take it over from
// blocked. This attempt does not count against the call's limit.
func (c *call) claimAgain(blocked string, taken error) result {
	c.claims.blocked = blocked
	if c.excused < maxExcused {
		c.excused++
	}
	return result{restart: true, err: taken}
}

// burnKey resolves an unknown outcome if the function is not to run again: it takes the
// key without an effect, so that a late COMMIT fails, or finds that the key is taken.
// finalError is the call's error if nothing was committed, or nil if there is only the
// uncertainty.
func (c *call) burnKey(ctx context.Context, attempts int, finalError error) (committed bool, _ error) {
	if finalError == nil {
		finalError = &ExhaustedError{Name: c.name, Attempts: attempts, Elapsed: time.Since(c.start), Err: c.uncertain}
	}
	for failed := 1; ; failed++ {
		res, settled := c.burnKeyOnce(ctx, attempts+failed)
		switch {
		case settled && errors.Is(res.err, errBurned):
			return false, finalError
		case settled:
			return res.committed, res.err
		}
		if sleep(ctx, c.backoff.delay(failed+1)) != nil || checkOwned(c.db, c.name) != nil {
			return false, c.orUnknown(attempts, finalError)
		}
	}
}

func (c *call) burnKeyOnce(ctx context.Context, number int) (res result, settled bool) {
	at := newAttempt(c, ctx, number)
	at.claim.Burns = true
	defer at.cancel()
	defer func() {
		if g := at.orphanLeft(); g != nil {
			c.orphan = g
		}
		at.give(ctx)
	}()
	e := at.commit(ctx)
	if ledger.Taken(e.Err) {
		res = c.replay(ctx, at, e.Err)
		return res, !res.restart && !res.unknown
	}
	at.rollback(ctx)
	became, _ := outcome.Classify(e)
	return result{err: errBurned}, became == outcome.Committed
}

// canBurnKey reports whether a call that would end ambiguous can still resolve it: a
// connection of the caller's may be gone for good.
func (c *call) canBurnKey(ctx context.Context, ambiguous bool) bool {
	return ambiguous && c.once != nil && c.uncertain != nil && ctx.Err() == nil && checkOwned(c.db, c.name) == nil
}
