package txn

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
)

// RunInTx runs fn in a transaction, commits it, and returns what fn returned.
// Where the database reports a conflict (SQLSTATE 40001, 40P01, or 40003 before COMMIT) the
// transaction is rolled back and fn is run again in a new one, so fn must have
// no effect outside the transaction that matters twice.
//
// A result is returned only after a known commit, and any error means that
// nothing was committed, with two exceptions that say so: [*OutcomeUnknownError]
// and [*CommittedError]. An error that fn returns is returned as it is, unless
// a conflict is the reason to run fn again: then it does not matter whether fn
// wrapped the conflict, hid it or swallowed it. [*ExhaustedError] is returned
// when attempts or time are used up. A panic of fn rolls back and goes on. (Where
// fn itself made another call, on another database say, and returns that one's
// error, errors.As finds what is true of that other call.)
//
// The context is passed on to fn. When it is done before COMMIT has been sent
// the transaction is rolled back; a COMMIT that is on the wire is waited for,
// at most two seconds longer.
//
// Given a pgx.Tx or a *[Tx], the call joins that transaction: fn runs in a
// savepoint, an error of fn undoes what fn did and no more, and a conflict goes
// out to the call that began the transaction, which alone can run it again.
// What a joined call returns is provisional until then.
func RunInTx[T any](ctx context.Context, db DB, fn func(ctx context.Context, tx *Tx) (T, error), opts ...Option) (T, error) {
	var result, zero T
	if fn == nil {
		return zero, errNoFunction
	}
	committed, err := run(ctx, db, opts, func(ctx context.Context, tx *Tx) (err error) {
		result, err = fn(ctx, tx)
		return err
	})
	if !committed {
		return zero, err
	}
	return result, err
}

// Run is [RunInTx] for a function without a result.
func Run(ctx context.Context, db DB, fn func(ctx context.Context, tx *Tx) error, opts ...Option) error {
	if fn == nil {
		return errNoFunction
	}
	_, err := run(ctx, db, opts, fn)
	return err
}

var errNoFunction = errors.New("txn: the function is nil")

type body func(ctx context.Context, tx *Tx) error

// run reports whether the function's result holds: committed, or in a joined
// call kept by the savepoint.
func run(ctx context.Context, db DB, opts []Option, fn body) (bool, error) {
	db, cfg, err := resolve(db, opts)
	if err != nil {
		return false, err
	}
	if tx, ok := db.(pgx.Tx); ok {
		if err := cfg.joinable(); err != nil {
			return false, err
		}
		err := join(ctx, tx, cfg.name, fn)
		return err == nil, err
	}
	c := call{db: db, config: cfg, fn: fn, start: time.Now()}
	for n := 1; ; n++ {
		verdict, err := c.attempt(ctx, n)
		if verdict != restart {
			return verdict == kept, err
		}
		if err := c.wait(ctx, n, err); err != nil {
			return false, err
		}
	}
}

// verdict is what became of an attempt.
type verdict uint8

const (
	discarded verdict = iota // rolled back, or nobody knows
	restart                  // rolled back because of a conflict
	kept                     // committed
)

// call is one outermost call of RunInTx.
type call struct {
	config
	db    DB
	fn    body
	start time.Time
}

// attempt runs the function once. Where it has to run again, err says why.
func (c *call) attempt(ctx context.Context, number int) (_ verdict, err error) {
	s, err := begin(ctx, c.db, c.txOptions())
	if err != nil {
		return discarded, fmt.Errorf("%s: begin: %w", prefix(c.name), err)
	}
	conn := s.conn
	if conn == nil {
		conn = s.tx.Conn()
	}
	at := newAttempt(number, conn)
	returned := false
	defer func() {
		at.over = true
		if !returned { // a panic, or runtime.Goexit
			at.settle()
			s.rollback(ctx)
		}
		s.give(ctx, at.largeObjects)
	}()
	err = c.fn(ctx, &Tx{inner: s.tx, at: at})
	returned = true
	at.settle()

	switch {
	case at.ended != "":
		s.rollback(ctx)
		return c.endedByFunction(at, err)
	case err == nil && ctx.Err() == nil && at.healthy():
		return c.commit(ctx, s, at)
	}
	cause, failure := at.retryable(err), at.failure(nil) // as the server sees it now
	s.rollback(ctx)
	switch {
	case cause != nil && ctx.Err() == nil:
		return restart, cause
	case err != nil:
		return discarded, err
	case ctx.Err() != nil:
		return discarded, fmt.Errorf("%s: rolled back: %w", prefix(c.name), contextError(ctx))
	}
	return discarded, &hiddenError{name: c.name, cause: failure}
}

func (c *call) commit(ctx context.Context, s *session, at *attempt) (verdict, error) {
	tag, err := s.commit(ctx)
	if s.conn != nil {
		s.rollback(ctx) // only where the answer left the connection in a transaction
	}
	switch commitOutcome(tag, err, at.cockroach) {
	case committed:
		if tag == "COMMIT" {
			return kept, nil
		}
		return kept, &CommittedError{Name: c.name, Err: err}
	case rolledBack:
		if err == nil {
			err = pgx.ErrTxCommitRollback
		}
		if conflict(err) != nil && ctx.Err() == nil {
			return restart, err
		}
		return discarded, fmt.Errorf("%s: commit: %w", prefix(c.name), err)
	}
	return discarded, &OutcomeUnknownError{Name: c.name, Attempts: at.number, Err: err}
}

// endedByFunction is the error for a function that sent COMMIT or ROLLBACK.
func (c *call) endedByFunction(at *attempt, returned error) (verdict, error) {
	misuse := fmt.Errorf("%s: %w", prefix(c.name), at.misuse())
	err := errors.Join(misuse, at.endErr, returned)
	switch commitOutcome(at.ended, at.endErr, at.cockroach) {
	case committed:
		return kept, &CommittedError{Name: c.name, Err: err}
	case rolledBack:
		return discarded, err
	}
	return discarded, &OutcomeUnknownError{Name: c.name, Attempts: at.number, Err: err}
}

// wait waits before the attempt that follows the failed ones, or says why there
// is none.
func (c *call) wait(ctx context.Context, failed int, cause error) error {
	end := c.start.Add(c.maxElapsed)
	if deadline, ok := ctx.Deadline(); ok && deadline.Before(end) {
		end = deadline
	}
	delay := c.backoff.delay(failed)
	if failed >= c.maxAttempts || !time.Now().Add(delay).Before(end) {
		return &ExhaustedError{Name: c.name, Attempts: failed, Elapsed: time.Since(c.start), Err: cause}
	}
	if delay == 0 {
		return nil
	}
	timer := time.NewTimer(delay)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("%s: waiting to retry: %w (after: %w)", prefix(c.name), contextError(ctx), cause)
	}
}

// contextError is why ctx is done, with the cause that its maker gave.
func contextError(ctx context.Context) error {
	err, cause := ctx.Err(), context.Cause(ctx)
	if errors.Is(cause, err) {
		return cause
	}
	return fmt.Errorf("%w: %w", err, cause)
}
