package txn

import (
	"cmp"
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/rowkeeper/rowkeeper/txn/internal/ledger"
	"github.com/rowkeeper/rowkeeper/txn/internal/outcome"
)

// abandon ends an attempt that is not to be committed.
func (c *call) abandon(ctx context.Context, at *attempt, returned error) result {
	if at.ended != "" {
		at.rollback(ctx)
		return c.endedByFunction(at, returned)
	}
	if ledger.Taken(at.broken) {
		return c.replay(ctx, at, at.broken)
	}
	reason, failure := at.reason(returned), at.failure(nil) // while the server's status is current
	e := at.evidence(reason)
	at.rollback(ctx)
	if reason != nil {
		became, again := outcome.Classify(e)
		switch {
		case became == outcome.Unknown:
			return c.ambiguous(ctx, at, e)
		case ctx.Err() == nil && c.allows(again, reason, at, e.Lost):
			return result{restart: true, err: reason}
		}
	}
	switch {
	case errors.Is(at.broken, ledger.ErrInFlight) && at.cockroach && c.uncertain == nil && c.claims != nil && c.claims.probed < maxProbes:
		c.claims.probed++ // a recent commit may still look like a lock
		return result{restart: true, err: at.broken}
	case errors.Is(at.broken, ledger.ErrInFlight):
		return c.discarded(at, at.broken)
	case at.broken != nil:
		return c.discarded(at, revealed(returned, at.broken))
	case returned != nil && reason == nil && outcome.Conflict(returned) != nil && at.conflict == nil:
		return c.discarded(at, fmt.Errorf("%s: rolled back, because the function returned a conflict of another connection: %w", prefix(c.name), returned))
	case returned != nil:
		return c.discarded(at, returned)
	case ctx.Err() != nil:
		return c.discarded(at, fmt.Errorf("%s: rolled back: %w", prefix(c.name), outcome.ContextError(ctx)))
	}
	return c.discarded(at, &hiddenError{name: c.name, cause: failure})
}

// revealed returns the function's error, with the cause if the function hid it.
func revealed(returned, cause error) error {
	if returned == nil || errors.Is(returned, cause) {
		return cmp.Or(returned, cause)
	}
	return &hiddenError{returned: returned, cause: cause}
}

// discarded ends a call whose attempt was not committed; an earlier attempt may have
// been.
func (c *call) discarded(at *attempt, err error) result {
	if c.readOnly && at.write != nil && errors.Is(err, at.write) {
		err = &readOnlyError{c.name, err}
	}
	if c.once != nil && c.uncertain != nil {
		if !at.begun && at.broken != nil && c.canBurnKey(at.ctx, true) { // the database was not reached
			return result{restart: true, err: err}
		}
		c.claims.finalError = err
	}
	return result{unknown: c.uncertain != nil, err: c.orUnknown(at.number, err)}
}

func (c *call) orUnknown(attempts int, err error) error {
	if c.uncertain == nil {
		return err
	}
	return &OutcomeUnknownError{Name: c.name, Attempts: attempts, Err: errors.Join(c.uncertain, err)}
}

// keep records that an attempt was committed, before user code runs, which could panic.
func (c *call) keep(at *attempt) {
	c.known = true
	c.hooks = at.hooks
}

func (c *call) committed(at *attempt, err error) result {
	c.keep(at)
	if c.finished != nil {
		if finishErr := c.finished(at.types()); finishErr != nil {
			err = &CommittedError{Name: c.name, Err: errors.Join(err, finishErr)}
		}
	}
	return result{committed: true, err: err}
}

// commit ends an attempt whose function returned nil.
func (c *call) commit(ctx context.Context, at *attempt) result {
	at.trim()
	if c.once != nil {
		if err := at.record(); err != nil {
			at.rollback(ctx)
			return c.discarded(at, err)
		}
	} else if len(at.queue) == 0 && !at.begun && at.broken == nil {
		return c.committed(at, nil) // nothing was sent
	}
	traced := c.traceCommitStart(ctx, at)
	e := at.commit(ctx)
	if at.ended != "" {
		at.rollback(ctx)
		return c.endedByFunction(at, e.Err)
	}
	became, again := outcome.Classify(e)
	if ledger.Taken(e.Err) {
		c.traceCommitEnd(traced, at, became, e.Err)
		return c.replay(ctx, at, e.Err)
	}
	if at.session != nil {
		at.rollback(ctx) // only if the answer left the connection in a transaction
	} else if !e.CommitSent {
		at.rollback(ctx)
	}
	if became == outcome.Unknown && c.readOnly {
		became, again = outcome.RolledBack, outcome.WhenLost // there was nothing to commit
	}
	if became == outcome.Committed {
		c.keep(at)
	}
	c.traceCommitEnd(traced, at, became, e.Err)
	switch became {
	case outcome.Committed:
		if e.Tag == "COMMIT" {
			return c.committed(at, nil)
		}
		return c.committed(at, &CommittedError{Name: c.name, Err: e.Err})
	case outcome.RolledBack:
		err := e.Err
		if err == nil {
			err = cmp.Or(at.failed, pgx.ErrTxCommitRollback)
		}
		if ctx.Err() == nil && c.allows(again, err, at, e.Lost) {
			return result{restart: true, err: err}
		}
		switch {
		case ctx.Err() != nil && !outcome.ContextEnded(err):
			err = fmt.Errorf("%s: rolled back: %w (%w)", prefix(c.name), outcome.ContextError(ctx), err)
		case ctx.Err() != nil:
			err = fmt.Errorf("%s: rolled back: %w", prefix(c.name), err)
		case e.Phase == outcome.Commit:
			err = fmt.Errorf("%s: commit: %w", prefix(c.name), err)
		}
		return c.discarded(at, err)
	}
	return c.ambiguous(ctx, at, e)
}

// ambiguous ends an attempt that may have been committed.
func (c *call) ambiguous(ctx context.Context, at *attempt, e outcome.Evidence) result {
	if c.once != nil {
		c.claims.ambiguous = append(c.claims.ambiguous, ambiguousAttempt{at.claim.Nonce, at.hooks})
		if ctx.Err() == nil && checkOwned(c.db, c.name) == nil {
			c.uncertain = e.Err
			return result{restart: true, err: e.Err}
		}
	} else if c.idempotent && ctx.Err() == nil && c.allows(outcome.WhenLost, e.Err, at, e.Lost) {
		c.uncertain = e.Err
		return result{restart: true, err: e.Err}
	}
	err := e.Err
	if c.uncertain != nil {
		err = errors.Join(c.uncertain, err)
	}
	return c.uncertainly(at, err)
}

// endedByFunction returns the result of an attempt whose function ended the transaction
// itself.
func (c *call) endedByFunction(at *attempt, returned error) result {
	err := errors.Join(fmt.Errorf("%s: %w", prefix(c.name), at.misuse()), at.endErr, returned)
	e := outcome.Evidence{Phase: outcome.Commit, CommitSent: true, Tag: at.ended, Err: at.endErr, Cockroach: at.cockroach}
	switch became, _ := outcome.Classify(e); became {
	case outcome.Committed:
		return c.committed(at, &CommittedError{Name: c.name, Err: err})
	case outcome.RolledBack:
		return c.discarded(at, err)
	}
	return c.uncertainly(at, err)
}

func (c *call) uncertainly(at *attempt, err error) result {
	return result{unknown: true, err: &OutcomeUnknownError{Name: c.name, Attempts: at.number, Err: err}}
}
